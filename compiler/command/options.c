#include "options.h"

#include "../../runtime/formats/standard_streams.h"
#include "../../runtime/formats/usage.h"
#include "../base/arena.h"
#include "../base/diag.h"
#include "../kernels/kernel.h"
#include "../passes/pipeline.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEY_TARGET = 256,
    KEY_REAL,
    KEY_SUMMARY,
    KEY_DUMP,
    KEY_STOP,
    KEY_LIST,
    KEY_EXPAND,
    KEY_DOT,
    KEY_MEMORY,
    KEY_KERNEL,
    KEY_NO_RUNTIME,
    KEY_TUNE,
    KEY_TUNED,
    KEY_EMIT,
    KEY_NO_TRAINING,
    KEY_OPTIMIZE,
    KEY_MEMORY_LIMIT,
    KEY_STREAM,
    KEY_WEIGHTS,
    KEY_WEIGHTS_AS,
    KEY_WEIGHTS_TYPE,
    KEY_FORCE
};

static const struct argp_option option_table[] = {
    { NULL, 'o', "DIR", 0,
      "write DIR/<name>/: C sources, CMakeLists.txt, README.md and the runtime", 1 },
    { "target", KEY_TARGET, "NAME", 0, "native (default), or one of --list targets", 1 },
    { "real", KEY_REAL, "TYPE", 0, "float (default) or double: the type of all arithmetic", 1 },
    { "kernel", KEY_KERNEL, "LAYER[.DIRECTION]=NAME", 0,
      "use this kernel for a conv or dense layer; DIRECTION is forward, dx or dw", 1 },
    { "emit", KEY_EMIT, "WHAT", 0,
      "program (default): a trainer and an inference program; or library: C that stands alone, "
      "without runtime, malloc and hosted headers",
      1 },
    { "no-training", KEY_NO_TRAINING, NULL, 0, "a library for inference alone", 1 },
    { "stream", KEY_STREAM, NULL, 0,
      "a library whose inference takes the image row by row and returns rows of the output, in "
      "little memory",
      1 },
    { "weights", KEY_WEIGHTS, "FILE", 0,
      "a library that contains the trained weights of FILE, a .safetensors, packed for its kernels",
      1 },
    { "weights-as", KEY_WEIGHTS_AS, "WHAT", 0,
      "incbin (default): a binary file that the assembler includes; or c: numbers in C", 1 },
    { "weights-type", KEY_WEIGHTS_TYPE, "TYPE", 0,
      "f32 (default), or f16: in half the bytes, for inference alone", 1 },
    { "optimize", KEY_OPTIMIZE, "WHAT", 0,
      "speed (default), or size: a library with little machine code", 1 },
    { "memory-limit", KEY_MEMORY_LIMIT, "BYTES", 0,
      "the most memory that training may take, pictures apart; K, M or G may follow the number. "
      "Slower kernels are chosen and values are computed again as far as that needs",
      1 },
    { "tune", KEY_TUNE, "FILE", 0,
      "time the kernels on this machine with the C compiler $CC and keep the result in FILE", 1 },
    { "tuned", KEY_TUNED, "FILE", 0, "choose kernels by the times in FILE", 1 },
    { "no-runtime", KEY_NO_RUNTIME, NULL, 0, "leave the runtime's sources out of DIR/<name>", 1 },
    { "force", KEY_FORCE, NULL, 0,
      "replace files in DIR/<name> that caec did not write, or that were changed since", 1 },
    { "summary", KEY_SUMMARY, NULL, 0, "print the table of layers", 2 },
    { "memory", KEY_MEMORY, NULL, 0, "print the memory map", 2 },
    { "dot", KEY_DOT, NULL, 0, "print the graph for Graphviz", 2 },
    { "dump", KEY_DUMP, "PASS", 0, "print the graph after PASS (of --list passes)", 2 },
    { "stop-after", KEY_STOP, "PASS", 0, "stop after PASS and write nothing", 2 },
    { "list", KEY_LIST, "WHAT", 0, "list passes, ops, kernels or targets", 2 },
    { "expand", KEY_EXPAND, "KERNEL", 0,
      "print one kernel for NAME=NUMBER...: H, W, CI, CO, K, STRIDE, UP, SAME, POOL of a "
      "convolution, CI, CO of a dense layer, "
      "DIRECTION (0 forward, 1 dX, 2 dW)",
      2 },
    { 0 }
};

static const char doc[] =
    "Compiles a Lua description of a convolutional autoencoder to C: forward, backward and update, "
    "with a trainer and an inference program."
    "\vExamples:\n  caec graphs/cae.lua -o generated/\n  caec graphs/cae.lua --summary\n  caec "
    "graphs/cae.lua --dump plan --target x86-64-v3\n"
    "  caec graphs/cae.lua -o lib/ --emit library --no-training --optimize size\n"
    "  caec --expand conv_direct CI=3 CO=32 K=3 POOL=2\n\n"
    "--kernel may be given several times, for one layer each. Of any other option that is given "
    "twice the last counts, and a warning says so.\n";

