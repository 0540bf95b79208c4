/* bilinear - bilinear upsampling and its gradient. Between two neighbours of the smaller image lie
 * `size` pixels of the larger, whose shares are the same everywhere. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "bilinear.c.in";
}

/* Backward: a row of the gradient, back in the smaller image's width, before two rows get their
   shares. */
static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const bool backward = core->op == &op_upsample2d_bilinear_dx;
    step_node(step, backward ? "dy" : "x", core->input[0]);
    step_node(step, backward ? "dx" : "y", core);
    if (backward)
        step_scratch(step, (size_t)core->shape.dim[1] * (size_t)core->shape.dim[2]);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 4
                              + (double)shape_count(step->core->input[0]->shape) * 4,
                          settings);
}

static const char *const ops[] = { "upsample2d_bilinear", "upsample2d_bilinear_dx", NULL };

const Kernel kernel_bilinear = {
    .name = "bilinear",
    .about = "bilinear upsampling and its gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
