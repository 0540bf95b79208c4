/* upsample - nearest neighbour upsampling where it must exist as an image (an output), and its
   gradient. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "upsample.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    bool backward = step->core->op == &op_upsample2d_dx;
    step_node(step, backward ? "dy" : "x", step->core->input[0]);
    step_node(step, backward ? "dx" : "y", step->core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

static const char *const ops[] = { "upsample2d", "upsample2d_dx", NULL };

const Kernel kernel_upsample = {
    .name = "upsample",
    .about = "nearest neighbour upsampling and its gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
