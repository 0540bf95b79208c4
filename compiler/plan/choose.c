#include "plan.h"

#include "../base/arena.h"
#include "../ops/ops.h"

#include <string.h>

/* A sum of gradients belongs to dX as they do; a by-product to what it comes with. */
static const char *direction_of(const Node *core)
{
    static const char *const names[] = { "forward", "dX", "dW", "db" };
    bool sum = core->backward && core->op->direction == DIRECTION_FORWARD
               && !core->op->by_product_of;
    return names[sum ? DIRECTION_DX : core->op->direction];
}

static bool same_direction(const char *given, const char *direction)
{
    return !given
           || (given[0] == direction[0]
               && (direction[0] == 'f' || given[1] == direction[1]
                   || given[1] + ('X' - 'x') == direction[1]));
}

static Force *find_force(const Plan *plan, const char *fusion, const char *direction)
{
    Force *found = NULL;
    for (int i = 0; i < plan->force_count; i++)
        if (strcmp(plan->forces[i].fusion, fusion) == 0
            && same_direction(plan->forces[i].direction, direction)
            && (!found || plan->forces[i].direction || !found->direction))
            found = &plan->forces[i];
    return found;
}

enum { LARGE_FACTOR = 1000 }; /* more than any kernel is faster than the plain one */

/* What a kernel costs: microseconds where they were measured, else the model's cycles. Measured
   ones are compared among themselves. */
static double cost_of(const Plan *plan, const Step *step, const Kernel *kernel, bool *measured)
{
    double microseconds = tuning_find(plan->tuning, step->fusion->name, step->direction,
                                      kernel->name);
    double cost = microseconds >= 0 ? microseconds : kernel->cost(step, &plan->settings);
    *measured = microseconds >= 0;
    return plan->settings.small && kernel->large ? cost * LARGE_FACTOR : cost;
}

double plan_step_cost(const Plan *plan, const Step *step)
{
    const Step core = { .fusion = step->fusion,
                        .core = step->core,
                        .direction = direction_of(step->core) };
    const Step dx = { .fusion = step->fusion, .core = step->dx, .direction = "dX" };
    bool measured;
    return cost_of(plan, &core, step->kernel, &measured)
           + (step->dx ? cost_of(plan, &dx, step->kernel, &measured) : 0);
}

/* Each candidate with its cost; the cheapest that fits, or the forced one. */
static void choose_kernel(const Plan *plan, Step *step)
{
    Text why = { 0 };
    Force *force = find_force(plan, step->fusion->name, step->direction);
    bool found_forced = false, best_measured = false;
    for (int i = 0; all_kernels[i]; i++) {
        const Kernel *kernel = all_kernels[i];
        if (kernel->rows != step->streams || !kernel_computes(kernel, step->core)
            || (kernel->fits && !kernel->fits(step, &plan->settings)))
            continue;
        bool measured, forced = force && strcmp(force->kernel, kernel->name) == 0;
        double cost = cost_of(plan, step, kernel, &measured);
        text_add(&why, measured ? "%s%s %.1f us" : "%s%s %.3g", why.length ? ", " : "",
                 kernel->name, cost);
        bool better = measured == best_measured ? cost < step->cost : measured;
        if (!step->kernel || forced || (better && !found_forced)) {
            step->kernel = kernel;
            step->cost = cost;
            best_measured = measured;
        }
        found_forced = found_forced || forced;
    }
    if (!step->kernel)
        bug("no kernel computes %s", step->core->op->name);
    if (found_forced) {
        force->used = true;
        text_add(&why, " (forced)");
    }
    step->why = why.data;
}

static const Kernel *kernel_for(const Plan *plan, const Fusion *fusion, const Node *core)
{
    Step step = { .fusion = fusion, .core = core, .direction = direction_of(core) };
    choose_kernel(plan, &step);
    return step.kernel;
}

static bool takes_pool(const Kernel *kernel, const Node *core, const Node *pool)
{
    return pool && (!kernel->takes_pool || kernel->takes_pool(core, pool));
}

/* Whether a step that ends in the value `last` can go on to `next` without leaving `last` itself
   behind for others. */
static bool goes_on(const Node *last, const Node *next, const bool *needed)
{
    return next && !needed[last->id];
}

/* What follows the core, as far as the kernel takes it in. The chain breaks at the first that it
   does not. */
static void take_in_forward(const Plan *plan, Step *step, const bool *needed)
{
    const Fusion *s = step->fusion;
    unsigned takes = step->kernel->takes;
    /* inference writes codes too, and so needs no functions of its own */
    bool shares = plan->settings.small && !plan->settings.no_training;
    const Node *last = step->core;
    if (takes & TAKES_BIAS && goes_on(last, s->bias, needed))
        last = step->bias = s->bias;
    if (step->bias == s->bias && takes & (TAKES_ACT | TAKES_ACT_FORWARD)
        && goes_on(last, s->act, needed))
        last = step->act = s->act;
    if (step->bias == s->bias && step->act == s->act && takes & TAKES_POOL
        && takes_pool(step->kernel, step->core, s->pool) && goes_on(last, s->pool, needed))
        step->pool = s->pool;
    step->codes = step->pool && s->codes && (shares || needed[s->codes->id]) ? s->codes : NULL;
}

