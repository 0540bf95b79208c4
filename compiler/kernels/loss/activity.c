/* activity - what a layer's values cost by their size, and its gradient. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *const ops[] = { "activity_l1", "activity_l2", "activity_l1_dx", "activity_l2_dx",
                                   NULL };

static const char *text(const Node *core)
{
    (void)core;
    return "activity.c.in";
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 2, settings);
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    step_node(step, "x", step->core->input[0]);
    step_node(step, node_is_loss(step->core) ? "loss" : "dx", step->core);
}

const Kernel kernel_activity = {
    .name = "activity",
    .about = "penalties of a layer's values and their gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
