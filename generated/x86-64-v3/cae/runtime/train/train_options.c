#include "train_options.h"

#include "error.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_KEY = 256, BATCH_MOST = 1 << 20, THREADS_MOST = 1024, BENCH_STEPS_MOST = 1000000, COUNT_MOST = 1000000 };

enum {
    KEY_TRAIN = FIRST_KEY, KEY_VAL, KEY_OUT, KEY_EPOCHS, KEY_STEPS, KEY_BATCH, KEY_LR, KEY_SEED, KEY_THREADS, KEY_INIT, KEY_RESUME,
    KEY_CHECKPOINT, KEY_CACHE, KEY_STRICT, KEY_JSON, KEY_COUNT, KEY_END
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Pictures and results:", 1},
    {"train", KEY_TRAIN, "DIR", 0, "train on the JPEG and PNG files in DIR, at any depth (built-in pictures)", 0},
    {"val", KEY_VAL, "DIR", 0, "measure val_loss on the files in DIR (none; with built-in pictures, 256 others)", 0},
    {"out", KEY_OUT, "DIR", 0, "folder of the run (runs/<name>); an older run there is moved to DIR.1", 0},
    {"init", KEY_INIT, "FILE", 0, "start from the parameters in FILE (.safetensors)", 0},
    {"resume", KEY_RESUME, 0, 0, "go on with the run in --out, to the bit as if it had not been stopped", 0},
    {"strict", KEY_STRICT, 0, 0, "an unreadable picture is an error", 0},
    {0, 0, 0, 0, "Training:", 2},
    {"epochs", KEY_EPOCHS, "N", 0, "end after N epochs, counted from the start of the run (the graph's)", 0},
    {"steps", KEY_STEPS, "N", 0, "end after N updates, counted likewise; whichever comes first. Given alone, epochs set no end. "
     "bench: updates to measure (10)", 0},
    {"batch", KEY_BATCH, "N", 0, "pictures an update (the graph's)", 0},
    {"lr", KEY_LR, "X", 0, "learning rate (the graph's; with --resume the run's)", 0},
    {"seed", KEY_SEED, "N", 0, "of the first parameters and the order of pictures (1)", 0},
    {0, 0, 0, 0, "Machine:", 3},
    {"threads", KEY_THREADS, "N", 0, "threads at work (one a processor); the result is the same to the bit", 0},
    {"checkpoint-every", KEY_CHECKPOINT, "N|Nm", 0, "save last.safetensors every N updates or N minutes (10m), besides the end of an epoch", 0},
    {"cache-memory", KEY_CACHE, "SIZE", 0, "keep decoded pictures up to SIZE bytes, or with K, M, G (a quarter of the free memory)", 0},
    {"json", KEY_JSON, 0, 0, "bench, verify: print one JSON object", 0},
    {"count", KEY_COUNT, "N", 0, "pictures: how many to write (8)", 0},
    {0}
};

/* Which options go with a command. */
#define BIT(key) (1u << ((key) - FIRST_KEY))
typedef struct Command {
    const char *name;
    TrainCommand command;
    unsigned allowed;
} Command;

static const Command commands[] = {
    {"training", TRAIN_RUN, (BIT(KEY_END) - 1) & ~BIT(KEY_JSON) & ~BIT(KEY_COUNT)},
    {"bench", TRAIN_BENCH, BIT(KEY_BATCH) | BIT(KEY_STEPS) | BIT(KEY_THREADS) | BIT(KEY_JSON)},
    {"verify", TRAIN_VERIFY, BIT(KEY_JSON)},
    {"pictures", TRAIN_PICTURES, BIT(KEY_OUT) | BIT(KEY_SEED) | BIT(KEY_COUNT)},
    {"summary", TRAIN_SUMMARY, 0},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

typedef struct Reading {
    TrainOptions *options;
    const Command *command;
    unsigned given;
} Reading;

static const Model *the_model;     /* for the version hook, which takes no argument of ours */

static const char *option_name(int key)
{
    for (const struct argp_option *o = table; o->name || o->doc; o++)
        if (o->key == key)
            return o->name;
    return "";
}

/* A whole number least .. most, nothing after it. */
static uint64_t read_count(const struct argp_state *state, int key, const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!end || *end || errno || n < least || n > most) {
        if (most == UINT64_MAX)
            argp_error(state, "--%s %s: give a whole number, %llu or more", option_name(key), text, (unsigned long long)least);
        argp_error(state, "--%s %s: give a whole number from %llu to %llu", option_name(key), text, (unsigned long long)least,
                   (unsigned long long)most);
    }
    return n;
}

static double read_lr(const struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x <= 0)
        argp_error(state, "--lr %s: give a positive number, as 0.001 or 1e-3", text);
    return x;
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
        argp_error(state, "--cache-memory %s: give a size in bytes, or with K, M or G behind it, as 512M", text);
    return n < (double)(SIZE_MAX / 2) ? (size_t)n : SIZE_MAX / 2;
}

