/* prelu - the activation with a slope a channel, and its gradients. Rows of few channels are blocks
 * of the channels several times over, which compilers make vectors of; dalpha is the sum over a row
 * in the arithmetic's own type and over the rows in double precision. */
#include "../../ops/ops.h"
#include "pixels.h"

static const char *text(const Node *core)
{
    (void)core;
    return "prelu.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    step_pixels(step, core->input[0]->shape);
    step_node(step, "x", core->input[0]);
    if (core->op == &op_prelu_dw) {
        step_node(step, "dy", core->input[1]);
        step_node(step, "dw", core);
        step_block(step, core->shape.dim[0]);
        step_sums(step, step_get(step, "BLOCK"), core->shape.dim[0], settings);
        return;
    }
    step_block(step, core->shape.dim[core->shape.rank - 1]);
    step_packing(step, "alpha", packing_plain(core->input[1], 1));
    if (core->op == &op_prelu_dx)
        step_node(step, "dy", core->input[2]);
    step_node(step, core->op == &op_prelu ? "y" : "dx", core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 2, settings);
}

static const char *const ops[] = { "prelu", "prelu_dx", "prelu_dw", NULL };

const Kernel kernel_prelu = {
    .name = "prelu",
    .about = "the activation with a learnt slope a channel, and its gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
