#include "infer_options.h"

#include "bench_infer.h"
#include "error.h"
#include "formats/standard_streams.h"
#include "formats/usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_KEY = 256,
    MAX_THREADS = 1024,
    MAX_STEPS = 1000,
    STEPS_DEFAULT = 16,
    MAX_NEIGHBOURS = 1000,
    NEIGHBOURS_DEFAULT = 8,
    SEED_DEFAULT = 1,
    LIST_SIZE = 300,
    LINES_SIZE = 1200,
    DOC_SIZE = 3000
};

enum {
    KEY_WEIGHTS = FIRST_KEY,
    KEY_OUTPUT,
    KEY_SEED,
    KEY_STEPS,
    KEY_COUNT,
    KEY_CSV,
    KEY_THREADS,
    KEY_JSON,
    KEY_END
};

static const struct argp_option table[] = {
    { "weights", KEY_WEIGHTS, "FILE", 0,
      "the network's parameters (.safetensors), as training writes them", 0 },
    { "output", 'o', "OUT", 0,
      "encode, decode, reconstruct, interpolate, nearest, sample: where the result goes", 0 },
    { "seed", KEY_SEED, "N", 0,
      "interpolate: picks two pictures of a folder; sample: draws the latents (1)", 0 },
    { "steps", KEY_STEPS, "N", 0, "interpolate: pictures between the two (16)", 0 },
    { "count", KEY_COUNT, "N", 0, "nearest: how many pictures (8)", 0 },
    { "csv", KEY_CSV, "FILE", 0,
      "score: write path, mse, psnr to FILE too; nearest: path, distance", 0 },
    { "threads", KEY_THREADS, "N", 0,
      "number of threads (one per processor); the results are the same", 0 },
    { "json", KEY_JSON, 0, 0, "bench: print one JSON object", 0 },
    { 0 }
};

#define BIT(key) (1u << ((key)-FIRST_KEY))

typedef struct Command {
    const char *name;
    int (*run)(Infer *infer, const InferOptions *options, Error *error);
    unsigned allowed, needed;  /* options; --weights and --threads go with all */
    int least, most;           /* words after the command; most -1: any number */
    const char *words, *about; /* as --help shows it: the command's words, and what it does */
    bool idle;                 /* it needs the model alone, no network at work */
} Command;

static const Command commands[] = {
    { "summary", command_summary, 0, 0, 0, 0, "summary", "prints the layers", true },
    { "bench", command_bench, BIT(KEY_JSON), 0, 0, 0, "bench [--threads N] [--json]",
      "measures the speed", false },
    { "encode", command_encode, BIT(KEY_OUTPUT), BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS), 1, -1,
      "encode IMAGE... -o Z.npy", "writes the latents of pictures as a numpy array", false },
    { "decode", command_decode, BIT(KEY_OUTPUT), BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS), 1, 1,
      "decode Z.npy -o OUT.png|DIR", "makes pictures of such an array", false },
    { "reconstruct", command_reconstruct, BIT(KEY_OUTPUT), BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS), 1,
      -1, "reconstruct IMAGE... -o OUT.png", "lays pictures above what the network makes of them",
      false },
    { "interpolate", command_interpolate, BIT(KEY_OUTPUT) | BIT(KEY_SEED) | BIT(KEY_STEPS),
      BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS), 1, 2,
      "interpolate A B | DIR --seed N [--steps 16] -o OUT.png",
      "shows what lies between two pictures", false },
    { "score", command_score, BIT(KEY_CSV), BIT(KEY_WEIGHTS), 1, -1, "score PATH... [--csv FILE]",
      "lists mean squared error (values 0..1) and PSNR (at most 200), largest error first", false },
    { "nearest", command_nearest, BIT(KEY_OUTPUT) | BIT(KEY_COUNT) | BIT(KEY_CSV),
      BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS), 2, 2,
      "nearest IMAGE DIR [--count 8] [--csv FILE] -o OUT.png",
      "finds the pictures of a folder whose latents are nearest to a picture's", false },
    { "sample", command_sample, BIT(KEY_OUTPUT) | BIT(KEY_SEED), BIT(KEY_OUTPUT) | BIT(KEY_WEIGHTS),
      1, 1, "sample N [--seed N] -o OUT.png",
      "makes N pictures of random latents, where those are a gaussian_sample", false },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

typedef struct Reading {
    InferLine *line;
    const Command *command;
    unsigned given;
    const char *words[KEY_END - FIRST_KEY]; /* of each option, the last that was given */
} Reading;

static const Model *the_model; /* for the version hook, which takes no argument of ours */

static const char *option_name(int key)
{
    for (const struct argp_option *o = table; o->name; o++)
        if (o->key == key || (key == KEY_OUTPUT && o->key == 'o'))
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
    if (!end || *end || errno || n < least || n > most)
        usage_error(state, "--%s %s: give a whole number from %llu to %llu", option_name(key), text,
                    (unsigned long long)least, (unsigned long long)most);
    return n;
}

/* "summary, bench, ... and score" */
static const char *command_list(char list[LIST_SIZE])
{
    *list = '\0';
    for (int i = 0; i < COMMANDS; i++)
        usage_list(list, LIST_SIZE, commands[i].name, i, COMMANDS);
    return list;
}

/* What --help says of commands: a line each, and a sentence of what they do. */
static void describe_commands(char lines[LINES_SIZE], char sentence[LINES_SIZE])
{
    *lines = *sentence = '\0';
    for (int i = 0; i < COMMANDS; i++) {
        usage_add(lines, LINES_SIZE, "%s%s", i ? "\n" : "", commands[i].words);
        usage_add(sentence, LINES_SIZE, "%s%s %s", i ? "; " : "", commands[i].name,
                  commands[i].about);
    }
}

