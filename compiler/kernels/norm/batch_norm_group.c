/* batch_norm_group - what the images of a group have in common: their statistics, and the sums of
 * their gradients, from those of each image. Images meet in a binary tree over their numbers, in
 * double precision. */
#include "../../ops/ops.h"
#include "../kernel.h"

/* Levels of the tree, as many as images of a group have binary digits. */
enum { LEVELS = 24 };

static const char *text(const Node *core)
{
    (void)core;
    return "batch_norm_group.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core, *from = core->input[0];
    const size_t doubles = sizeof(double) / (size_t)settings_real_bytes(settings);
    step_node(step, "from", from);
    step_node(step, "to", core);
    if (core->op != &op_batch_norm_moments && core->op != &op_batch_norm_totals)
        return;
    /* a row of channels for each level, and two for what is under way; from a multiple of 64 bytes
       on, as all scratch memory */
    step_number(step, "LEVELS", LEVELS);
    step_scratch(step, (size_t)from->shape.dim[1] * (LEVELS + 2) * doubles);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 2, settings);
}

static const char *const ops[] = { "batch_norm_moments",
                                   "batch_norm_mean",
                                   "batch_norm_variance",
                                   "batch_norm_totals",
                                   "batch_norm_dw",
                                   "batch_norm_db",
                                   NULL };

const Kernel kernel_batch_norm_group = {
    .name = "batch_norm_group",
    .about = "what batch normalisation takes from all images of a group",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
