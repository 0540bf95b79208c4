#include "train_options.h"

#include "error.h"
#include "formats/standard_streams.h"
#include "formats/usage.h"
#include "settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_KEY = 256,
    MAX_THREADS = 1024,
    MAX_BENCH_STEPS = 1000000,
    MAX_COUNT = 1000000,
    LINES_SIZE = 400
};

enum {
    KEY_TRAIN = FIRST_KEY,
    KEY_VAL,
    KEY_OUT,
    KEY_EPOCHS,
    KEY_STEPS,
    KEY_BATCH,
    KEY_LR,
    KEY_SEED,
    KEY_THREADS,
    KEY_INIT,
    KEY_RESUME,
    KEY_CHECKPOINT,
    KEY_CACHE,
    KEY_STRICT,
    KEY_JSON,
    KEY_COUNT,
    KEY_OPTIMIZER,
    KEY_SCHEDULE,
    KEY_PATIENCE,
    KEY_MIN_DELTA,
    KEY_CLIP_NORM,
    KEY_GLOBAL_CLIP_NORM,
    KEY_CLIP_VALUE,
    KEY_MIRROR,
    KEY_NO_MIRROR,
    KEY_LOSS,
    KEY_SKIP,
    KEY_END
};

static const struct argp_option table[] = {
    { 0, 0, 0, 0, "Pictures and results:", 1 },
    { "train", KEY_TRAIN, "DIR", 0,
      "train on the JPEG and PNG files in DIR, at any depth (built-in "
      "pictures); given again, on those of the next DIR after them",
      0 },
    { "val", KEY_VAL, "DIR", 0,
      "measure val_loss on the files in DIR (none; with built-in "
      "pictures, 256 others); likewise",
      0 },
    { "out", KEY_OUT, "DIR", 0,
      "folder of the run (runs/<name>); an older run there is moved to DIR.1", 0 },
    { "init", KEY_INIT, "FILE", 0, "start from the parameters in FILE (.safetensors)", 0 },
    { "resume", KEY_RESUME, 0, 0,
      "continue the run in --out; the result has the same bits as without the interruption", 0 },
    { "strict", KEY_STRICT, 0, 0, "an unreadable picture is an error", 0 },
    { "skip-unreadable", KEY_SKIP, 0, 0,
      "pass over a picture that was readable and no longer is, "
      "instead of ending the run",
      0 },
    { 0, 0, 0, 0, "Training:", 2 },
    { "epochs", KEY_EPOCHS, "N", 0,
      "end after N epochs, counted from the start of the run; where the graph has stages, those "
      "before the last "
      "keep their lengths",
      0 },
    { "steps", KEY_STEPS, "N", 0,
      "end after N updates, counted likewise; whichever comes first. Given alone, epochs set no "
      "end, but to "
      "stages before the last. "
      "bench: updates to measure (10)",
      0 },
    { "batch", KEY_BATCH, "N", 0, "pictures per update", 0 },
    { "loss", KEY_LOSS, "NAME", 0,
      "only the graph's own, which is compiled in; for another, write it in the graph and run caec "
      "again",
      0 },
    { "optimizer", KEY_OPTIMIZER, "NAME[,X=N...]", 0,
      "an optimizer and its numbers, those that are not as here: %s", 0 },
    { "lr", KEY_LR, "X", 0, "learning rate; not together with lr=X of --optimizer", 0 },
    { "schedule", KEY_SCHEDULE, "NAME[,X=N...]", 0,
      "of the learning rate, likewise; warmup counts epochs, and so does epochs of cosine, which "
      "are the run's where they are left out: %s",
      0 },
    { "clip-norm", KEY_CLIP_NORM, "X", 0,
      "scale the gradient of each parameter down to a norm of at most X; 0: do not", 0 },
    { "global-clip-norm", KEY_GLOBAL_CLIP_NORM, "X", 0, "likewise, for all parameters together",
      0 },
    { "clip-value", KEY_CLIP_VALUE, "X", 0, "clip each number of the gradient to -X..X; 0: do not",
      0 },
    { "patience", KEY_PATIENCE, "N", 0,
      "stop, or continue with the next stage, after N epochs in a row without a lower val_loss; 0: "
      "do not",
      0 },
    { "min-delta", KEY_MIN_DELTA, "X", 0, "lower by more than X", 0 },
    { "mirror", KEY_MIRROR, 0, 0, "pictures enter as they are or mirrored, at random", 0 },
    { "no-mirror", KEY_NO_MIRROR, 0, 0, "pictures enter as they are", 0 },
    { "seed", KEY_SEED, "N", 0, "of the first parameters and the order of pictures (1)", 0 },
    { 0, 0, 0, 0, "Machine:", 3 },
    { "threads", KEY_THREADS, "N", 0,
      "number of threads (one per processor); the result has the same bits", 0 },
    { "checkpoint-every", KEY_CHECKPOINT, "N|Nm", 0,
      "save last.safetensors every N updates or N minutes (10m), besides the end of an epoch", 0 },
    { "cache-memory", KEY_CACHE, "SIZE", 0,
      "keep decoded pictures up to SIZE bytes, or with K, M, G (a quarter of the free memory)", 0 },
    { "json", KEY_JSON, 0, 0, "bench, verify: print one JSON object", 0 },
    { "count", KEY_COUNT, "N", 0, "pictures: how many to write (8)", 0 },
    { 0 }
};