/* The first word is the command. argp has read all options by now and left the other words behind
   it, where they can stay. */
static void read_command(struct argp_state *state, Reading *reading, const char *word)
{
    InferOptions *options = &reading->line->options;

    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            reading->command = &commands[i];
    char list[LIST_SIZE];
    if (!reading->command)
        usage_error(state, "no command \"%s\"; there are %s", word, command_list(list));
    options->arguments = state->argv + state->next;
    options->count = state->argc - state->next;
    state->next = state->argc;
}

/* What can be told only when all is read. */
static void check(const struct argp_state *state, const Reading *reading)
{
    const Command *c = reading->command;
    const InferOptions *options = &reading->line->options;

    if (!c) {
        char list[LIST_SIZE];
        usage_error(state, "no command given; there are %s", command_list(list));
        return;
    }
    const char *before = c->needed & BIT(KEY_WEIGHTS) ? "--weights FILE " : "";
    for (int key = FIRST_KEY; key < KEY_END; key++) {
        if (reading->given & BIT(key) & ~(c->allowed | BIT(KEY_WEIGHTS) | BIT(KEY_THREADS)))
            usage_error(state, "--%s does not go with %s; usage: %s%s", option_name(key), c->name,
                        before, c->words);
        if (c->needed & BIT(key) & ~reading->given)
            usage_error(state, "%s needs --%s; usage: %s%s", c->name, option_name(key), before,
                        c->words);
    }
    if (options->count < c->least)
        usage_error(state, "%s needs %s; usage: %s%s", c->name,
                    options->count == 0 ? "a file" : "one more file or folder", before, c->words);
    if (c->most >= 0 && options->count > c->most)
        usage_error(state, "\"%s\" is one word too many after %s; usage: %s%s",
                    options->arguments[c->most], c->name, before, c->words);
}

/* Of an option that is given twice the last word counts, as scripts rely on to override their
   defaults; it is said, for it may be an oversight. */
static void note_word(const struct argp_state *state, Reading *reading, int key, const char *word)
{
    const char **last = &reading->words[key - FIRST_KEY];
    if (*last && strcmp(*last, word) != 0)
        usage_warning(state, "--%s is given twice, as %s and as %s; the last counts",
                      option_name(key), *last, word);
    *last = word;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Reading *reading = state->input;
    InferLine *line = reading->line;

    if (key == 'o')
        key = KEY_OUTPUT;
    if (key >= FIRST_KEY && key < KEY_END)
        reading->given |= BIT(key);
    if (key >= FIRST_KEY && key < KEY_END && arg)
        note_word(state, reading, key, arg);
    if ((key == KEY_WEIGHTS || key == KEY_OUTPUT || key == KEY_CSV) && !*arg)
        usage_error(state, "--%s: the name is empty", option_name(key));
    switch (key) {
    case KEY_WEIGHTS: line->weights = arg; break;
    case KEY_OUTPUT: line->options.output = arg; break;
    case KEY_SEED: line->options.seed = read_count(state, key, arg, 0, UINT64_MAX); break;
    case KEY_STEPS: line->options.steps = (int)read_count(state, key, arg, 0, MAX_STEPS); break;
    case KEY_COUNT:
        line->options.neighbours = (int)read_count(state, key, arg, 1, MAX_NEIGHBOURS);
        break;
    case KEY_CSV: line->options.csv = arg; break;
    case KEY_THREADS: line->threads = (int)read_count(state, key, arg, 1, MAX_THREADS); break;
    case KEY_JSON: line->options.json = true; break;
    case ARGP_KEY_ARG: read_command(state, reading, arg); break;
    case ARGP_KEY_END: check(state, reading); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s-infer (caec %s)\n", the_model->name, the_model->version);
}

/* Of the model's name and graph, and what the commands do. */
static const char about[] =
    "Runs the network \"%s\" of %s.\v%s. An IMAGE or PATH is a JPEG or PNG file, or a folder "
    "that stands for its pictures. summary and bench need no --weights. Of an option that is "
    "given twice the last counts, and a warning says so.\n\n"
    "Exits with 0 done, 1 the input is wrong, 2 bad usage, 3 a file could not be read or "
    "written, 129, 130, 143 or 128 + N stopped by SIGHUP, SIGINT, SIGTERM or another "
    "signal N; nothing half written stays.";

void infer_options_read(InferLine *line, const Model *model, int argc, char **argv)
{
    static char doc[DOC_SIZE], lines[LINES_SIZE], sentence[LINES_SIZE], unwritten[100];
    struct argp argp = { .options = table, .parser = parse, .doc = doc, .args_doc = lines };
    Reading reading = { .line = line };

    describe_commands(lines, sentence);
    snprintf(doc, sizeof doc, about, model->name, model->graph, sentence);
    *line = (InferLine){ .options = { .seed = SEED_DEFAULT,
                                      .steps = STEPS_DEFAULT,
                                      .neighbours = NEIGHBOURS_DEFAULT } };
    the_model = model;
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version_hook = print_version;
    snprintf(unwritten, sizeof unwritten, "%s-infer: the output cannot be written", model->name);
    standard_streams_watch(unwritten);
    usage_parse(&argp, argc, argv, &reading);
    standard_streams_unwatch();
    line->run = reading.command->run;
    line->idle = reading.command->idle;
}
