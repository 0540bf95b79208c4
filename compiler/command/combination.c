#include "combination.h"

#include "../passes/pipeline.h"

#include <string.h>

static void check_weights(const Options *o, const struct argp_state *state)
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

/* What goes with a program, and what with a library. */
static void check_kind(const Options *o, const struct argp_state *state)
{
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
}

void combination_check(const Options *o, const struct argp_state *state)
{
    if (o->expand_count && !o->expand)
        usage_error(state, "what is '%s'? NAME=NUMBER goes with --expand", o->expand_numbers[0]);
    if ((o->list || o->expand) && o->graph)
        usage_error(state, "--list and --expand want no graph file");
    if (o->list || o->expand)
        return;
    if (!o->graph)
        usage_error(state, "which graph? for example: caec graphs/cae.lua -o generated/");
    check_kind(o, state);
    if (o->dump && o->stop && pipeline_place(o->dump) > pipeline_place(o->stop))
        usage_error(state, "--dump %s: it comes after %s, where --stop-after ends", o->dump,
                    o->stop);
    if (!o->directory && !o->summary && !o->dump && !o->stop && !o->dot && !o->memory && !o->tune)
        usage_error(
            state,
            "nothing to do: give -o DIR, or one of --summary, --memory, --dump, --dot, --tune");
}
