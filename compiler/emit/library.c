#include "library.h"

#include "../base/arena.h"
#include "../base/table.h"
#include "../ops/ops.h"
#include "../program/print.h"
#include "emit.h"
#include "emitter.h"
#include "holes.h"
#include "library_weights.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "lr, beta1, ...": the numbers of all optimizers, each once, as model.h's ModelOptimizer has
   them. */
static const char *all_numbers(void)
{
    Table seen = { 0 };
    Text text = { 0 };
    for (int i = 0; optimizer_specs[i]; i++)
        for (const ArgSpec *arg = optimizer_specs[i]->args; arg->name; arg++)
            if (table_find(&seen, arg->name) < 0) {
                text_add(&text, "%s%s", text.data ? ", " : "", arg->name);
                table_add(&seen, arg->name, i);
            }
    return text.data;
}

/* The decimals of what a value of the optimizer starts at; "": at 0. */
static const char *start_text(const Choice *optimizer, int i)
{
    const double start = optimizer_start(optimizer, i);
    return start != 0 ? shortest(start) : "";
}

/* model.optimizer: its name; the decimals of its numbers, by name, and of those after lr as an
   initializer; the values that it keeps of a parameter, and what they start at. */
static void set_optimizer(lua_State *L, const Choice *choice)
{
    const ChoiceSpec *spec = optimizer_find(choice->word);
    Text numbers = { 0 };
    lua_newtable(L);
    set_text(L, "name", choice->word);
    set_text(L, "all_numbers", all_numbers());
    for (int i = 0; spec->args[i].name; i++) {
        const char *number = shortest(choice->number[i]);
        set_text(L, spec->args[i].name, number);
        if (i > 0)
            text_add(&numbers, ", .%s = %s", spec->args[i].name, number);
    }
    set_text(L, "numbers", numbers.data ? numbers.data : "");
    lua_newtable(L);
    for (int i = 0; spec->states[i].name; i++) {
        lua_newtable(L);
        set_text(L, "name", spec->states[i].name);
        set_bool(L, "kept", optimizer_keeps(choice, i));
        set_text(L, "start", start_text(choice, i));
        append_item(L);
    }
    lua_setfield(L, -2, "states");
    lua_setfield(L, -2, "optimizer");
    set_number(L, "learning_rate", choice->number[0]);
}

/* The optimizer, and which of the values it keeps that it keeps with some numbers alone. */
static const char *optimizer_mark(const Choice *choice)
{
    const ChoiceSpec *spec = optimizer_find(choice->word);
    const char *mark = choice->word;
    for (int i = 0; spec->states[i].name; i++)
        if (spec->states[i].where && optimizer_keeps(choice, i))
            mark = arena_format("%s with %s", mark, spec->states[i].name);
    return mark;
}

/* What stands at the start of a block that was opened, so that a library refuses those of others:
   64 bits from its name and from all that the block's places depend on. */
static const char *mark_of(const char *block, const Plan *plan, const EmitOptions *options)
{
    const Graph *graph = plan->graph;
    Text text = { 0 };
    text_add(&text, "%s of %s: caec %s, graph %s, %s, target %s, weights of %d bytes%s\n", block,
             graph->name, options->version, options->fingerprint,
             optimizer_mark(&graph->training.optimizer), plan->settings.target->name,
             settings_weight_bytes(&plan->settings), options->options);
    plan_print_memory(&text, plan);
    for (int i = 0; i < plan->packing_count; i++)
        text_add(&text, "%s at %zu: %zu of kind %s\n", plan->packings[i]->name,
                 plan->packings[i]->offset, plan->packings[i]->count,
                 plan->packings[i]->kind->name);
    return text_fingerprint(&text);
}

