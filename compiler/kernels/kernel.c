#include "kernel.h"

#include "../base/arena.h"

#include <string.h>

#define KERNEL(name) &kernel_##name,
const Kernel *const all_kernels[] = {
#include "kernels.def"
    NULL
};
#undef KERNEL

int settings_real_bytes(const Settings *settings)
{
    return settings->real_double ? 8 : 4;
}

int settings_weight_bytes(const Settings *settings)
{
    return settings->half ? 2 : settings_real_bytes(settings);
}

int settings_lanes(const Settings *settings)
{
    int bytes = settings->target->vector_bytes;
    return bytes ? bytes / settings_real_bytes(settings) : 1;
}

const Kernel *kernel_find(const char *name)
{
    for (int i = 0; all_kernels[i]; i++)
        if (strcmp(all_kernels[i]->name, name) == 0)
            return all_kernels[i];
    return NULL;
}

bool kernel_computes(const Kernel *kernel, const Node *core)
{
    if (!kernel->ops)
        return kernel->computes(core->op);
    for (int i = 0; kernel->ops[i]; i++)
        if (strcmp(kernel->ops[i], core->op->name) == 0)
            return true;
    return false;
}

void step_number(Step *step, const char *name, int value)
{
    if (step->number_count == STEP_NUMBERS)
        bug("%s: too many numbers", step->kernel->name);
    step->numbers[step->number_count].name = name;
    step->numbers[step->number_count++].value = value;
}

int step_get(const Step *step, const char *name)
{
    for (int i = 0; i < step->number_count; i++)
        if (strcmp(step->numbers[i].name, name) == 0)
            return step->numbers[i].value;
    bug("%s: no number %s", step->kernel->name, name);
}

static int floor_div(int a, int d)
{
    return a >= 0 ? a / d : -((d - 1 - a) / d);
}

int rows_from(const Rows *rows, int t)
{
    return floor_div(t * rows->times + rows->from, rows->over);
}

int rows_to(const Rows *rows, int t)
{
    return floor_div(t * rows->times + rows->to, rows->over);
}

int rows_depth(const Rows *rows)
{
    int most = 1;
    for (int t = 0; t < rows->count && t < rows->over; t++) { /* then all repeats */
        int depth = rows_to(rows, t) - rows_from(rows, t) + 1;
        most = depth > most ? depth : most;
    }
    return most;
}

enum { STEP_WRITTEN = 7, STEP_PARTS = 9 };

static bool is_among(const Step *s, const Node *node, int count)
{
    const Node *parts[STEP_PARTS] = { s->core, s->bias, s->act,   s->pool,  s->codes,
                                      s->db,   s->dx,   s->d_act, s->d_pool };
    for (int i = 0; i < count; i++)
        if (node && parts[i] == node)
            return true;
    return false;
}

bool step_covers(const Step *step, const Node *node)
{
    return is_among(step, node, STEP_PARTS);
}

bool step_writes(const Step *step, const Node *node)
{
    return is_among(step, node, STEP_WRITTEN);
}

bool step_adds_to(const Step *step, Node *gradient)
{
    while (gradient && !step_writes(step, gradient_last(gradient)))
        gradient = gradient_before(gradient);
    return gradient != NULL;
}

/* Gradients of one parameter are added to one place. */
static bool same_place(const Node *a, const Node *b)
{
    return a == b || (a && b && a->parameter && a->parameter == b->parameter);
}

static bool has_argument(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (same_place(step->arguments[i].node, node))
            return true;
    return false;
}

bool steps_commute(const Step *a, const Step *b)
{
    for (int i = 0; i < a->argument_count; i++) {
        const Node *node = a->arguments[i].node;
        if (node && has_argument(b, node) && (step_writes(a, node) || step_writes(b, node)))
            return false;
    }
    return true;
}

static Argument *add_argument(Step *step, const char *name)
{
    if (step->argument_count == STEP_ARGUMENTS)
        bug("%s: too many arguments", step->kernel->name);
    Argument *a = &step->arguments[step->argument_count++];
    *a = (Argument){ .name = name };
    return a;
}

void step_node(Step *step, const char *name, const Node *node)
{
    if (node)
        add_argument(step, name)->node = node_storage(node);
}

void step_packing(Step *step, const char *name, Packing packing)
{
    Packing *copy = ARENA_NEW(Packing);
    *copy = packing;
    copy->read_by = step->core->op;
    if (packing.parameter->op->prepared) {
        Packing *from = ARENA_NEW(Packing);
        *from = packing_prepared(packing.parameter);
        copy->from = from;
    }
    add_argument(step, name)->packing = copy;
}

void step_dy(Step *step, const Node *dy)
{
    for (int i = 0; i < 2; i++) { /* activation and pool come in either order */
        if (dy == step->d_pool && node_averages(dy)) {
            dy = dy->input[0];
        } else if (dy == step->d_pool) {
            step_node(step, "codes", dy->input[0]);
            dy = dy->input[1];
        } else if (dy == step->d_act) {
            step_node(step, "value", dy->input[0]);
            dy = dy->input[1];
        }
    }
    step_node(step, "dy", dy);
}

void step_scratch(Step *step, size_t reals)
{
    step->scratch = reals;
    if (reals)
        add_argument(step, "scratch")->scratch = true;
}

void step_sum(Step *step, size_t reals)
{
    add_argument(step, "sum")->sum = reals;
    step->sums = true;
}

void step_noise(Step *step)
{
    add_argument(step, "noise")->noise = true;
}

double cost_of_moving(double values, const Settings *settings)
{
    return values / settings_lanes(settings) * 2;
}
