/* pixel_shuffle - the channels of each pixel as a block of pixels, and back (Shi et al. 2016,
 * "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
 * neural network"). A row of a block is a run of values in both images. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "pixel_shuffle.c.in";
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

static const char *const ops[] = { "depth_to_space", "space_to_depth", NULL };

const Kernel kernel_pixel_shuffle = {
    .name = "pixel_shuffle",
    .about = "channels of a pixel as a block of pixels, and back",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
