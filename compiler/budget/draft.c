#include "draft.h"

#include "../base/arena.h"
#include "../program/functions.h"
#include "../program/memory.h"
#include "../program/microbatch.h"
#include "../program/training.h"
#include "variants.h"

#include <stdint.h>
#include <string.h>

enum { MICROBATCHES = 8, ALIGNMENT = 64 }; /* powers of two that a microbatch may have */

struct Drafts {
    Variants *variants;
    const Variant **chosen; /* by name, while a draft is made: what its savings want; NULL: the
                               base's */
    const Step **slots;     /* by core, empty but while steps are put in order */
    Plan *kept;             /* the plan of the draft that draft_make made last */
    double work;
    size_t (*bytes)[MICROBATCHES]; /* of each program of the base; 0: not worked out yet */
};

Drafts *drafts_open(const Plan *plain)
{
    Drafts *d = ARENA_NEW(Drafts);
    d->variants = variants_open(plain);
    d->chosen = ARENA_ARRAY(const Variant *, d->variants->name_count + 1);
    d->slots = ARENA_ARRAY(const Step *, plain->graph->count);
    d->bytes = arena_alloc(sizeof *d->bytes * (size_t)d->variants->program_count);
    return d;
}

/* ---- steps ---- */

/* Sets d->chosen for the savings; what is not known yet is planned here, so that it stays. */
static void choose_variants(Drafts *d, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++) {
        const MemorySaving *c = &savings[i];
        if (c->kind != SAVING_KERNEL)
            continue;
        const int name = d->variants->name_of[c->core->id];
        const Variant *now = d->chosen[name];
        const Kernel *forward = now ? now->forward : NULL, *backward = now ? now->backward : NULL;
        d->chosen[name] = variant_find(d->variants, name, c->backward ? forward : c->kernel,
                                       c->backward ? c->kernel : backward);
    }
}

static void forget_variants(Drafts *d, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++)
        if (savings[i].kind == SAVING_KERNEL)
            d->chosen[d->variants->name_of[savings[i].core->id]] = NULL;
}

/* Puts the steps of the chosen variants at their places in d->slots; returns how many there are, or
   more. */
static int fill_slots(Drafts *d, int p, const MemorySaving *savings, int count)
{
    int all = 0;
    for (int i = 0; i < count; i++) {
        const Variant *v = savings[i].kind == SAVING_KERNEL
                               ? d->chosen[d->variants->name_of[savings[i].core->id]]
                               : NULL;
        for (int k = 0; v && k < v->count[p]; k++)
            d->slots[v->steps[p][k]->core->id] = v->steps[p][k];
        all += v ? v->count[p] : 0;
    }
    return all;
}

/* The steps of the program, before any saving but that of kernels; false where no kernel has
   changed. */
static bool set_steps(Drafts *d, Program *program, int p, const MemorySaving *savings, int count)
{
    const Graph *graph = d->variants->base->graph;
    const int more = fill_slots(d, p, savings, count);
    if (!more && program->result)
        return false; /* the base's own list */
    program->steps = ARENA_ARRAY(const Step *, d->variants->programs[p]->count + more + 1);
    if (!more) {
        memcpy(program->steps, d->variants->programs[p]->steps,
               sizeof *program->steps * (size_t)program->count);
        return false;
    }
    d->work += graph->count / 4.0;
    program->count = 0;
    for (int i = 0; i < graph->count; i++) {
        const Step *step = d->slots[i]                          ? d->slots[i]
                           : d->chosen[d->variants->name_of[i]] ? NULL
                                                                : d->variants->steps[p][i];
        d->slots[i] = NULL;
        if (!step)
            continue;
        program->steps[program->count++] = step;
        if (node_is_loss(step->core))
            program->forward_count = program->count;
    }
    return true;
}

/* Whether the blocks from which a packing made on use is turned are read by a step that was
   seen. */
static bool has_source(const Drafts *d, const bool *seen, const Packing *on_use)
{
    const DraftPacking *p = d->variants->packings[on_use->parameter->id];
    for (; p; p = p->next)
        if (seen[p->place] && p->packing->training == on_use->training && !p->packing->rotated
            && p->packing->kind == on_use->kind)
            return true;
    return false;
}

/* The step that makes its packing on use, where it is of a parameter of which that is wanted; NULL:
   the step stays as it is. */
static const Step *step_in_place(const Drafts *d, const DraftStep *step, const bool *on_use,
                                 const bool *seen)
{
    const Step *other = step->packed_on_use;
    return other && on_use[other->on_use->parameter->id] && has_source(d, seen, other->on_use)
               ? other
               : NULL;
}

