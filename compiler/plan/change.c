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

static int find_step(const Program *program, const Node *core)
{
    for (int i = 0; i < program->count; i++)
        if (program->steps[i]->core == core && !program->steps[i]->repeats)
            return i;
    return -1;
}

static void repeat_step(Program *program, const Change *change)
{
    int from = find_step(program, change->core), to = find_step(program, change->reader);
    if (from < 0 || to < program->forward_count)
        return;
    Step *again = ARENA_NEW(Step), **steps = ARENA_ARRAY(Step *, program->count + 1);
    *again = *program->steps[from];
    again->repeats = true;
    again->pass = "again";
    again->macs = 0;                    /* the direct algorithm needs it once */
    memcpy(steps, program->steps, sizeof *steps * (size_t)to);
    steps[to] = again;
    memcpy(steps + to + 1, program->steps + to, sizeof *steps * (size_t)(program->count - to));
    program->steps = steps;
    program->count++;
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

/* The turned form of the parameter is made late. */
static void make_late(const Program *program, const Node *parameter)
{
    for (int i = program->forward_count; i < program->count; i++) {
        Form *form = plan_turned_form(program->steps[i]);
        if (form && form->parameter == parameter)
            form->late = true;
    }
}

void plan_change_steps(const Plan *plan, Program *program)
{
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_LATE)
            make_late(program, plan->changes[i].parameter);
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_ORDER)
            put_dw_first(program);
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_REPEAT)
            repeat_step(program, &plan->changes[i]);
}