/* Which options go with a command. */
#define BIT(key) (1u << ((key)-FIRST_KEY))
typedef struct Command {
    const char *name;
    TrainCommand command;
    unsigned allowed;
    const char *words, *about; /* as --help shows it: the command's words, and what it does */
} Command;

/* The first is what is done without a command. */
static const Command commands[] = {
    { "training", TRAIN_RUN, (BIT(KEY_END) - 1) & ~BIT(KEY_JSON) & ~BIT(KEY_COUNT), "", "" },
    { "bench", TRAIN_BENCH, BIT(KEY_BATCH) | BIT(KEY_STEPS) | BIT(KEY_THREADS) | BIT(KEY_JSON),
      "bench", "measures the speed of training" },
    { "verify", TRAIN_VERIFY, BIT(KEY_JSON), "verify REFERENCE.safetensors",
      "compares this program with the numbers of another framework" },
    { "pictures", TRAIN_PICTURES, BIT(KEY_OUT) | BIT(KEY_SEED) | BIT(KEY_COUNT),
      "pictures --out DIR", "writes some of the built-in pictures as PNG" },
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

static const Model *the_model; /* also for the version hook, which takes no argument of ours */

static const char *option_name(int key)
{
    for (const struct argp_option *o = table; o->name || o->doc; o++)
        if (o->key == key)
            return o->name;
    return "";
}

/* A whole number least .. most, nothing after it. */
static uint64_t read_count(const struct argp_state *state, int key, const char *text,
                           uint64_t least, uint64_t most)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!end || *end || errno || n < least || n > most) {
        if (most == UINT64_MAX)
            usage_error(state, "--%s %s: give a whole number, %llu or more", option_name(key), text,
                        (unsigned long long)least);
        usage_error(state, "--%s %s: give a whole number from %llu to %llu", option_name(key), text,
                    (unsigned long long)least, (unsigned long long)most);
    }
    return n;
}

static double read_lr(const struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    const double most = settings_optimizers[0].numbers[0].max; /* of lr, as of all optimizers */
    if (end == text || *end || !isfinite(x) || x <= 0 || x > most)
        usage_error(state, "--lr %s: give a positive number up to %g, as 0.001 or 1e-3", text,
                    most);
    return x;
}

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

/* A number from 0 on. */
static double read_bound(const struct argp_state *state, int key, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x < 0)
        usage_error(state, "--%s %s: give a number, 0 or more", option_name(key), text);
    return x;
}

static void read_choice(const struct argp_state *state, TrainOptions *options, int key,
                        const char *text)
{
    Error error;
    int result = key == KEY_OPTIMIZER ? settings_read_optimizer(&options->optimizer, text, &error)
                                      : settings_read_schedule(&options->schedule, text, &error);
    if (result != 0)
        usage_error(state, "--%s %s", option_name(key), error.text);
}

static void read_clipping(const struct argp_state *state, TrainOptions *o, int key,
                          const char *text)
{
    double x = read_bound(state, key, text);
    *(key == KEY_CLIP_NORM    ? &o->clip_norm
      : key == KEY_CLIP_VALUE ? &o->clip_value
                              : &o->global_clip_norm) = x;
    o->clip_given = true;
}

