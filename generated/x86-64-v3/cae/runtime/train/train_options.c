#include "train_options.h"

#include "error.h"
#include "formats/standard_streams.h"
#include "settings.h"
#include "train_help.h"
#include "train_option_table.h"
#include "train_option_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 1024, MAX_BENCH_STEPS = 1000000, MAX_COUNT = 1000000, LINES_SIZE = 400 };

/* Which options go with a command. */
typedef struct Command {
    const char *name;
    TrainCommand command;
    unsigned allowed;
    const char *words, *about; /* as --help shows it: the command's words, and what it does */
} Command;

/* The first is what is done without a command. */
static const Command commands[] = {
    { "training", TRAIN_RUN,
      (BIT(KEY_END) - 1) & ~BIT(KEY_JSON) & ~BIT(KEY_COUNT) & ~BIT(KEY_ANOMALIES), "", "" },
    { "bench", TRAIN_BENCH, BIT(KEY_BATCH) | BIT(KEY_STEPS) | BIT(KEY_THREADS) | BIT(KEY_JSON),
      "bench", "measures the speed of training" },
    { "verify", TRAIN_VERIFY, BIT(KEY_JSON), "verify REFERENCE.safetensors",
      "compares this program with the numbers of another framework" },
    { "pictures", TRAIN_PICTURES,
      BIT(KEY_OUT) | BIT(KEY_SEED) | BIT(KEY_COUNT) | BIT(KEY_ANOMALIES), "pictures --out DIR",
      "writes some of the built-in pictures as PNG" },
    { "summary", TRAIN_SUMMARY, 0, "summary", "prints the layers" },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

typedef struct Reading {
    TrainOptions *options;
    const Command *command;
    unsigned given;
    const char *optimizer;                  /* as it was given, or NULL */
    const char *words[KEY_END - FIRST_KEY]; /* of each option, the last that was given */
} Reading;

static const Model *the_model;

/* Scripts may say the loss as they say the rest of the training table; what is compiled in cannot
   be another. */
static void want_loss(const struct argp_state *state, const char *name)
{
    const char *compiled = the_model->training.loss;
    if (strcmp(name, compiled) != 0)
        usage_error(
            state,
            "--loss %s: the loss is compiled in, here \"%s\"; write loss = \"%s\" in the training "
            "table of %s, then compile it with caec again",
            name, compiled, name, the_model->graph);
}

static void read_choice(const struct argp_state *state, TrainOptions *options, int key,
                        const char *text)
{
    Error error;
    int result = key == KEY_OPTIMIZER ? settings_read_optimizer(&options->optimizer, text, &error)
                                      : settings_read_schedule(&options->schedule, text, &error);
    if (result != 0)
        usage_error(state, "--%s %s", train_option_name(key), error.text);
}

static void read_clipping(const struct argp_state *state, TrainOptions *o, int key,
                          const char *text)
{
    double x = option_bound(state, key, text);
    *(key == KEY_CLIP_NORM    ? &o->clip_norm
      : key == KEY_CLIP_VALUE ? &o->clip_value
                              : &o->global_clip_norm) = x;
    o->clip_given = true;
}

/* As many folders as there are words fit in each list; they live until the next command line. */
static const char **folder_lists;

static void add_folder(const struct argp_state *state, PictureFolders *folders, const char *path)
{
    const Reading *reading = state->input;
    int is_train = folders == &reading->options->train;
    const char **list = folder_lists + (is_train ? 0 : state->argc);
    list[folders->count++] = path;
    folders->paths = list;
}

static void read_word(const struct argp_state *state, Reading *reading, const char *word)
{
    if (reading->command == &commands[0]) {
        for (int i = 1; i < COMMANDS; i++)
            if (strcmp(word, commands[i].name) == 0) {
                reading->command = &commands[i];
                return;
            }
        char list[LINES_SIZE] = "";
        for (int i = 1; i < COMMANDS; i++)
            usage_list(list, sizeof list, commands[i].name, i - 1, COMMANDS - 1);
        usage_error(state,
                    "no command \"%s\"; there are %s, and training without a command (pictures are "
                    "given as --train DIR)",
                    word, list);
    }
    if (reading->command->command == TRAIN_VERIFY && !reading->options->reference)
        reading->options->reference = word;
    else
        usage_error(state, "\"%s\" is one word too many after %s", word, reading->command->name);
}

/* What the command wants, and what does not go with it. */
static void check_command(const struct argp_state *state, const Reading *reading)
{
    const TrainOptions *options = reading->options;
    for (int key = FIRST_KEY; key < KEY_END; key++)
        if (reading->given & BIT(key) & ~reading->command->allowed)
            usage_error(state, "--%s does not go with %s", train_option_name(key),
                        reading->command->name);
    if (reading->command->command == TRAIN_BENCH && options->steps > MAX_BENCH_STEPS)
        usage_error(state, "--steps %llu: bench measures at most %d updates",
                    (unsigned long long)options->steps, MAX_BENCH_STEPS);
    if (reading->command->command == TRAIN_VERIFY && !options->reference)
        usage_error(state, "verify wants a file: verify REFERENCE.safetensors");
    if (reading->command->command == TRAIN_PICTURES && !options->out)
        usage_error(state, "pictures wants a folder: pictures --out DIR");
}

/* What can be told only when all is read. */
static void check(const struct argp_state *state, const Reading *reading)
{
    const TrainOptions *options = reading->options;
    check_command(state, reading);
    if (options->val.count && !options->train.count)
        usage_error(state, "--val %s without --train: give the folder to train on too",
                    options->val.paths[0]);
    if (options->strict && options->skip_unreadable)
        usage_error(state, "--strict and --skip-unreadable exclude each other");
    if ((options->clip_norm > 0) + (options->global_clip_norm > 0) + (options->clip_value > 0) > 1)
        usage_error(state, "--clip-norm, --global-clip-norm and --clip-value exclude each other");
    if (options->lr > 0 && reading->optimizer && strstr(reading->optimizer, ",lr="))
        usage_error(state, "--lr and --optimizer %s both set the learning rate; give it once",
                    reading->optimizer);
    if (reading->given & BIT(KEY_MIRROR) && reading->given & BIT(KEY_NO_MIRROR))
        usage_error(state, "--mirror and --no-mirror exclude each other");
    if (options->resume && options->init)
        usage_error(
            state,
            "--resume and --init exclude each other: a resumed run has its parameters already");
}

/* Of an option that is given twice the last word counts, as scripts rely on to override their
   defaults; it is said, for it may be an oversight. */
static void note_word(const struct argp_state *state, Reading *reading, int key, const char *word)
{
    const char **last = &reading->words[key - FIRST_KEY];
    if (*last && strcmp(*last, word) != 0 && key != KEY_TRAIN && key != KEY_VAL)
        usage_warning(state, "--%s is given twice, as %s and as %s; the last counts",
                      train_option_name(key), *last, word);
    *last = word;
}

/* Each of these takes the options of one kind and returns false for the others. */

static bool set_folder(const struct argp_state *state, TrainOptions *o, int key, const char *arg)
{
    switch (key) {
    case KEY_TRAIN: add_folder(state, &o->train, arg); break;
    case KEY_VAL: add_folder(state, &o->val, arg); break;
    case KEY_OUT: o->out = arg; break;
    case KEY_INIT: o->init = arg; break;
    default: return false;
    }
    if (!*arg)
        usage_error(state, "--%s: the name is empty", train_option_name(key));
    return true;
}

static bool set_flag(TrainOptions *o, int key)
{
    switch (key) {
    case KEY_RESUME: o->resume = true; return true;
    case KEY_STRICT: o->strict = true; return true;
    case KEY_SKIP: o->skip_unreadable = true; return true;
    case KEY_JSON: o->json = true; return true;
    case KEY_ANOMALIES: o->anomalies = true; return true;
    case KEY_MIRROR:
    case KEY_NO_MIRROR:
        o->mirror = key == KEY_MIRROR;
        o->mirror_given = true;
        return true;
    default: return false;
    }
}

/* How long, how many, how much, by whole numbers. */
static bool set_count(const struct argp_state *state, TrainOptions *o, int key, const char *arg)
{
    switch (key) {
    case KEY_EPOCHS: o->epochs = option_count(state, key, arg, 1, SETTINGS_MAX_EPOCHS); break;
    case KEY_STEPS: o->steps = option_count(state, key, arg, 1, INT64_MAX); break;
    case KEY_BATCH: o->batch = (int)option_count(state, key, arg, 1, SETTINGS_MAX_BATCH); break;
    case KEY_THREADS: o->threads = (int)option_count(state, key, arg, 1, MAX_THREADS); break;
    case KEY_COUNT: o->count = (int)option_count(state, key, arg, 1, MAX_COUNT); break;
    case KEY_CHECKPOINT: option_checkpoint(state, o, arg); break;
    case KEY_CACHE:
        o->cache_bytes = option_size(state, arg);
        o->cache_given = true;
        break;
    case KEY_PATIENCE:
        o->patience = (int)option_count(state, key, arg, 0, SETTINGS_MAX_PATIENCE);
        o->patience_given = true;
        break;
    default: return false;
    }
    return true;
}

static bool set_method(const struct argp_state *state, TrainOptions *o, int key, const char *arg)
{
    switch (key) {
    case KEY_LR: o->lr = option_lr(state, arg); break;
    case KEY_SEED:
        o->seed = option_count(state, key, arg, 0, UINT64_MAX);
        o->seed_given = true;
        break;
    case KEY_EMA:
        o->ema = option_ema(state, arg);
        o->ema_given = true;
        break;
    case KEY_LOSS: want_loss(state, arg); break;
    case KEY_OPTIMIZER:
    case KEY_SCHEDULE: read_choice(state, o, key, arg); break;
    case KEY_CLIP_NORM:
    case KEY_GLOBAL_CLIP_NORM:
    case KEY_CLIP_VALUE: read_clipping(state, o, key, arg); break;
    case KEY_MIN_DELTA:
        o->min_delta = option_bound(state, key, arg);
        o->min_delta_given = true;
        break;
    default: return false;
    }
    return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Reading *reading = state->input;
    TrainOptions *o = reading->options;

    if (key == ARGP_KEY_ARG)
        read_word(state, reading, arg);
    if (key == ARGP_KEY_END)
        check(state, reading);
    if (key == ARGP_KEY_ARG || key == ARGP_KEY_END)
        return 0;
    if (key < FIRST_KEY || key >= KEY_END)
        return ARGP_ERR_UNKNOWN;
    reading->given |= BIT(key);
    if (arg)
        note_word(state, reading, key, arg);
    if (key == KEY_OPTIMIZER)
        reading->optimizer = arg;
    if (!set_flag(o, key) && !set_folder(state, o, key, arg) && !set_count(state, o, key, arg))
        set_method(state, o, key, arg);
    return 0;
}

/* What --help says of commands: a line each, and a sentence of what they do. */
static void describe_commands(char lines[LINES_SIZE], char sentence[LINES_SIZE])
{
    *lines = *sentence = '\0';
    for (int i = 0; i < COMMANDS; i++) {
        usage_add(lines, LINES_SIZE, "%s%s", i ? "\n" : "", commands[i].words);
        if (i)
            usage_add(sentence, LINES_SIZE, "%s%s %s", i > 1 ? ", " : "", commands[i].name,
                      commands[i].about);
    }
}

void train_options_read(TrainOptions *options, const Model *model, int argc, char **argv)
{
    static char lines[LINES_SIZE], sentence[LINES_SIZE], unwritten[100];
    struct argp argp = { .options = train_option_table, .parser = parse };
    Reading reading = { .options = options, .command = &commands[0] };

    describe_commands(lines, sentence);
    train_help_set(&argp, model, lines, sentence);
    memset(options, 0, sizeof *options);
    the_model = model;
    argp_err_exit_status = EXIT_USAGE;
    free(folder_lists);
    if (!(folder_lists = calloc(2 * (size_t)argc + 1, sizeof *folder_lists))) {
        fprintf(stderr, "%s-train: out of memory\n", model->name);
        exit(EXIT_INPUT);
    }
    snprintf(unwritten, sizeof unwritten, "%s-train: the output cannot be written", model->name);
    standard_streams_watch(unwritten);
    usage_parse(&argp, argc, argv, &reading);
    standard_streams_unwatch();
    options->command = reading.command->command;
    options->program = argv[0];
}
