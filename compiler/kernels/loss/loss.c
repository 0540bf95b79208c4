/* loss - the loss of one image, summed in double precision row by row in a fixed order, and its
   gradient. The text of each is loss_<word>.c.in. */
#include "../../base/arena.h"
#include "../../ops/ops.h"
#include "../kernel.h"

#include <string.h>

static const char *text(const Node *core)
{
    return arena_format("loss_%s.c.in", core->op->loss);
}

/* Losses that compare value by value, and so may take in a repetition of pixels. */
static bool computes(const Op *op)
{
    return op->loss && op->numbers[0] && strcmp(op->numbers[0], "up") == 0;
}

static bool is_loss(const Node *core)
{
    return core->shape.rank == 0;
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    step_node(step, "y", step->core->input[0]);
    step_node(step, "target", step->core->input[1]);
    step_node(step, is_loss(step->core) ? "loss" : "dy", step->core);
    const Shape target = step->core->input[1]->shape;
    if (is_loss(step->core))
        step_scratch(step, target.rank == 1 ? (size_t)target.dim[0]
                                            : (size_t)target.dim[1] * (size_t)target.dim[2]);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[1]->shape) * 4, settings);
}

const Kernel kernel_loss = {
    .name = "loss",
    .about = "the loss of an image and its gradient",
    .computes = computes,
    .text = text,
    .cost = cost,
    .plan = plan,
};
