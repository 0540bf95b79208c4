/* pool - pooling alone: the largest of each window, its place, and the gradient that goes there; the mean of each window, and its gradient. */
#include "../ops/ops.h"
#include "kernel.h"

static const char *text(const Node *core)
{
    return core->op == &op_avg_pool2d || core->op == &op_avg_pool2d_dx ? "pool_average.c.in" : "pool.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    if (core->op == &op_max_pool2d_dx) {
        step_node(step, "codes", core->input[0]);
        step_node(step, "dy", core->input[1]);
        step_node(step, "dx", core);
    } else if (core->op == &op_avg_pool2d_dx) {
        step_node(step, "dy", core->input[0]);
        step_node(step, "dx", core);
    } else {
        step_node(step, "x", core->input[0]);
        step_node(step, core->op == &op_max_pool2d_argmax ? "codes" : "y", core);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) + (double)shape_count(step->core->input[0]->shape), settings);
}

static const char *const ops[] = { "max_pool2d", "max_pool2d_argmax", "max_pool2d_dx", "avg_pool2d", "avg_pool2d_dx", NULL };

const Kernel kernel_pool = {
    .name = "pool", .about = "pooling, its places and its gradient", .ops = ops, .text = text, .cost = cost, .plan = plan,
};
