/* check_calls.c - what steps are called with: operands and packings of weights; and the
   functions. */
#include "check_calls.h"

#include "../base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* Packings and functions by their names. */
typedef struct Names {
    const Packing **packings;
    const Step **functions;
} Names;

static int by_packing(const void *a, const void *b)
{
    return strcmp((*(const Packing *const *)a)->name, (*(const Packing *const *)b)->name);
}

static int by_function(const void *a, const void *b)
{
    return strcmp((*(const Step *const *)a)->function, (*(const Step *const *)b)->function);
}

static void *sorted(const void *items, int count, int (*by)(const void *a, const void *b))
{
    void *copy = malloc((size_t)count * sizeof(void *) + 1);
    if (!copy)
        fail_with(EXIT_FILE, "out of memory");
    if (count)
        memcpy(copy, items, (size_t)count * sizeof(void *));
    qsort(copy, (size_t)count, sizeof(void *), by);
    return copy;
}

/* ---- packings ---- */

/* Of prepared packings none lies in the place of one before it in the same memory. */
static const char *fault_in_places(const Plan *plan)
{
    const size_t align = ALIGNMENT / (size_t)settings_real_bytes(&plan->settings);
    size_t end[2] = { 0, 0 };
    for (int i = 0; i < plan->packing_count; i++) {
        const Packing *f = plan->packings[i];
        if (f->on_use || f->offset % align || f->offset < end[f->training])
            return arena_format("packing %s at %zu overlaps one before it, or is not aligned",
                                f->name, f->offset);
        end[f->training] = f->offset + f->count;
    }
    if (end[false] > plan->prepared_reals || end[true] > plan->training_reals)
        return "packings lie outside the prepared weights";
    return NULL;
}

static bool is_prepared(const Plan *plan, const Names *names, const Packing *packing)
{
    const size_t count = (size_t)plan->packing_count;
    const Packing **found = bsearch(&packing, names->packings, count, sizeof packing, by_packing);
    return found && *found == packing;
}

static bool is_made_on_use(const Plan *plan, const Names *names, const Step *step,
                           const Packing *packing)
{
    const Packing *source = packing->source;
    return step->on_use == packing && source && !source->on_use && !source->rotated
           && source->parameter == packing->parameter && source->training == packing->training
           && is_prepared(plan, names, source) && step->on_use_at + packing->count <= step->scratch;
}

/* Whether the parameter is an operand of what the step computes. */
static bool is_operand(const Step *s, const Node *parameter)
{
    const Node *const parts[] = { s->core, s->bias, s->dx };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (int k = 0; parts[i] && k < parts[i]->op->arity; k++)
            if (parts[i]->input[k] == parameter)
                return true;
    return false;
}

static const char *fault_in_packing(const Plan *plan, const Names *names, const Program *program,
                                    const Step *step, const Packing *packing)
{
    if (packing->training != (plan_packings_apart(plan) && !program->result))
        return "is in the memory of another user";
    const Node *one;
    for (int i = 0; (one = packing_parameter(packing, i)) != NULL; i++)
        if (!is_operand(step, one))
            return "is of a parameter that its operators do not read";
    if (packing->on_use ? !is_made_on_use(plan, names, step, packing)
                        : !is_prepared(plan, names, packing))
        return packing->on_use ? "is not made in its scratch memory" : "is not prepared";
    return NULL;
}

/* ---- functions ---- */

static bool same_packing(const Packing *a, const Packing *b)
{
    if (!a || !b)
        return a == b;
    return packing_alike(a, b) && a->count == b->count;
}

static bool same_value(const Node *a, const Node *b)
{
    if (!a || !b)
        return a == b;
    return a->type == b->type && shape_equal(a->shape, b->shape);
}

static bool same_node(const Node *a, const Node *b)
{
    return same_value(a, b) && (!a || (a->op == b->op && node_same_numbers(a, b)));
}

