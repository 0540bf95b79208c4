/* pool - pooling alone: the largest of each window, its place, and the gradient that goes there;
 * unpooling, which does so forward; the mean of each window, and its gradient. Windows side by side
 * on the image have texts of their own. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    return !pool_is_tiled(core)  ? "pool_windows.c.in"
           : node_averages(core) ? "pool_average.c.in"
                                 : "pool.c.in";
}

enum { BLOCK = 64 }; /* channels whose largest values lie on the stack */

/* The pooled value, from which windows of equals are told that an activation made equal. One that
   is not monotone comes before its pool everywhere, and so does every one where no kernel takes the
   pool in. */
static void bind_pooled(Step *step, const Node *pool)
{
    if (pool_is_plain(pool) && activation_is_zero_below(pool->input[0])
        && pool->input[0]->op->monotone)
        step_node(step, "pooled", pool);
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    if (core->op == &op_max_unpool2d) {
        step_node(step, "x", core->input[0]);
        step_node(step, "codes", core->input[1]);
        bind_pooled(step, core->input[2]);
        step_node(step, "y", core);
    } else if (core->op == &op_max_unpool2d_dx) {
        step_node(step, "codes", core->input[0]);
        bind_pooled(step, core->input[1]);
        step_node(step, "dy", core->input[2]);
        step_node(step, "dx", core);
    } else if (core->op == &op_max_pool2d_dx) {
        step_node(step, "codes", core->input[0]);
        step_node(step, "dy", core->input[1]);
        step_node(step, "dx", core);
    } else if (core->op == &op_avg_pool2d_dx) {
        step_node(step, "dy", core->input[0]);
        step_node(step, "dx", core);
    } else {
        const bool codes = core->op == &op_max_pool2d_argmax;
        step_node(step, "x", core->input[0]);
        step_node(step, codes ? "codes" : "y", core);
        if (codes && !pool_is_tiled(core))
            step_number(step, "BLOCK", core->shape.dim[2] < BLOCK ? core->shape.dim[2] : BLOCK);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

static const char *const ops[] = { "max_pool2d",      "max_pool2d_argmax",
                                   "max_pool2d_dx",   "max_unpool2d",
                                   "max_unpool2d_dx", "avg_pool2d",
                                   "avg_pool2d_dx",   NULL };

const Kernel kernel_pool = {
    .name = "pool",
    .about = "pooling, its places and its gradient; max-unpooling",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