/* The holes that programs have no use for; the table is at the top. */
static void set_library(lua_State *L, const Plan *plan, const EmitOptions *options)
{
    const Training *t = &plan->graph->training;
    set_optimizer(L, &t->optimizer);
    set_text(L, "loss", t->loss.text);
    set_text(L, "stream_mark", mark_of("stream", plan, options));
    set_text(L, "training_mark", mark_of("training", plan, options));
    set_bool(L, "averages", t->ema > 0);
    set_text(L, "clip_norm", t->clip_norm > 0 ? shortest(t->clip_norm) : "");
    set_text(L, "global_clip_norm", t->global_clip_norm > 0 ? shortest(t->global_clip_norm) : "");
    set_text(L, "clip_value", t->clip_value > 0 ? shortest(t->clip_value) : "");
    set_bool(L, "trains", !plan->settings.no_training);
    set_bool(L, "small", plan->settings.small);
    set_bool(L, "apart", plan_packings_apart(plan));
    set_bool(L, "prepares", !plan->settings.baked || !plan->settings.no_training);
    set_bool(L, "assembles", plan->settings.baked && !options->weights_as_c);
}

/* A block of so many bytes must fit into memory whose addresses are 32 bits: its number in the
   header would be cut off there. */
static void check_block(const Plan *plan, const char *name, double bytes)
{
    const Graph *graph = plan->graph;
    const char *floats = strcmp(name, "LATENT") == 0 || strcmp(name, "OUTPUT") == 0
                                 || strcmp(name, "PARAMETER") == 0
                             ? "FLOATS"
                             : "BYTES";
    if (bytes > INT32_MAX)
        fail(
            graph->loc,
            "autoencoder: %s_%s_%s stands for %.0f bytes, and with --target %s a block has at most "
            "%d; make the image or layers smaller%s",
            upper(graph->name), name, floats, bytes, plan->settings.target->name, INT32_MAX,
            strcmp(name, "TRAIN") == 0 ? ", or leave training out (--no-training)" : "");
}

static void check_blocks(Emitter *e)
{
    if (e->plan->settings.target->pointer_bits != 32)
        return;
    lua_pushvalue(e->L, 2);
    Text blocks = template_expand(e->L, "library_blocks.in");
    lua_pop(e->L, 3);
    char name[20];
    double bytes;
    for (const char *line = blocks.data; sscanf(line, "%19s %lf", name, &bytes) == 2;
         line = strchr(line, '\n') + 1)
        check_block(e->plan, name, bytes);
}

void emit_library(const Plan *plan, const EmitOptions *options)
{
    const char *name = plan->graph->name;
    Emitter e = emitter_open(plan, options);
    emitter_kernels(&e);
    emitter_programs(&e);
    lua_pushvalue(e.L, 2);
    set_library(e.L, plan, options);
    lua_pop(e.L, 1);
    check_blocks(&e);
    emitter_skeleton(&e, "kernels.h.in", arena_format("%s_kernels.h", name));
    emitter_skeleton(&e, "math.h.in", arena_format("%s_math.h", name));
    emitter_skeleton(&e, "library_private.h.in", arena_format("%s_private.h", name));
    emitter_skeleton(&e, "library.h.in", arena_format("%s.h", name));
    if (!plan->settings.stream || !plan->settings.baked || !plan->settings.no_training)
        emitter_skeleton(&e, "library.c.in", arena_format("%s.c", name));
    emitter_skeleton(&e, "supported.c.in", arena_format("%s_supported.c", name));
    if (plan->settings.baked)
        emitter_weights(&e);
    if (plan->settings.stream)
        emitter_skeleton(&e, "library_stream.c.in", arena_format("%s_stream.c", name));
    if (!plan->settings.no_training) {
        emitter_skeleton(&e, "library_train.c.in", arena_format("%s_train.c", name));
        emitter_copy(&e, "runtime/compute/rules.h", arena_format("%s_rules.h", name));
    }
    emitter_skeleton(&e, "library_example.c.in", "example.c");
    emitter_skeleton(&e, "library_CMakeLists.txt.in", "CMakeLists.txt");
    emitter_skeleton(&e, "library_README.md.in", "README.md");
    emitter_save(&e);
}
