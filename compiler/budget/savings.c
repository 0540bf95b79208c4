#include "savings.h"

#include "../base/arena.h"
#include "../program/assemble.h"

#include <string.h>

static void add_force(Plan *plan, const char *fusion, const char *direction, const Kernel *kernel)
{
    plan->forces[plan->force_count++] = (Force){
        .fusion = fusion, .direction = direction, .kernel = kernel->name, .used = true
    };
}

void savings_force(Plan *plan, const MemorySaving *savings, int count)
{
    Force *forces = ARENA_ARRAY(Force, plan->force_count + 2 * count + 1);
    if (plan->force_count > 0)
        memcpy(forces, plan->forces, sizeof *forces * (size_t)plan->force_count);
    plan->forces = forces;
    for (int i = 0; i < count; i++) {
        const MemorySaving *c = &savings[i];
        if (c->kind == SAVING_KERNEL && c->backward)
            add_force(plan, c->fusion, "dx", c->kernel);
        if (c->kind == SAVING_KERNEL)
            add_force(plan, c->fusion, c->backward ? "dw" : "forward", c->kernel);
    }
}

void savings_set(Plan *plan, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++) {
        if (savings[i].kind == SAVING_MICROBATCH)
            plan->microbatch_at_most = savings[i].microbatch;
        if (savings[i].kind == SAVING_IN_PLACE)
            plan->accumulates_in_place = true;
    }
}

/* ---- order ---- */

static bool is_of(const Step *step, const char *direction)
{
    return strcmp(step->direction, direction) == 0;
}

/* dW of a fusion before its dX: the fusion's input, which dX does not read, may go before its
   gradient comes. Not before the dX of the fusion's pool or activation, which it reads. */
static void put_dw_first(Program *program)
{
    for (int i = 0; i + 1 < program->count; i++) {
        const Step *a = program->steps[i], *b = program->steps[i + 1];
        if (a->fusion == b->fusion && is_of(a, "dX") && is_of(b, "dW") && steps_commute(a, b)) {
            program->steps[i] = b;
            program->steps[++i] = a;
        }
    }
}

/* A step that is done again: one that stands in the list just before the step with the core
   `reader`, after those that came there earlier. */
typedef struct Repeat {
    const Step *step;
    struct Repeat *next;
} Repeat;

const Step *saving_recomputed(const Step *step)
{
    Step *again = ARENA_NEW(Step);
    *again = *step;
    again->recomputes = true;
    again->direction = "recompute";
    again->macs = 0; /* the direct algorithm needs it once */
    return again;
}

/* What is to be done again in a program. */
typedef struct Repeats {
    Repeat **first, **last; /* by the reader's core */
    int count;
} Repeats;

static void add_repeat(Repeats *repeats, const Node *reader, const Step *step)
{
    Repeat *repeat = ARENA_NEW(Repeat), **last = &repeats->last[reader->id];
    repeat->step = step;
    *(*last ? &(*last)->next : &repeats->first[reader->id]) = repeat;
    *last = repeat;
    repeats->count++;
}

/* By node: the place of the first step with it at its core, counted from 1. */
static int *places_of(const Graph *graph, const Program *program)
{
    int *place = ARENA_ARRAY(int, graph->count);
    for (int i = program->count - 1; i >= 0; i--)
        place[program->steps[i]->core->id] = i + 1;
    return place;
}

static bool is_repeated(const MemorySaving *saving, const Program *program)
{
    return saving->kind == SAVING_RECOMPUTE && saving->reader->stage == program->stage;
}

static bool has_repeats(const Program *program, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++)
        if (is_repeated(&savings[i], program))
            return true;
    return false;
}

static void insert_repeats(Program *program, const Repeats *repeats)
{
    const Step **steps = ARENA_ARRAY(const Step *, program->count + repeats->count);
    int count = 0;
    for (int i = 0; i < program->count; i++) {
        for (const Repeat *r = repeats->first[program->steps[i]->core->id]; r; r = r->next)
            steps[count++] = r->step;
        steps[count++] = program->steps[i];
    }
    program->steps = steps;
    program->count = count;
}

