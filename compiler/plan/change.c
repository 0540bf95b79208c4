/* change.c - what the changes that limit.c chooses do to a plan: kernels are forced, steps swapped and repeated, weights turned late. */
#include "plan.h"

#include "../base/arena.h"

#include <string.h>

static void add_force(Plan *plan, const char *stage, const char *pass, const Kernel *kernel)
{
    plan->forces[plan->force_count++] = (Force){ .stage = stage, .pass = pass, .kernel = kernel->name, .used = true };
}

/* The user's forces, and one for each pass whose kernel changed. */
void plan_set_forces(Plan *plan, const Force *forces, int force_count)
{
    plan->forces = ARENA_ARRAY(Force, force_count + 2 * plan->change_count + 1);
    memcpy(plan->forces, forces, sizeof *forces * (size_t)force_count);
    plan->force_count = force_count;
    for (int i = 0; i < plan->change_count; i++) {
        const Change *c = &plan->changes[i];
        if (c->kind == CHANGE_KERNEL && c->backward)
            add_force(plan, c->stage, "dx", c->kernel);
        if (c->kind == CHANGE_KERNEL)
            add_force(plan, c->stage, c->backward ? "dw" : "forward", c->kernel);
    }
}

static bool is_of(const Step *step, const char *pass)
{
    return strcmp(step->pass, pass) == 0;
}

/* dW of a stage before its dX: the stage's input, which dX does not read, may go before the gradient by it comes.
   Not before the dX of the stage's pool or activation, which it reads. */
static void put_dw_first(Program *program)
{
    for (int i = 0; i + 1 < program->count; i++) {
        Step *a = program->steps[i], *b = program->steps[i + 1];
        if (a->stage == b->stage && is_of(a, "dX") && is_of(b, "dW") && steps_commute(a, b)) {
            program->steps[i] = b;
            program->steps[++i] = a;
        }
    }
}

/* A step that is done again: one that stands in the list just before the step with the core `reader`, behind those that came there earlier. */
typedef struct Repeat {
    Step *step;
    struct Repeat *next;
} Repeat;

Step *plan_again(Step *step)
{
    if (step->again)
        return step->again;
    Step *again = ARENA_NEW(Step);
    *again = *step;
    again->repeats = true;
    again->pass = "again";
    again->macs = 0;                    /* the direct algorithm needs it once */
    return step->again = again;
}

static bool has_repeats(const Plan *plan, const Program *program)
{
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_REPEAT && plan->changes[i].reader->phase == program->phase)
            return true;
    return false;
}

/* By the reader's core, what is to be done again before it. Where the program has no such step, or the reader is no step behind the loss, nothing is. */
static Repeat **find_repeats(const Plan *plan, const Program *program, int *count)
{
    Repeat **first = ARENA_ARRAY(Repeat *, plan->graph->count), **last = ARENA_ARRAY(Repeat *, plan->graph->count);
    int *place = ARENA_ARRAY(int, plan->graph->count);      /* of the step with a core, counted from 1 */
    for (int i = program->count - 1; i >= 0; i--)
        place[program->steps[i]->core->id] = i + 1;
    for (int i = 0; i < plan->change_count; i++) {
        const Change *c = &plan->changes[i];
        const int from = c->kind == CHANGE_REPEAT ? place[c->core->id] - 1 : -1, to = from < 0 ? -1 : place[c->reader->id] - 1;
        if (to < program->forward_count)
            continue;
        Repeat *repeat = ARENA_NEW(Repeat);
        repeat->step = plan_again(program->steps[from]);
        *(last[c->reader->id] ? &last[c->reader->id]->next : &first[c->reader->id]) = repeat;
        last[c->reader->id] = repeat;
        ++*count;
    }
    return first;
}

static void repeat_steps(const Plan *plan, Program *program)
{
    int repeats = 0, count = 0;
    Repeat **before = has_repeats(plan, program) ? find_repeats(plan, program, &repeats) : NULL;
    if (!repeats)
        return;
    Step **steps = ARENA_ARRAY(Step *, program->count + repeats);
    for (int i = 0; i < program->count; i++) {
        for (const Repeat *r = before[program->steps[i]->core->id]; r; r = r->next)
            steps[count++] = r->step;
        steps[count++] = program->steps[i];
    }
    program->steps = steps;
    program->count = count;
}

Form *plan_turned_form(const Step *step)
{
    for (int i = 0; step->scratch && i < step->argument_count; i++) {
        Form *form = step->arguments[i].form;
        if (form && form->rotated && form->stride == 1 && strcmp(form->kind, "blocks") == 0)
            return form;
    }
    return NULL;
}

bool *plan_late_parameters(const Plan *plan)
{
    bool *late = NULL;
    for (int i = 0; i < plan->change_count; i++) {
        if (plan->changes[i].kind != CHANGE_LATE)
            continue;
        late = late ? late : ARENA_ARRAY(bool, plan->graph->count);
        late[plan->changes[i].parameter->id] = true;
    }
    return late;
}

/* Turned forms of some parameters are made late. */
static void make_late(const Plan *plan, const Program *program)
{
    const bool *late = plan_late_parameters(plan);
    for (int i = program->forward_count; late && i < program->count; i++) {
        Form *form = plan_turned_form(program->steps[i]);
        if (form && late[form->parameter->id])
            form->late = true;
    }
}

void plan_change_order(const Plan *plan, Program *program)
{
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_ORDER)
            put_dw_first(program);
    repeat_steps(plan, program);
}

void plan_change_steps(const Plan *plan, Program *program)
{
    make_late(plan, program);
    plan_change_order(plan, program);
}
