/* rescale - x * scale + offset, each a constant or one a channel; the gradient is the same without
   the offset. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "rescale.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    step_node(step, "x", step->core->input[0]);
    step_node(step, "y", step->core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 2, settings);
}

static const char *const ops[] = { "rescale", NULL };

const Kernel kernel_rescale = {
    .name = "rescale",
    .about = "values times constants plus constants, of all channels or of each",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
