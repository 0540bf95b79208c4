/* concat - channels side by side, and the slice of channels that is the gradient by one of the
   two. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "concat.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    if (core->op == &op_concat) {
        step_node(step, "a", core->input[0]);
        step_node(step, "b", core->input[1]);
        step_node(step, "y", core);
    } else {
        step_node(step, "dy", core->input[0]);
        step_node(step, "dx", core);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 2, settings);
}

static const char *const ops[] = { "concat", "concat_dx", NULL };

const Kernel kernel_concat = {
    .name = "concat",
    .about = "channels side by side, and the slice that is the gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
