/* caec: a Lua description of an autoencoder in, C out. This file is the table of contents: the
   options and the list of passes. */
#include "../runtime/formats/standard_streams.h"
#include "base/arena.h"
#include "base/lua.h"
#include "base/signals.h"
#include "budget/make.h"
#include "emit/library.h"
#include "emit/model.h"
#include "emit/summary.h"
#include "front/load.h"
#include "front/sample.h"
#include "front/trained.h"
#include "ir/check.h"
#include "ir/print.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "program/print.h"
#include "tune/tune.h"
#include "../runtime/formats/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CAEC_VERSION
#define CAEC_VERSION "0.1.0"
#endif

/* The pipeline, the --dump and --stop-after names, and the --list text at once. `load` comes before
   and `plan` after. */
static const struct {
    const char *name;
    void (*run)(Graph *graph);
    const char *about;
} passes[] = {
    { "split_inference", pass_split_inference,
      "give inference a path without the layers that are active in training alone" },
    { "stages", pass_stages, "give each stage of training a copy of its layers and a loss" },
    { "fold", pass_fold, "take nearest upsampling into the convolution or loss that reads it" },
    { "differentiate", pass_differentiate,
      "append the gradient of the loss with respect to every parameter" },
    { "commute", pass_commute,
      "exchange the gradients of an activation and the max-pool after it" },
    { "drop", pass_drop, "drop nodes that nothing needs" },
    { "fuse", pass_fuse,
      "find the fusions: a core operator, its epilogue, and the backward half of both" },
};
enum { PASS_COUNT = sizeof passes / sizeof passes[0], MAX_FORCES = 64, MAX_EXPAND = 32 };

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

typedef struct Options {
    const char *graph, *directory, *dump, *stop, *list, *expand, *real, *tune, *tuned, *weights,
        *weights_as, *weights_type;
    const Target *target;
    Force forces[MAX_FORCES];
    int force_count;
    const char *expand_numbers[MAX_EXPAND];
    int expand_count;
    bool summary, dot, memory, no_runtime, library, no_training, small, stream, force;
    size_t memory_limit; /* 0: none */
    Text given;          /* options that change the output */
} Options;

/* ---- the command line ---- */

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

const char *argp_program_version = "caec " CAEC_VERSION;

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

/* Where the pass stands in the pipeline; -1: nowhere. */
static int pass_place(const char *name)
{
    if (strcmp(name, "load") == 0)
        return 0;
    for (int i = 0; i < PASS_COUNT; i++)
        if (strcmp(passes[i].name, name) == 0)
            return i + 1;
    return strcmp(name, "plan") == 0 ? PASS_COUNT + 1 : -1;
}

/* An option's word, which must be one of two. */
static const char *one_of(const struct argp_state *state, const char *option, const char *word,
                          const char *a, const char *b)
{
    if (strcmp(word, a) != 0 && strcmp(word, b) != 0)
        usage_error(state, "%s wants %s or %s, not '%s'", option, a, b, word);
    return word;
}

static void set_option(Options *o, int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case 'o':
        o->directory = arg;
        if (!*arg)
            usage_error(state, "-o wants a folder, not an empty name");
        break;
    case KEY_TARGET:
        o->target = target_find(arg);
        if (!o->target)
            usage_error(state, "--target: there is no target '%s'; see --list targets", arg);
        break;
    case KEY_REAL: o->real = one_of(state, "--real", arg, "float", "double"); break;
    case KEY_DUMP:
    case KEY_STOP:
        *(key == KEY_DUMP ? &o->dump : &o->stop) = arg;
        if (pass_place(arg) < 0)
            usage_error(state, "there is no pass '%s'; see --list passes", arg);
        break;
    case KEY_LIST:
        o->list = arg;
        if (strcmp(arg, "passes") != 0 && strcmp(arg, "ops") != 0 && strcmp(arg, "kernels") != 0
            && strcmp(arg, "targets") != 0)
            usage_error(state, "--list wants passes, ops, kernels or targets, not '%s'", arg);
        break;
    case KEY_EXPAND:
        o->expand = arg;
        if (!kernel_find(arg))
            usage_error(state, "--expand: there is no kernel '%s'; see --list kernels", arg);
        break;
    case KEY_TUNE: o->tune = arg; break;
    case KEY_TUNED: o->tuned = arg; break;
    case KEY_KERNEL: add_force(o, state, arg); break;
    case KEY_SUMMARY: o->summary = true; break;
    case KEY_MEMORY: o->memory = true; break;
    case KEY_DOT: o->dot = true; break;
    case KEY_EMIT:
        o->library = strcmp(one_of(state, "--emit", arg, "program", "library"), "library") == 0;
        break;
    case KEY_OPTIMIZE:
        o->small = strcmp(one_of(state, "--optimize", arg, "speed", "size"), "size") == 0;
        break;
    case KEY_MEMORY_LIMIT:
        o->memory_limit = read_bytes(state, "--memory-limit", arg);
        text_add(&o->given, " --memory-limit %s", arg);
        break;
    case KEY_STREAM: o->stream = true; break;
    case KEY_WEIGHTS: o->weights = arg; break;
    case KEY_WEIGHTS_AS: o->weights_as = one_of(state, "--weights-as", arg, "incbin", "c"); break;
    case KEY_WEIGHTS_TYPE:
        o->weights_type = one_of(state, "--weights-type", arg, "f32", "f16");
        break;
    case KEY_NO_TRAINING: o->no_training = true; break;
    case KEY_NO_RUNTIME: o->no_runtime = true; break;
    case KEY_FORCE: o->force = true; break;
    default: break;
    }
}

