/* ssim - the structural similarity of an image and its target as a loss, and its gradient: rows of
   sums, in memory of 11 rows of either. */
#include "../../ops/ops.h"
#include "../kernel.h"

enum { WINDOW = 11, MOMENTS = 4, DERIVATIVES = 3 };

static const char *const ops[] = { "ssim", "ssim_dx", NULL };

static const char *text(const Node *core)
{
    (void)core;
    return "ssim.c.in";
}

/* Values of a row of pixels, and of a row of windows. */
static size_t row_of(const Step *step)
{
    const int *dim = step->core->input[0]->shape.dim;
    return (size_t)dim[1] * (size_t)dim[2];
}

static size_t windows_of(const Step *step)
{
    const int *dim = step->core->input[0]->shape.dim;
    return (size_t)(dim[1] - WINDOW + 1) * (size_t)dim[2];
}

/* As the text lays it out. */
static size_t scratch_of(const Step *step)
{
    const size_t row = row_of(step), windows = windows_of(step),
                 zeros = 2 * (WINDOW - 1) * (size_t)step->core->input[0]->shape.dim[2];
    const size_t forward = MOMENTS * (row + WINDOW * windows);
    return node_is_loss(step->core) ? forward
                                    : forward + DERIVATIVES * (windows + zeros + WINDOW * row);
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    step_node(step, "y", step->core->input[0]);
    step_node(step, "target", step->core->input[1]);
    step_node(step, node_is_loss(step->core) ? "loss" : "dy", step->core);
    step_scratch(step, scratch_of(step));
}

static double cost(const Step *step, const Settings *settings)
{
    const double sums = node_is_loss(step->core) ? 2 * MOMENTS : 2 * (MOMENTS + DERIVATIVES);
    return sums * WINDOW * (double)shape_count(step->core->input[0]->shape)
           / settings_lanes(settings);
}

const Kernel kernel_ssim = {
    .name = "ssim",
    .about = "structural similarity as a loss and its gradient, by rows of sums",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