static void read_checkpoint(const struct argp_state *state, TrainOptions *options, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (end && !errno && n > 0 && strcmp(end, "") == 0)
        options->checkpoint_updates = n;
    else if (end && !errno && n > 0 && strcmp(end, "m") == 0)
        options->checkpoint_minutes = (double)n;
    else
        argp_error(state, "--checkpoint-every %s: give a number of updates, as 500, or of minutes, as 10m", text);
}

static void read_word(const struct argp_state *state, Reading *reading, const char *word)
{
    if (reading->command == &commands[0]) {
        for (int i = 1; i < COMMANDS; i++)
            if (strcmp(word, commands[i].name) == 0) {
                reading->command = &commands[i];
                return;
            }
        argp_error(state, "no command \"%s\"; there are bench, verify, pictures and summary, and training without a command "
                   "(pictures are given as --train DIR)", word);
    }
    if (reading->command->command == TRAIN_VERIFY && !reading->options->reference)
        reading->options->reference = word;
    else
        argp_error(state, "\"%s\" is one word too many after %s", word, reading->command->name);
}

/* What can be told only when all is read. */
static void check(const struct argp_state *state, const Reading *reading)
{
    const TrainOptions *options = reading->options;
    for (int key = FIRST_KEY; key < KEY_END; key++)
        if (reading->given & BIT(key) & ~reading->command->allowed)
            argp_error(state, "--%s does not go with %s", option_name(key), reading->command->name);
    if (reading->command->command == TRAIN_BENCH && options->steps > BENCH_STEPS_MOST)
        argp_error(state, "--steps %llu: bench measures at most %d updates", (unsigned long long)options->steps, BENCH_STEPS_MOST);
    if (reading->command->command == TRAIN_VERIFY && !options->reference)
        argp_error(state, "verify wants a file: verify REFERENCE.safetensors");
    if (reading->command->command == TRAIN_PICTURES && !options->out)
        argp_error(state, "pictures wants a folder: pictures --out DIR");
    if (options->val && !options->train)
        argp_error(state, "--val %s without --train: give the folder to train on too", options->val);
    if (options->resume && options->init)
        argp_error(state, "--resume and --init exclude each other: a resumed run has its parameters already");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Reading *reading = state->input;
    TrainOptions *o = reading->options;

    if (key >= FIRST_KEY && key < KEY_END)
        reading->given |= BIT(key);
    if ((key == KEY_TRAIN || key == KEY_VAL || key == KEY_OUT || key == KEY_INIT) && !*arg)
        argp_error(state, "--%s: the name is empty", option_name(key));
    switch (key) {
    case KEY_TRAIN: o->train = arg; break;
    case KEY_VAL: o->val = arg; break;
    case KEY_OUT: o->out = arg; break;
    case KEY_INIT: o->init = arg; break;
    case KEY_RESUME: o->resume = 1; break;
    case KEY_STRICT: o->strict = 1; break;
    case KEY_JSON: o->json = 1; break;
    case KEY_EPOCHS: o->epochs = read_count(state, key, arg, 1, UINT32_MAX); break;
    case KEY_STEPS: o->steps = read_count(state, key, arg, 1, INT64_MAX); break;
    case KEY_BATCH: o->batch = (int)read_count(state, key, arg, 1, BATCH_MOST); break;
    case KEY_THREADS: o->threads = (int)read_count(state, key, arg, 1, THREADS_MOST); break;
    case KEY_LR: o->lr = read_lr(state, arg); break;
    case KEY_SEED: o->seed = read_count(state, key, arg, 0, UINT64_MAX); o->seed_given = 1; break;
    case KEY_CHECKPOINT: read_checkpoint(state, o, arg); break;
    case KEY_COUNT: o->count = (int)read_count(state, key, arg, 1, COUNT_MOST); break;
    case KEY_CACHE: o->cache_bytes = read_size(state, arg); o->cache_given = 1; break;
    case ARGP_KEY_ARG: read_word(state, reading, arg); break;
    case ARGP_KEY_END: check(state, reading); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s-train (caec %s)\n", the_model->name, the_model->version);
}

void train_options_read(TrainOptions *options, const Model *model, int argc, char **argv)
{
    static char doc[1024];
    struct argp argp = {.options = table, .parser = parse, .args_doc = "\nbench\nverify REFERENCE.safetensors\npictures --out DIR\nsummary", .doc = doc};
    Reading reading = {options, &commands[0], 0};

    snprintf(doc, sizeof doc,
             "Trains the network \"%s\" of %s; without --train, on built-in pictures.\v"
             "bench measures the speed of training, verify compares this program with the numbers of another framework, "
             "pictures writes some of the built-in pictures as PNG, summary prints the layers.\n\n"
             "Exits with 0 done, 1 the input is wrong, 2 bad usage, 3 a file could not be read or written, 130 or 143 stopped by a "
             "signal: the run is saved first and --resume goes on.", model->name, model->graph);
    memset(options, 0, sizeof *options);
    the_model = model;
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version_hook = print_version;
    argp_parse(&argp, argc, argv, 0, NULL, &reading);
    options->command = reading.command->command;
}
