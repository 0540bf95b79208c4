/* global_pool - the mean or the largest of each channel of a whole image, and the gradients. */
#include "../../ops/ops.h"
#include "../kernel.h"

enum { BLOCK = 64 }; /* channels whose values lie on the stack */

static const char *text(const Node *core)
{
    (void)core;
    return "global_pool.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const bool forward = core->op->direction == DIRECTION_FORWARD;
    const Shape image = forward ? core->input[0]->shape : core->shape;
    if (forward || core->op->arity == 2)
        step_node(step, "x", core->input[0]);
    if (!forward)
        step_node(step, "dy", core->input[core->op->arity - 1]);
    step_node(step, forward ? "y" : "dx", core);
    step_number(step, "ROWS", image.dim[0]);
    step_number(step, "COLUMNS", image.dim[1]);
    step_number(step, "CHANNELS", image.dim[2]);
    step_number(step, "BLOCK", image.dim[2] < BLOCK ? image.dim[2] : BLOCK);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

static const char *const ops[] = { "global_avg_pool2d", "global_avg_pool2d_dx", "global_max_pool2d",
                                   "global_max_pool2d_dx", NULL };

const Kernel kernel_global_pool = {
    .name = "global_pool",
    .about = "the mean or maximum of each channel, and their gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
