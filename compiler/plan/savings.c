/* savings.c - what the savings that limit.c chooses do to a plan: kernels are forced, steps swapped
   and recomputed, weights packed on use. */
#include "plan.h"

#include "../base/arena.h"

#include <string.h>

static void add_force(Plan *plan, const char *fusion, const char *direction, const Kernel *kernel)
{
    plan->forces[plan->force_count++] = (Force){
        .fusion = fusion, .direction = direction, .kernel = kernel->name, .used = true
    };
}

/* The user's forces, and one for each direction whose kernel a saving replaced. */
void plan_set_forces(Plan *plan, const Force *forces, int force_count)
{
    plan->forces = ARENA_ARRAY(Force, force_count + 2 * plan->saving_count + 1);
    if (force_count > 0)
        memcpy(plan->forces, forces, sizeof *forces * (size_t)force_count);
    plan->force_count = force_count;
    for (int i = 0; i < plan->saving_count; i++) {
        const MemorySaving *c = &plan->savings[i];
        if (c->kind == SAVING_KERNEL && c->backward)
            add_force(plan, c->fusion, "dx", c->kernel);
        if (c->kind == SAVING_KERNEL)
            add_force(plan, c->fusion, c->backward ? "dw" : "forward", c->kernel);
    }
}

static bool is_of(const Step *step, const char *direction)
{
    return strcmp(step->direction, direction) == 0;
}

/* dW of a fusion before its dX: the fusion's input, which dX does not read, may go before its
   gradient comes. Not before the dX of the fusion's pool or activation, which it reads. */
static void put_dw_first(Program *program)
{
    for (int i = 0; i + 1 < program->count; i++) {
        Step *a = program->steps[i], *b = program->steps[i + 1];
        if (a->fusion == b->fusion && is_of(a, "dX") && is_of(b, "dW") && steps_commute(a, b)) {
            program->steps[i] = b;
            program->steps[++i] = a;
        }
    }
}

/* A step that is done again: one that stands in the list just before the step with the core
   `reader`, after those that came there earlier. */
typedef struct Repeat {
    Step *step;
    struct Repeat *next;
} Repeat;

Step *plan_recomputed(Step *step)
{
    if (step->again)
        return step->again;
    Step *again = ARENA_NEW(Step);
    *again = *step;
    again->recomputes = true;
    again->direction = "recompute";
    again->macs = 0; /* the direct algorithm needs it once */
    return step->again = again;
}

static bool has_repeats(const Plan *plan, const Program *program)
{
    for (int i = 0; i < plan->saving_count; i++)
        if (plan->savings[i].kind == SAVING_RECOMPUTE
            && plan->savings[i].reader->stage == program->stage)
            return true;
    return false;
}

/* By the reader's core, what is to be done again before it. Where the program has no such step, or
   the reader is no step after the loss, nothing is. */
static Repeat **find_repeats(const Plan *plan, const Program *program, int *count)
{
    Repeat **first = ARENA_ARRAY(Repeat *, plan->graph->count),
           **last = ARENA_ARRAY(Repeat *, plan->graph->count);
    /* of the step with a core, counted from 1 */
    int *place = ARENA_ARRAY(int, plan->graph->count);
    for (int i = program->count - 1; i >= 0; i--)
        place[program->steps[i]->core->id] = i + 1;
    for (int i = 0; i < plan->saving_count; i++) {
        const MemorySaving *c = &plan->savings[i];
        const int from = c->kind == SAVING_RECOMPUTE ? place[c->core->id] - 1 : -1,
                  to = from < 0 ? -1 : place[c->reader->id] - 1;
        if (to < program->forward_count)
            continue;
        Repeat *repeat = ARENA_NEW(Repeat);
        repeat->step = plan_recomputed(program->steps[from]);
        *(last[c->reader->id] ? &last[c->reader->id]->next : &first[c->reader->id]) = repeat;
        last[c->reader->id] = repeat;
        ++*count;
    }
    return first;
}

static void repeat_steps(const Plan *plan, Program *program)
{
    int recomputes = 0, count = 0;
    Repeat **before = has_repeats(plan, program) ? find_repeats(plan, program, &recomputes) : NULL;
    if (!recomputes)
        return;
    Step **steps = ARENA_ARRAY(Step *, program->count + recomputes);
    for (int i = 0; i < program->count; i++) {
        for (const Repeat *r = before[program->steps[i]->core->id]; r; r = r->next)
            steps[count++] = r->step;
        steps[count++] = program->steps[i];
    }
    program->steps = steps;
    program->count = count;
}

Packing *plan_turned_packing(const Step *step)
{
    for (int i = 0; step->scratch && i < step->argument_count; i++) {
        Packing *packing = step->arguments[i].packing;
        if (packing && packing->rotated && packing->stride == 1
            && packing->kind == &packing_kind_blocks)
            return packing;
    }
    return NULL;
}

bool *plan_late_parameters(const Plan *plan)
{
    bool *on_use = NULL;
    for (int i = 0; i < plan->saving_count; i++) {
        if (plan->savings[i].kind != SAVING_ON_USE)
            continue;
        on_use = on_use ? on_use : ARENA_ARRAY(bool, plan->graph->count);
        on_use[plan->savings[i].parameter->id] = true;
    }
    return on_use;
}

/* Turned packings of some parameters are made on use. */
static void pack_on_use(const Plan *plan, const Program *program)
{
    const bool *on_use = plan_late_parameters(plan);
    for (int i = program->forward_count; on_use && i < program->count; i++) {
        Packing *packing = plan_turned_packing(program->steps[i]);
        if (packing && on_use[packing->parameter->id])
            packing->on_use = true;
    }
}

void plan_saving_order(const Plan *plan, Program *program)
{
    for (int i = 0; i < plan->saving_count; i++)
        if (plan->savings[i].kind == SAVING_ORDER)
            put_dw_first(program);
    repeat_steps(plan, program);
}

void plan_apply_savings(const Plan *plan, Program *program)
{
    pack_on_use(plan, program);
    plan_saving_order(plan, program);
}
