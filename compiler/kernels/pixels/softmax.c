/* softmax - of the channels of each pixel, and its gradient. A row at a time: x less the largest of
 * the pixel, exp of all the row, which is a loop of vectors however few channels there are, and the
 * quotient. */
#include "../../ops/ops.h"
#include "pixels.h"

static const char *text(const Node *core)
{
    (void)core;
    return "softmax.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const bool forward = core->op == &op_softmax;
    step_pixels(step, core->shape);
    step_node(step, forward ? "x" : "value", core->input[0]);
    if (!forward)
        step_node(step, "dy", core->input[1]);
    step_node(step, forward ? "y" : "dx", core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 3, settings);
}

static const char *const ops[] = { "softmax", "softmax_dx", NULL };

const Kernel kernel_softmax = {
    .name = "softmax",
    .about = "softmax over the channels of each pixel, and its gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