/* Counts the step's packings that were not seen before, but for the one that is made on use. */
static void count_packings(Plan *plan, const DraftStep *step, const Packing *on_use, bool *seen)
{
    for (int i = 0; i < step->step.argument_count; i++) {
        const Packing *packing = step->step.arguments[i].packing;
        if (!packing || packing == on_use || seen[step->place[i]])
            continue;
        seen[step->place[i]] = true;
        plan_count_scaling(plan, packing);
        *(packing->training ? &plan->training_reals
                            : &plan->prepared_reals) += plan_packing_room(&plan->settings, packing);
    }
}

/* Counts the packings of the program's steps, and puts steps that make theirs on use in the place
   of those of which that is wanted. What is recomputed reads nothing that was not seen before. */
static void set_packings(const Drafts *d, Plan *plan, Program *program, const bool *on_use,
                         bool *seen)
{
    for (int i = 0; i < program->count; i++) {
        if (program->steps[i]->recomputes)
            continue;
        const DraftStep *step = draft_step(program->steps[i]);
        const Step *other = on_use && i >= program->forward_count
                                ? step_in_place(d, step, on_use, seen)
                                : NULL;
        count_packings(plan, step, other ? other->on_use : NULL, seen);
        if (other)
            program->steps[i] = other;
    }
}

/* The same programs in memory of the draft's own. */
static Plan *copy_base(const Drafts *d, const MemorySaving *savings, int count)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = *d->variants->base;
    plan->stages = ARENA_ARRAY(Program, plan->stage_count + 1);
    plan->previews = ARENA_ARRAY(Program, plan->stage_count + 1);
    plan->evaluations = ARENA_ARRAY(Program, plan->stage_count + 1);
    for (int i = 0; i < plan->stage_count; i++) {
        plan->stages[i] = d->variants->base->stages[i];
        plan->previews[i] = d->variants->base->previews[i];
        if (d->variants->base->evaluations)
            plan->evaluations[i] = d->variants->base->evaluations[i];
    }
    savings_set(plan, savings, count);
    return plan;
}

static const Step *recomputed(const Step *step)
{
    const Step *again = draft_step(step)->recomputed;
    if (!again)
        bug("%s is not of the forward half, so nothing recomputes it", step->core->name);
    return again;
}

/* All but the memory; changed[p]: program p is not that of the base. */
static Plan *draft_steps(Drafts *d, const MemorySaving *savings, int count, bool *changed)
{
    Plan *plan = copy_base(d, savings, count);
    const bool *on_use = savings_on_use(plan->graph, savings, count);
    bool *seen = ARENA_ARRAY(bool, d->variants->packing_count + 1);
    Program **programs;
    plan_programs(plan, &programs);
    for (int p = 0; p < d->variants->program_count; p++) {
        if (programs[p]->rings)
            continue;
        const bool kernels = set_steps(d, programs[p], p, savings, count),
                   training = !programs[p]->result;
        d->work += programs[p]->count;
        changed[p] = kernels || (training && count > 0);
        if (training)
            savings_order(plan->graph, programs[p], savings, count, recomputed);
        set_packings(d, plan, programs[p], training ? on_use : NULL, seen);
    }
    plan_end_prepared(plan);
    return plan;
}

/* ---- memory ---- */

/* How little and how much the memory of the programs can come to, whatever offsets the buffers get;
   where the program is the base's, its bytes are known. */
typedef struct Range {
    size_t least, most;
} Range;

static int log_of(int microbatch)
{
    int log = 0;
    while (microbatch >> (log + 1))
        log++;
    return log;
}

/* Buffers of all programs for the plan's microbatch, without offsets; what is known of the base is
   taken from there. */
static Range find_range(Drafts *d, const Plan *plan, Program **programs, const bool *changed)
{
    Range range = { 0, 0 };
    for (int p = 0; p < d->variants->program_count; p++) {
        Program *program = programs[p];
        if (program->rings)
            continue;
        const size_t known = changed[p] ? 0 : d->bytes[p][log_of(plan->microbatch)];
        program->bytes = known;
        size_t most = known;
        if (!known) {
            plan_segments(program);
            plan_lives(plan, program);
            program->bytes = plan_least_bytes(program);
            for (int i = 0; i < program->buffer_count; i++)
                most += program->buffers[i].bytes + ALIGNMENT;
        }
        range.least = program->bytes > range.least ? program->bytes : range.least;
        range.most = most > range.most ? most : range.most;
    }
    return range;
}

/* In steps' time: each buffer is held against more others the more there are. */
static double work_of_offsets(int buffers)
{
    return buffers * (8 + buffers / 64.0);
}