static bool wants_half(const Options *o)
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
    if (wants_half(o) && !o->no_training)
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
    if (o->dump && o->stop && pass_place(o->dump) > pass_place(o->stop))
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

/* ---- lists ---- */

static void list_word(const char *kind, const char *word, const char *about, const ArgSpec *args)
{
    const char *text = args ? args_text(args) : NULL;
    printf("%-9s %-18s %s%s%s%s\n", kind, word, about, text ? " { " : "", text ? text : "",
           text ? " }" : "");
}

static void list(const char *what)
{
    if (strcmp(what, "passes") == 0) {
        printf("%-14s run the graph file and build its nodes\n", "load");
        for (int i = 0; i < PASS_COUNT; i++)
            printf("%-14s %s\n", passes[i].name, passes[i].about);
        printf("%-14s choose kernels, order and memory\n", "plan");
    } else if (strcmp(what, "ops") == 0) {
        for (int i = 0; layer_specs[i]; i++)
            list_word("layer", layer_specs[i]->word, layer_specs[i]->about, layer_specs[i]->args);
        for (int i = 0; loss_specs[i]; i++)
            list_word("loss", loss_specs[i]->word, loss_specs[i]->about, NULL);
        for (int i = 0; optimizer_specs[i]; i++)
            list_word("optimizer", optimizer_specs[i]->word, optimizer_specs[i]->about,
                      optimizer_specs[i]->args);
        for (int i = 0; schedule_specs[i]; i++)
            list_word("schedule", schedule_specs[i]->word, schedule_specs[i]->about,
                      schedule_specs[i]->args);
        for (int i = 0; all_ops[i]; i++)
            printf("operator  %s\n", all_ops[i]->name);
    } else if (strcmp(what, "kernels") == 0) {
        for (int i = 0; all_kernels[i]; i++)
            printf("%-14s %s\n", all_kernels[i]->name, all_kernels[i]->about);
    } else {
        for (int i = 0; i < target_count; i++)
            printf("%-12s %3d-bit vectors  tested: %-16s %s\n", targets[i].name,
                   targets[i].vector_bytes * 8, targets[i].tested, targets[i].about);
        printf("%-12s here: %s\n", "native", target_find("native")->name);
    }
}

/* ---- compiling ---- */

static void show(const Text *text)
{
    fwrite(text->data ? text->data : "", 1, text->length, stdout);
}

static void dump(const Options *o, const char *pass, const Graph *graph)
{
    if (!o->dump || strcmp(o->dump, pass) != 0)
        return;
    Text text = { 0 };
    print_graph(&text, graph);
    show(&text);
}

/* Runs the passes; false where --stop-after says to stop. */
static bool run_passes(const Options *o, Graph *graph)
{
    check_graph(graph, "load");
    dump(o, "load", graph);
    if (o->stop && strcmp(o->stop, "load") == 0)
        return false;
    for (int i = 0; i < PASS_COUNT; i++) {
        passes[i].run(graph);
        check_graph(graph, passes[i].name);
        dump(o, passes[i].name, graph);
        if (o->stop && strcmp(o->stop, passes[i].name) == 0)
            return false;
    }
    return true;
}

static void show_plan(const Options *o, const Plan *plan)
{
    Text text = { 0 };
    if (o->dump && strcmp(o->dump, "plan") == 0)
        plan_print(&text, plan);
    else
        text_add(&text, "%s", plan->limit_report);
    if (o->memory)
        plan_print_memory(&text, plan);
    show(&text);
}