/* The gradients that lead to the core's own, in the order that they come from there: of an average
   pool the activation, then the pool; of a max-pool the pool, then the activation. */
static void take_in_backward(Step *step)
{
    const Fusion *s = step->fusion;
    unsigned takes = step->kernel->takes;
    bool average = node_averages(s->d_pool);
    bool act = takes & TAKES_ACT,
         pool = takes & TAKES_POOL && takes_pool(step->kernel, step->core, s->pool);
    if (!average) {
        step->d_pool = pool ? s->d_pool : NULL;
        step->d_act = act && step->d_pool == s->d_pool ? s->d_act : NULL;
    } else {
        step->d_act = act ? s->d_act : NULL;
        step->d_pool = pool && step->d_act == s->d_act ? s->d_pool : NULL;
    }
}

/* Which nodes around the core a kernel takes in. */
static void take_in(const Plan *plan, Step *step, const bool *needed)
{
    const Fusion *s = step->fusion;
    unsigned takes = step->kernel->takes;
    if (step->core == s->core) {
        take_in_forward(plan, step, needed);
    } else {
        take_in_backward(step);
        step->db = step->core == s->dw && takes & TAKES_DB ? s->db : NULL;
        if (step->core == s->dw && takes & TAKES_DX && s->dx && needed[s->dx->id]
            && kernel_for(plan, s, s->dx) == step->kernel) {
            step->dx = s->dx;
            step->direction = "dX+dW";
            step->macs += s->dx->op->macs(s->dx);
        }
    }
}

static Step *make_step(const Plan *plan, const Program *program, const Fusion *fusion,
                       const Node *core, const bool *needed)
{
    Step *step = ARENA_NEW(Step);
    step->fusion = fusion;
    step->core = core;
    step->layer = core->layer;
    step->streams = program == &plan->stream;
    step->direction = direction_of(core);
    step->macs = core->op->macs ? core->op->macs(core) : 0;
    choose_kernel(plan, step);
    take_in(plan, step, needed);
    step->kernel->plan(step, &plan->settings);
    return step;
}

/* The core whose step could take the node in; the node itself where it is a core or stands
   alone. */
static const Node *core_for(const Fusion *s, const Node *node)
{
    if (node == s->bias || node == s->act || node == s->pool || node == s->codes)
        return s->core;
    return node == s->db ? s->dw : node;
}

/* What a step leaves behind for others. A gradient that it takes in on the way is not among that:
   whoever else reads it needs a step that makes it. */
static bool produces(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return step_covers(step, node);
    return false;
}

static Step *step_for(const Plan *plan, const Program *program, const Node *node,
                      const bool *needed)
{
    const Fusion *fusion = plan->graph->fusion_of[node->id];
    const Node *core = core_for(fusion, node);
    if (core && core != node) {
        Step *step = make_step(plan, program, fusion, core, needed);
        if (step_covers(step, node))
            return step;
    }
    return make_step(plan, program, fusion, node, needed);
}

/* What a step reads: the nodes among its arguments that it does not compute, and the parameters of
   its packings. */
static void need_inputs(const Step *step, bool *needed)
{
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (a->node && !step_covers(step, a->node))
            needed[a->node->id] = true;
    }
}

static void mark_computed(const Step *step, bool *computed)
{
    for (int i = 0; i < step->argument_count; i++) {
        const Node *node = step->arguments[i].node;
        if (node && step_covers(step, node))
            computed[node->id] = true;
    }
}

void plan_step_at(const Plan *plan, const Program *program, const Node *node, StepWalk *walk)
{
    if (!walk->needed[node->id] || walk->computed[node->id] || node == program->given
        || node->op->arity == 0)
        return;
    Step *step = step_for(plan, program, node, walk->needed);
    if (!produces(step, node) || walk->at[step->core->id])
        bug("%s is read but no step leaves it behind", node->name);
    walk->at[step->core->id] = step;
    mark_computed(step, walk->computed);
    need_inputs(step, walk->needed);
}

/* Walks the nodes backwards: whatever is needed and not yet computed gets a step, whose inputs are
   then needed. The order of steps is the order of their cores in the graph. */
void plan_steps(Plan *plan, Program *program, Node *const *roots, int root_count)
{
    const Graph *graph = plan->graph;
    StepWalk walk = { ARENA_ARRAY(bool, graph->count), ARENA_ARRAY(bool, graph->count),
                      ARENA_ARRAY(Step *, graph->count) };
    for (int i = 0; i < root_count; i++)
        walk.needed[node_storage(roots[i])->id] = true;
    for (int i = graph->count - 1; i >= 0; i--)
        plan_step_at(plan, program, graph->nodes[i], &walk);
    int count = 0;
    for (int i = 0; i < graph->count; i++)
        count += walk.at[i] != NULL;
    program->steps = ARENA_ARRAY(Step *, count + 1);
    for (int i = 0; i < graph->count; i++) {
        if (!walk.at[i])
            continue;
        program->steps[program->count++] = walk.at[i];
        if (node_is_loss(graph->nodes[i]))
            program->forward_count = program->count;
    }
}