static void set_offsets(Drafts *d, const Plan *plan, Program **programs, const bool *changed)
{
    for (int p = 0; p < d->variants->program_count; p++) {
        if (programs[p]->rings || (!changed[p] && d->bytes[p][log_of(plan->microbatch)]))
            continue;
        plan_offsets(programs[p]);
        d->work += work_of_offsets(programs[p]->buffer_count);
        if (!changed[p])
            d->bytes[p][log_of(plan->microbatch)] = programs[p]->bytes;
    }
}

/* As plan_microbatch() does. Where training takes `bound` bytes whatever the offsets are, these are
   not sought; then false. */
static bool set_memory(Drafts *d, Plan *plan, const bool *changed, size_t bound)
{
    Program **programs;
    plan_programs(plan, &programs);
    for (plan->microbatch = plan_first_microbatch(plan);; plan->microbatch /= 2) {
        const Range range = find_range(d, plan, programs, changed);
        const bool last = plan->microbatch <= MIN_MICROBATCH || range.most <= MICROBATCH_BYTES;
        if (last && plan_training_bytes(plan, 1) >= bound)
            return false;
        if (!last && range.least > MICROBATCH_BYTES)
            continue;
        set_offsets(d, plan, programs, changed);
        size_t most = 0;
        for (int p = 0; p < d->variants->program_count; p++)
            most = programs[p]->bytes > most ? programs[p]->bytes : most;
        if (last || most <= MICROBATCH_BYTES)
            return true;
    }
}

static Draft finish(Drafts *d, const MemorySaving *savings, int count, size_t bound)
{
    bool *changed = ARENA_ARRAY(bool, d->variants->program_count);
    Plan *plan = draft_steps(d, savings, count, changed);
    const bool exact = set_memory(d, plan, changed, bound);
    return (Draft){ .plan = plan,
                    .bytes = plan_training_bytes(plan, 1),
                    .exact = exact,
                    .cost = plan_training_cost(plan) };
}

static void keep_steps(const Graph *graph, Program *kept, const Program *program)
{
    const Step **steps = kept->steps ? kept->steps
                                     : ARENA_ARRAY(const Step *, graph->count + DRAFT_SAVINGS);
    *kept = (Program){ .name = program->name,
                       .stage = program->stage,
                       .count = program->count,
                       .forward_count = program->forward_count,
                       .steps = steps };
    memcpy(steps, program->steps, sizeof *steps * (size_t)program->count);
}

/* A mark cannot be under what stays, so there is one plan that takes over what is looked at of a
   draft: the steps of training, and numbers. */
static Plan *kept_plan(Drafts *d)
{
    if (!d->kept) {
        d->kept = ARENA_NEW(Plan);
        *d->kept = *d->variants->base;
        d->kept->train = (Program){ .name = "train" };
        d->kept->stages = ARENA_ARRAY(Program, d->variants->base->stage_count + 1);
        keep_steps(d->variants->base->graph, &d->kept->train, &d->variants->base->train);
        for (int i = 0; i < d->variants->base->stage_count; i++)
            keep_steps(d->variants->base->graph, &d->kept->stages[i],
                       &d->variants->base->stages[i]);
    }
    return d->kept;
}

double drafts_work(const Drafts *d)
{
    return d->work;
}

Draft draft_make(Drafts *d, const MemorySaving *savings, int count)
{
    Plan *kept = kept_plan(d);
    choose_variants(d, savings, count);
    const ArenaMark mark = arena_mark();
    Draft draft = finish(d, savings, count, SIZE_MAX);
    kept->microbatch = draft.plan->microbatch;
    keep_steps(d->variants->base->graph, &kept->train, &draft.plan->train);
    for (int i = 0; i < kept->stage_count; i++)
        keep_steps(d->variants->base->graph, &kept->stages[i], &draft.plan->stages[i]);
    arena_release(mark);
    forget_variants(d, savings, count);
    draft.plan = kept;
    return draft;
}

Draft draft_try(Drafts *d, const MemorySaving *savings, int count, size_t bound)
{
    choose_variants(d, savings, count);
    const ArenaMark mark = arena_mark();
    Draft draft = finish(d, savings, count, bound);
    arena_release(mark);
    forget_variants(d, savings, count);
    draft.plan = NULL;
    return draft;
}

bool draft_differs(Drafts *d, const MemorySaving *savings, int count)
{
    const int name = d->variants->name_of[savings[count - 1].core->id];
    choose_variants(d, savings, count - 1);
    const Variant *before = d->chosen[name] ? d->chosen[name]
                                            : variant_find(d->variants, name, NULL, NULL);
    choose_variants(d, &savings[count - 1], 1);
    const bool differs = d->chosen[name] != before;
    forget_variants(d, savings, count);
    return differs;
}