static void compile(Options *o)
{
    Graph *graph = load_graph(o->graph);
    const char *fingerprint = print_fingerprint(graph);
    Text text = { 0 };
    if (o->summary)
        emit_summary(&text, graph);
    if (o->dot)
        print_dot(&text, graph);
    show(&text);
    bool more = o->directory || o->dump || o->stop || o->memory || o->tune;
    if (!more || !run_passes(o, graph))
        return;
    Settings settings = { .target = o->target,
                          .real_double = o->real && strcmp(o->real, "double") == 0 };
    const Tuning *tuning = o->tuned ? tuning_read(o->tuned) : NULL;
    if (o->tune) {
        tuning = tune_measure(graph, settings, CAEC_VERSION);
        const Text measured = tuning_text(tuning);
        text_save(o->tune, &measured);
    }
    settings.library = o->library; /* what is measured are the programs' kernels */
    settings.no_training = o->no_training;
    settings.small = o->small;
    settings.memory_limit = o->memory_limit;
    settings.stream = o->stream;
    settings.baked = o->weights;
    settings.half = wants_half(o);
    Plan *plan = plan_make(graph, settings, o->forces, o->force_count, tuning);
    show_plan(o, plan);
    if (!o->directory || (o->stop && strcmp(o->stop, "plan") == 0))
        return;
    const EmitOptions options = { .directory = o->directory,
                                  .version = CAEC_VERSION,
                                  .fingerprint = fingerprint,
                                  .options = o->given.data ? o->given.data : "",
                                  .runtime = !o->no_runtime,
                                  .force = o->force,
                                  .trained = o->weights ? trained_read(o->weights, graph) : NULL,
                                  .weights_as_c = o->weights_as
                                                  && strcmp(o->weights_as, "c") == 0 };
    (o->library ? emit_library : emit_model)(plan, &options);
}

static void expand(Options *o)
{
    static const char *const directions[] = { "forward", "dX", "dW" };
    Sample sample = sample_default;
    long direction = 0;
    for (int i = 0; i < o->expand_count; i++) {
        char *end, *equals = strchr(o->expand_numbers[i], '=');
        const char *name = arena_copy(o->expand_numbers[i],
                                      (size_t)(equals - o->expand_numbers[i]));
        long value = strtol(equals + 1, &end, 10);
        for (int k = 0; k < i; k++)
            if (strncmp(o->expand_numbers[k], name, strlen(name)) == 0
                && o->expand_numbers[k][strlen(name)] == '=')
                fail_with(EXIT_USAGE, "--expand: %s is given twice; give it once", name);
        if (end == equals + 1 || *end || value < 0 || value > MAX_SIDE)
            fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 0 to %d", name, MAX_SIDE);
        /* PASS: its name in earlier versions */
        if ((strcmp(name, "DIRECTION") == 0 || strcmp(name, "PASS") == 0) && value <= 2)
            direction = value;
        else if (!sample_set(&sample, name, (int)value))
            fail_with(EXIT_USAGE, "--expand: there is no number '%s'; see --help",
                      o->expand_numbers[i]);
    }
    sample_check(&sample);
    bool conv = strncmp(o->expand, "conv_", 5) == 0, dense = strncmp(o->expand, "dense_", 6) == 0;
    const char *layer = dense ? "sample.dense" : "sample.conv";
    bool stream = kernel_find(o->expand)->rows;
    Graph *graph = sample_graph(&sample, dense    ? SAMPLE_DENSE
                                         : stream ? SAMPLE_STREAM
                                                  : SAMPLE_CONV);
    run_passes(o, graph);
    Settings settings = { .target = o->target,
                          .real_double = o->real && strcmp(o->real, "double") == 0,
                          .stream = stream };
    Force force = { .fusion = layer,
                    .kernel = conv || dense ? o->expand : "conv_plain",
                    .used = true };
    Plan *plan = plan_make(graph, settings, &force, 1, NULL);
    for (int i = 0; i < plan->function_count; i++) {
        const Step *step = plan->functions[i];
        if (strcmp(step->kernel->name, o->expand) != 0
            || !strstr(step->direction, directions[direction]))
            continue;
        if ((conv || dense) && strcmp(step->layer, layer) != 0)
            continue;
        Text text = { 0 };
        emit_function(&text, plan, step);
        show(&text);
        return;
    }
    fail_with(EXIT_USAGE, "--expand: %s does not compute %s for these numbers", o->expand,
              directions[direction]);
}

int main(int argc, char **argv)
{
    Options options = { .target = target_find("native") };
    const struct argp argp = { option_table, parse_option, "GRAPH.lua", doc, NULL, NULL, NULL };
    standard_streams_open();
    signals_catch();
    argp_err_exit_status = EXIT_USAGE;
    standard_streams_watch("caec: error: cannot write the output");
    usage_parse(&argp, argc, argv, &options);
    standard_streams_unwatch();
    if (options.list)
        list(options.list);
    else if (options.expand)
        expand(&options);
    else
        compile(&options);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail_with(EXIT_FILE, "cannot write the output");
    arena_free_all();
    return EXIT_DONE;
}