/* Where the program has no such step, or the reader is no step after the loss, nothing is done
   again. */
static void repeat_steps(const Graph *graph, Program *program, const MemorySaving *savings,
                         int count, const Step *(*recomputed)(const Step *step))
{
    Repeats repeats = { ARENA_ARRAY(Repeat *, graph->count), ARENA_ARRAY(Repeat *, graph->count),
                        0 };
    const int *place = places_of(graph, program);
    for (int i = 0; i < count; i++) {
        const MemorySaving *c = &savings[i];
        if (is_repeated(c, program) && place[c->core->id]
            && place[c->reader->id] > program->forward_count)
            add_repeat(&repeats, c->reader, recomputed(program->steps[place[c->core->id] - 1]));
    }
    if (repeats.count)
        insert_repeats(program, &repeats);
}

void savings_order(const Graph *graph, Program *program, const MemorySaving *savings, int count,
                   const Step *(*recomputed)(const Step *step))
{
    for (int i = 0; i < count; i++)
        if (savings[i].kind == SAVING_ORDER)
            put_dw_first(program);
    if (has_repeats(program, savings, count))
        repeat_steps(graph, program, savings, count, recomputed);
}

/* ---- weights packed on use ---- */

const Packing *saving_turned_packing(const Step *step)
{
    for (int i = 0; step->scratch && i < step->argument_count; i++) {
        const Packing *packing = step->arguments[i].packing;
        if (packing && packing->rotated && packing->stride_w == 1 && packing->groups == 1
            && packing->kind == &packing_kind_blocks)
            return packing;
    }
    return NULL;
}

const bool *savings_on_use(const Graph *graph, const MemorySaving *savings, int count)
{
    bool *on_use = NULL;
    for (int i = 0; i < count; i++) {
        if (savings[i].kind != SAVING_ON_USE)
            continue;
        on_use = on_use ? on_use : ARENA_ARRAY(bool, graph->count);
        on_use[savings[i].parameter->id] = true;
    }
    return on_use;
}

static const Step *with_packing_on_use(const Step *step, const Packing *packing)
{
    Step *changed = ARENA_NEW(Step);
    Packing *on_use = ARENA_NEW(Packing);
    *changed = *step;
    *on_use = *packing;
    on_use->on_use = true;
    for (int i = 0; i < changed->argument_count; i++)
        if (changed->arguments[i].packing == packing)
            changed->arguments[i].packing = on_use;
    return changed;
}

/* Turned packings of some parameters are made on use. */
static void pack_on_use(const Graph *graph, Program *program, const MemorySaving *savings,
                        int count)
{
    const bool *on_use = savings_on_use(graph, savings, count);
    for (int i = program->forward_count; on_use && i < program->count; i++) {
        const Packing *packing = saving_turned_packing(program->steps[i]);
        if (packing && on_use[packing->parameter->id])
            program->steps[i] = with_packing_on_use(program->steps[i], packing);
    }
}

/* ---- the whole ---- */

Plan *plan_with_savings(const Plan *plain, const MemorySaving *savings, int count)
{
    Plan *plan = plan_open(plain->graph, plain->settings, plain->forces, plain->force_count,
                           plain->tuning);
    savings_force(plan, savings, count);
    savings_set(plan, savings, count);
    plan_choose_steps(plan);
    Program **programs;
    const int program_count = plan_programs(plan, &programs);
    for (int i = 0; i < program_count; i++) {
        if (programs[i]->result)
            continue;
        pack_on_use(plan->graph, programs[i], savings, count);
        savings_order(plan->graph, programs[i], savings, count, saving_recomputed);
    }
    plan_finish(plan);
    return plan;
}