static bool same_argument(const Step *s, const Argument *a, const Step *t, const Argument *b)
{
    return strcmp(a->name, b->name) == 0 && a->scratch == b->scratch && a->sum == b->sum
           && a->noise == b->noise && same_packing(a->packing, b->packing)
           && same_value(a->node, b->node) && step_writes(s, a->node) == step_writes(t, b->node);
}

static bool same_work(const Step *s, const Step *t)
{
    return s->kernel == t->kernel && same_node(s->core, t->core) && same_node(s->bias, t->bias)
           && same_node(s->act, t->act) && same_node(s->pool, t->pool)
           && same_node(s->codes, t->codes) && same_node(s->d_act, t->d_act)
           && same_node(s->d_pool, t->d_pool) && same_node(s->db, t->db) && same_node(s->dx, t->dx);
}

static bool same_call(const Step *s, const Step *t)
{
    bool same = s->argument_count == t->argument_count && s->number_count == t->number_count
                && s->scratch == t->scratch && same_work(s, t);
    for (int i = 0; same && i < s->argument_count; i++)
        same = same_argument(s, &s->arguments[i], t, &t->arguments[i]);
    for (int i = 0; same && i < s->number_count; i++)
        same = strcmp(s->numbers[i].name, t->numbers[i].name) == 0
               && s->numbers[i].value == t->numbers[i].value;
    return same;
}

/* ---- operands ---- */

static bool has_argument(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (a->node == node || (a->packing && packing_reads(a->packing, node)))
            return true;
    }
    return false;
}

/* Input 0 no step may lack. */
static bool may_lack(const Node *node, int input)
{
    return input != 0 && node->op->optional_inputs >> input & 1;
}

/* Of whatever the step computes, on the way or to leave it behind, it has the operands or computes
   them too. */
static const char *fault_in_operands(const Step *s)
{
    const Node *const parts[] = { s->core,  s->bias,   s->act, s->pool, s->codes,
                                  s->d_act, s->d_pool, s->db,  s->dx };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (int k = 0; parts[i] && k < parts[i]->op->arity; k++) {
            const Node *operand = node_storage(parts[i]->input[k]);
            if (!step_covers(s, operand) && !has_argument(s, operand) && !may_lack(parts[i], k))
                return arena_format("computes %s without %s", parts[i]->name, operand->name);
        }
    return NULL;
}

/* ---- steps ---- */

static const char *fault_in_step(const Plan *plan, const Names *names, const Program *program,
                                 const Step *step)
{
    const size_t count = (size_t)plan->function_count;
    const Step **function = bsearch(&step, names->functions, count, sizeof step, by_function);
    if (!function || !same_call(step, *function))
        return arena_format("calls %s, which does not do its work", step->function);
    for (int i = 0; i < step->argument_count; i++) {
        const Packing *packing = step->arguments[i].packing;
        const char *fault = packing ? fault_in_packing(plan, names, program, step, packing) : NULL;
        if (fault)
            return arena_format("reads %s, which %s", packing->name, fault);
    }
    return fault_in_operands(step);
}

static const char *fault_in_program(const Plan *plan, const Names *names, const Program *program)
{
    for (int s = 0; s < program->count; s++) {
        const Step *step = program->steps[s];
        const char *fault = fault_in_step(plan, names, program, step);
        if (fault)
            return arena_format("program %s, step %d, %s of %s by %s: it %s", program->name, s,
                                step->direction, step->core->name, step->kernel->name, fault);
    }
    return NULL;
}

const char *plan_fault_in_calls(const Plan *plan)
{
    Program **programs;
    const int count = plan_programs(plan, &programs);
    const char *fault = fault_in_places(plan);
    Names names = { sorted(plan->packings, plan->packing_count, by_packing),
                    sorted(plan->functions, plan->function_count, by_function) };
    for (int i = 0; i < count && !fault; i++)
        fault = fault_in_program(plan, &names, programs[i]);
    free(names.packings);
    free(names.functions);
    return fault;
}
