#include "options.h"

#include "../../runtime/formats/standard_streams.h"
#include "../base/arena.h"
#include "../base/diag.h"
#include "../kernels/kernel.h"
#include "../passes/pipeline.h"
#include "combination.h"
#include "list.h"
#include "option_table.h"

#include <stdlib.h>
#include <string.h>

/* "encoder.conv1.dx=conv_plain" */
static Force read_force(const struct argp_state *state, const char *arg)
{
    const char *equals = strchr(arg, '=');
    if (!equals || equals == arg || !equals[1]) {
        usage_error(state, "--kernel wants LAYER[.DIRECTION]=NAME, not '%s'", arg);
        return (Force){ 0 };
    }
    const char *layer = arena_copy(arg, (size_t)(equals - arg)), *dot = strrchr(layer, '.');
    Force force = { .fusion = layer, .kernel = equals + 1 };
    if (dot
        && (strcmp(dot, ".forward") == 0 || strcmp(dot, ".dx") == 0 || strcmp(dot, ".dw") == 0)) {
        force.direction = dot + 1;
        force.fusion = arena_copy(layer, (size_t)(dot - layer));
    }
    if (!kernel_find(force.kernel))
        usage_error(state, "--kernel: there is no kernel '%s'; see --list kernels", force.kernel);
    return force;
}

static bool same_place(const Force *a, const Force *b)
{
    return strcmp(a->fusion, b->fusion) == 0
           && strcmp(a->direction ? a->direction : "", b->direction ? b->direction : "") == 0;
}

static void add_force(Options *options, const struct argp_state *state, const char *arg)
{
    const Force force = read_force(state, arg);
    for (int i = 0; i < options->force_count; i++)
        if (same_place(&options->forces[i], &force)
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
        if (!list_print(arg, false))
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

/* Of an option that is given twice the last word counts, as scripts rely on to override their
 * defaults; it is said, for it may be an oversight. */
static void note_word(const struct argp_state *state, int key, const char *word)
{
    static const char *words[KEY_END + 1];
    const char **last = &words[key];
    if (*last && strcmp(*last, word) != 0 && key != KEY_KERNEL)
        usage_warning(state, "%s%s is given twice, as %s and as %s; the last counts",
                      key == 'o' ? "-" : "--", key == 'o' ? "o" : option_name(key), *last, word);
    *last = word;
}

/* A word that is no option: a graph, or a number of --expand. */
static void add_word(Options *o, const struct argp_state *state, const char *word)
{
    if (word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '=' && word[0] != '='
        && o->expand_count < MAX_EXPAND)
        o->expand_numbers[o->expand_count++] = word;
    else if (!o->graph)
        o->graph = word;
    else
        usage_error(state, "one graph file at a time: %s or %s?", o->graph, word);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    Options *o = state->input;
    if (key == ARGP_KEY_ARG)
        add_word(o, state, arg);
    if (key == ARGP_KEY_END)
        combination_check(o, state);
    if (key == ARGP_KEY_ARG || key == ARGP_KEY_END)
        return 0;
    if (key != 'o' && (key < KEY_TARGET || key >= KEY_END))
        return ARGP_ERR_UNKNOWN;
    if (arg)
        note_word(state, key, arg);
    set_option(o, key, arg, state);
    return 0;
}

void options_read(Options *options, int argc, char **argv)
{
    const struct argp argp = {
        option_table, parse_option, "GRAPH.lua", option_doc, NULL, NULL, NULL
    };
    *options = (Options){ .target = target_find("native") };
    argp_err_exit_status = EXIT_USAGE;
    standard_streams_watch("caec: error: cannot write the output");
    usage_parse(&argp, argc, argv, options);
    standard_streams_unwatch();
}
