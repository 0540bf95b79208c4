/* pad - rows and columns of zeros around an image, or an image without its outer ones. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "pad.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    step_node(step, "x", step->core->input[0]);
    step_node(step, "y", step->core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

static const char *const ops[] = { "zero_pad2d", "crop2d", NULL };

const Kernel kernel_pad = {
    .name = "pad",
    .about = "zeros around an image, and images without their outer pixels",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