static void add_force(Options *options, struct argp_state *state, const char *arg)
{
    const char *equals = strchr(arg, '='), *dot = NULL;
    if (!equals || equals == arg || !equals[1]) {
        usage_error(state, "--kernel wants LAYER[.DIRECTION]=NAME, not '%s'", arg);
        return;
    }
    const char *layer = arena_copy(arg, (size_t)(equals - arg));
    dot = strrchr(layer, '.');
    Force force = { .fusion = layer, .kernel = equals + 1 };
    if (dot
        && (strcmp(dot, ".forward") == 0 || strcmp(dot, ".dx") == 0 || strcmp(dot, ".dw") == 0)) {
        force.direction = dot + 1;
        force.fusion = arena_copy(layer, (size_t)(dot - layer));
    }
    if (!kernel_find(force.kernel))
        usage_error(state, "--kernel: there is no kernel '%s'; see --list kernels", force.kernel);
    for (int i = 0; i < options->force_count; i++)
        if (strcmp(options->forces[i].fusion, force.fusion) == 0
            && strcmp(options->forces[i].direction ? options->forces[i].direction : "",
                      force.direction ? force.direction : "")
                   == 0
            && strcmp(options->forces[i].kernel, force.kernel) != 0)
            usage_warning(state, "--kernel %s: the layer was given %s before; the last counts", arg,
                          options->forces[i].kernel);
    if (options->force_count == MAX_FORCES)
        usage_error(state, "--kernel: more than %d", MAX_FORCES);
    options->forces[options->force_count++] = force;
    text_add(&options->given, " --kernel %s", arg);
}

/* "12M" */
static size_t read_bytes(struct argp_state *state, const char *option, const char *text)
{
    static const char units[] = "KMG";
    char *end = (char *)text;
    double n = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit)
        for (end++; unit >= units; unit--)
            n *= 1024;
    if (*end || !(n >= 1 && n < 0x1p50))
        usage_error(state,
                    "%s wants a number of bytes, which K, M or G may follow, as 12M, not '%s'",
                    option, text);
    return (size_t)n;
}

/* An option's word, which must be one of two. */
static const char *one_of(const struct argp_state *state, const char *option, const char *word,
                          const char *a, const char *b)
{
    if (strcmp(word, a) != 0 && strcmp(word, b) != 0)
        usage_error(state, "%s wants %s or %s, not '%s'", option, a, b, word);
    return word;
}

/* Where an option goes that is no more than given; NULL: the key is none of those. */
static bool *flag_of(Options *o, int key)
{
    switch (key) {
    case KEY_SUMMARY: return &o->summary;
    case KEY_MEMORY: return &o->memory;
    case KEY_DOT: return &o->dot;
    case KEY_STREAM: return &o->stream;
    case KEY_NO_TRAINING: return &o->no_training;
    case KEY_NO_RUNTIME: return &o->no_runtime;
    case KEY_FORCE: return &o->force;
    default: return NULL;
    }
}

/* A folder, file, or something that --list lists. */
static void set_name(Options *o, int key, const char *arg, const struct argp_state *state)
{
    switch (key) {
    case 'o':
        o->directory = arg;
        if (!*arg)
            usage_error(state, "-o wants a folder, not an empty name");
        break;
    case KEY_TUNE: o->tune = arg; break;
    case KEY_TUNED: o->tuned = arg; break;
    case KEY_WEIGHTS: o->weights = arg; break;
    case KEY_TARGET:
        o->target = target_find(arg);
        if (!o->target)
            usage_error(state, "--target: there is no target '%s'; see --list targets", arg);
        break;
    case KEY_DUMP:
    case KEY_STOP:
        *(key == KEY_DUMP ? &o->dump : &o->stop) = arg;
        if (pipeline_place(arg) < 0)
            usage_error(state, "there is no pass '%s'; see --list passes", arg);
        break;
    case KEY_EXPAND:
        o->expand = arg;
        if (!kernel_find(arg))
            usage_error(state, "--expand: there is no kernel '%s'; see --list kernels", arg);
        break;
    default: break;
    }
}

/* One of a few words. */
static void set_choice(Options *o, int key, const char *arg, const struct argp_state *state)
{
    switch (key) {
    case KEY_REAL: o->real = one_of(state, "--real", arg, "float", "double"); break;
    case KEY_EMIT:
        o->library = strcmp(one_of(state, "--emit", arg, "program", "library"), "library") == 0;
        break;
    case KEY_OPTIMIZE:
        o->small = strcmp(one_of(state, "--optimize", arg, "speed", "size"), "size") == 0;
        break;
    case KEY_WEIGHTS_AS: o->weights_as = one_of(state, "--weights-as", arg, "incbin", "c"); break;
    case KEY_WEIGHTS_TYPE:
        o->weights_type = one_of(state, "--weights-type", arg, "f32", "f16");
        break;
    case KEY_LIST:
        o->list = arg;
        if (strcmp(arg, "passes") != 0 && strcmp(arg, "ops") != 0 && strcmp(arg, "kernels") != 0
            && strcmp(arg, "targets") != 0)
            usage_error(state, "--list wants passes, ops, kernels or targets, not '%s'", arg);
        break;
    default: break;
    }
}