static size_t read_size(const struct argp_state *state, const char *text)
{
    char *end = NULL;
    double n = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    int shift = 0;
    if (end && *end) {
        const char *units = "KkMmGgTt", *unit = strchr(units, *end);
        if (unit) {
            shift = 10 * (int)((unit - units) / 2 + 1);
            end++;
            if (*end == 'i')
                end++;
        }
        if (*end == 'B')
            end++;
    }
    n = ldexp(n, shift);
    if (!end || *end || !(n < 0x1p62))
        usage_error(state,
                    "--cache-memory %s: give a size in bytes, which K, M or G may follow, as 512M",
                    text);
    return n < (double)(SIZE_MAX / 2) ? (size_t)n : SIZE_MAX / 2;
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

static void read_checkpoint(const struct argp_state *state, TrainOptions *options, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    options->checkpoint_updates = 0;
    options->checkpoint_minutes = 0;
    if (end && !errno && n > 0 && strcmp(end, "") == 0)
        options->checkpoint_updates = n;
    else if (end && !errno && n > 0 && strcmp(end, "m") == 0)
        options->checkpoint_minutes = (double)n;
    else
        usage_error(
            state, "--checkpoint-every %s: give a number of updates, as 500, or of minutes, as 10m",
            text);
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

/* What can be told only when all is read. */
static void check(const struct argp_state *state, const Reading *reading)
{
    const TrainOptions *options = reading->options;
    for (int key = FIRST_KEY; key < KEY_END; key++)
        if (reading->given & BIT(key) & ~reading->command->allowed)
            usage_error(state, "--%s does not go with %s", option_name(key),
                        reading->command->name);
    if (reading->command->command == TRAIN_BENCH && options->steps > MAX_BENCH_STEPS)
        usage_error(state, "--steps %llu: bench measures at most %d updates",
                    (unsigned long long)options->steps, MAX_BENCH_STEPS);
    if (reading->command->command == TRAIN_VERIFY && !options->reference)
        usage_error(state, "verify wants a file: verify REFERENCE.safetensors");
    if (reading->command->command == TRAIN_PICTURES && !options->out)
        usage_error(state, "pictures wants a folder: pictures --out DIR");
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
                      option_name(key), *last, word);
    *last = word;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Reading *reading = state->input;
    TrainOptions *o = reading->options;

    if (key >= FIRST_KEY && key < KEY_END)
        reading->given |= BIT(key);
    if (key >= FIRST_KEY && key < KEY_END && arg)
        note_word(state, reading, key, arg);
    if ((key == KEY_TRAIN || key == KEY_VAL || key == KEY_OUT || key == KEY_INIT) && !*arg)
        usage_error(state, "--%s: the name is empty", option_name(key));
    switch (key) {
    case KEY_TRAIN: add_folder(state, &o->train, arg); break;
    case KEY_VAL: add_folder(state, &o->val, arg); break;
    case KEY_OUT: o->out = arg; break;
    case KEY_INIT: o->init = arg; break;
    case KEY_RESUME: o->resume = true; break;
    case KEY_STRICT: o->strict = true; break;
    case KEY_SKIP: o->skip_unreadable = 1; break;
    case KEY_JSON: o->json = true; break;
    case KEY_EPOCHS: o->epochs = read_count(state, key, arg, 1, SETTINGS_MAX_EPOCHS); break;
    case KEY_STEPS: o->steps = read_count(state, key, arg, 1, INT64_MAX); break;
    case KEY_BATCH: o->batch = (int)read_count(state, key, arg, 1, SETTINGS_MAX_BATCH); break;
    case KEY_THREADS: o->threads = (int)read_count(state, key, arg, 1, MAX_THREADS); break;
    case KEY_LR: o->lr = read_lr(state, arg); break;
    case KEY_LOSS: want_loss(state, arg); break;
    case KEY_OPTIMIZER: reading->optimizer = arg; /* fall through */
    case KEY_SCHEDULE: read_choice(state, o, key, arg); break;
    case KEY_CLIP_NORM:
    case KEY_GLOBAL_CLIP_NORM:
    case KEY_CLIP_VALUE: read_clipping(state, o, key, arg); break;
    case KEY_PATIENCE:
        o->patience = (int)read_count(state, key, arg, 0, SETTINGS_MAX_PATIENCE);
        o->patience_given = true;
        break;
    case KEY_MIN_DELTA:
        o->min_delta = read_bound(state, key, arg);
        o->min_delta_given = true;
        break;
    case KEY_MIRROR:
    case KEY_NO_MIRROR:
        o->mirror = key == KEY_MIRROR;
        o->mirror_given = true;
        break;
    case KEY_SEED:
        o->seed = read_count(state, key, arg, 0, UINT64_MAX);
        o->seed_given = true;
        break;
    case KEY_CHECKPOINT: read_checkpoint(state, o, arg); break;
    case KEY_COUNT: o->count = (int)read_count(state, key, arg, 1, MAX_COUNT); break;
    case KEY_CACHE:
        o->cache_bytes = read_size(state, arg);
        o->cache_given = true;
        break;
    case ARGP_KEY_ARG: read_word(state, reading, arg); break;
    case ARGP_KEY_END: check(state, reading); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* What the graph says where an option is left out, as --help shows it; "" where it says nothing of
   that. */
static void graph_default(int key, char text[SETTINGS_TEXT])
{
    const ModelTraining *t = &the_model->training;
    const struct {
        int key;
        double value;
    } numbers[] = {
        { KEY_EPOCHS, t->epochs },
        { KEY_BATCH, t->batch },
        { KEY_LR, t->optimizer.lr },
        { KEY_CLIP_NORM, t->clip_norm },
        { KEY_GLOBAL_CLIP_NORM, t->global_clip_norm },
        { KEY_CLIP_VALUE, t->clip_value },
        { KEY_PATIENCE, t->patience },
        { KEY_MIN_DELTA, t->min_delta },
    };
    *text = '\0';
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].key == key)
            settings_number_text(numbers[i].value, text, SETTINGS_TEXT);
    if (key == KEY_OPTIMIZER)
        settings_optimizer_text(&t->optimizer, text);
    if (key == KEY_SCHEDULE)
        settings_schedule_text(&t->schedule, text);
    if (key == KEY_LOSS)
        snprintf(text, SETTINGS_TEXT, "%s", t->loss);
    if (key == KEY_MIRROR || key == KEY_NO_MIRROR)
        snprintf(text, SETTINGS_TEXT, "mirror = %s", t->mirror ? "true" : "false");
}

/* What the %s of an option's text stands for. */
static void there_are(int key, char list[SETTINGS_LIST])
{
    *list = '\0';
    if (key == KEY_OPTIMIZER)
        settings_list(settings_optimizers, list);
    if (key == KEY_SCHEDULE)
        settings_list(settings_schedules, list);
}

/* argp frees what is returned where it is not the text it gave. */
static char *help_filter(int key, const char *text, void *input)
{
    char graph[SETTINGS_TEXT] = "", list[SETTINGS_LIST];
    (void)input;
    if (key >= FIRST_KEY && key < KEY_END)
        graph_default(key, graph);
    if (!text || !*graph)
        return (char *)text;
    there_are(key, list);
    const char *place = *list ? strstr(text, "%s") : NULL;
    const int before = place ? (int)(place - text) : (int)strlen(text);
    size_t size = strlen(text) + strlen(list) + strlen(graph) + sizeof " (the graph's: )";
    char *longer = malloc(size);
    if (!longer)
        return (char *)text;
    snprintf(longer, size, "%.*s%s%s (the graph's: %s)", before, text, list, place ? place + 2 : "",
             graph);
    return longer;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s-train (caec %s)\n", the_model->name, the_model->version);
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
    static char doc[2048], lines[LINES_SIZE], sentence[LINES_SIZE], unwritten[100];
    struct argp argp = {
        .options = table, .parser = parse, .args_doc = lines, .doc = doc, .help_filter = help_filter
    };
    Reading reading = { .options = options, .command = &commands[0] };

    describe_commands(lines, sentence);

    snprintf(
        doc, sizeof doc,
        "Trains the network \"%s\" of %s; without --train, on built-in pictures.\v%s.\n\n"
        "What the graph's training table says holds where an option is left out, and with --resume "
        "what the run was told: its seed, batch and "
        "kind of optimizer stay, other options of training are taken up from there on; "
        "what is given again changes nothing.\n\n"
        "--train and --val may be given several times: the pictures of one folder come "
        "behind those of the other. Of any other option that is given twice the last counts, "
        "and a warning says so.\n\n"
        "Exits with 0 done, 1 the input is wrong, 2 bad usage, 3 a file could not be read or "
        "written, 129, 130, 143 or 128 + N stopped by SIGHUP, SIGINT, SIGTERM or another "
        "signal N: the run is saved first and --resume goes on.",
        model->name, model->graph, sentence);
    memset(options, 0, sizeof *options);
    the_model = model;
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version_hook = print_version;
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