static void set_option(Options *o, int key, char *arg, struct argp_state *state)
{
    bool *flag = flag_of(o, key);
    if (flag) {
        *flag = true;
    } else if (key == KEY_KERNEL) {
        add_force(o, state, arg);
    } else if (key == KEY_MEMORY_LIMIT) {
        o->memory_limit = read_bytes(state, "--memory-limit", arg);
        text_add(&o->given, " --memory-limit %s", arg);
    } else {
        set_name(o, key, arg, state);
        set_choice(o, key, arg, state);
    }
}

bool options_want_half(const Options *o)
{
    return o->weights_type && strcmp(o->weights_type, "f16") == 0;
}

static void check_weights(const Options *o, struct argp_state *state)
{
    if (o->weights && !o->library)
        usage_error(
            state,
            "--weights goes with --emit library; programs load their weights when they start");
    if (!o->weights && (o->weights_as || o->weights_type))
        usage_error(state, "%s goes with --weights FILE",
                    o->weights_as ? "--weights-as" : "--weights-type");
    if (options_want_half(o) && !o->no_training)
        usage_error(
            state, "--weights-type f16 goes with --no-training: training wants weights in float32");
}

static void check_command(const Options *o, struct argp_state *state)
{
    if (o->list || o->expand) {
        if (o->graph)
            usage_error(state, "--list and --expand want no graph file");
        return;
    }
    if (!o->graph)
        usage_error(state, "which graph? for example: caec graphs/cae.lua -o generated/");
    if (!o->library && (o->no_training || o->small || o->stream))
        usage_error(state, "%s goes with --emit library",
                    o->small    ? "--optimize size"
                    : o->stream ? "--stream"
                                : "--no-training");
    if (o->library && o->real && strcmp(o->real, "double") == 0)
        usage_error(state, "--emit library computes in float; leave --real double out");
    check_weights(o, state);
    if (o->memory_limit && o->no_training)
        usage_error(state, "--memory-limit is about training, which --no-training leaves out");
    if (!o->library && !o->target->hosted && (o->directory || o->tune))
        usage_error(state, "--target %s: there are no programs for it; add --emit library",
                    o->target->name);
    if (o->dump && o->stop && pipeline_place(o->dump) > pipeline_place(o->stop))
        usage_error(state, "--dump %s: it comes after %s, where --stop-after ends", o->dump,
                    o->stop);
    if (!o->directory && !o->summary && !o->dump && !o->stop && !o->dot && !o->memory && !o->tune)
        usage_error(
            state,
            "nothing to do: give -o DIR, or one of --summary, --memory, --dump, --dot, --tune");
}

/* Of an option that is given twice the last word counts, as scripts rely on to override their
 * defaults; it is said, for it may be an oversight. */
static void note_word(const struct argp_state *state, int key, const char *word)
{
    static const char *words[sizeof option_table / sizeof option_table[0]];
    size_t i = 0;
    while (option_table[i].key != key)
        i++;
    if (words[i] && strcmp(words[i], word) != 0 && key != KEY_KERNEL)
        usage_warning(state, "%s%s is given twice, as %s and as %s; the last counts",
                      key == 'o' ? "-" : "--", key == 'o' ? "o" : option_table[i].name, words[i],
                      word);
    words[i] = word;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    Options *o = state->input;
    if (key == ARGP_KEY_ARG) {
        if (arg[strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '=' && arg[0] != '='
            && o->expand_count < MAX_EXPAND)
            o->expand_numbers[o->expand_count++] = arg;
        else if (!o->graph)
            o->graph = arg;
        else
            usage_error(state, "one graph file at a time: %s or %s?", o->graph, arg);
        return 0;
    }
    if (key == ARGP_KEY_END) {
        if (o->expand_count && !o->expand)
            usage_error(state, "what is '%s'? NAME=NUMBER goes with --expand",
                        o->expand_numbers[0]);
        check_command(o, state);
        return 0;
    }
    if (key != 'o' && key < KEY_TARGET)
        return ARGP_ERR_UNKNOWN;
    if (key > 0x1000000)
        return ARGP_ERR_UNKNOWN;
    if (arg)
        note_word(state, key, arg);
    set_option(o, key, arg, state);
    return 0;
}

void options_read(Options *options, int argc, char **argv)
{
    const struct argp argp = { option_table, parse_option, "GRAPH.lua", doc, NULL, NULL, NULL };
    *options = (Options){ .target = target_find("native") };
    argp_err_exit_status = EXIT_USAGE;
    standard_streams_watch("caec: error: cannot write the output");
    usage_parse(&argp, argc, argv, options);
    standard_streams_unwatch();
}
