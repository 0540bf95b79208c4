/* conv_plain - convolution by the loops of its definition: the yardstick for every faster kernel,
   and the one to read first. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "conv_plain.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    if (conv_is_dw(core)) {
        step_node(step, "x", core->input[0]);
        step_node(step, "dy", core->input[1]);
        step_node(step, "dw", core);
        return;
    }
    step_node(step, node_heads_fusion(core) ? "x" : "dy", core->input[0]);
    step_packing(step, "w", packing_plain(core->input[1], 1));
    step_node(step, node_heads_fusion(core) ? "y" : "dx", core);
}

static double cost(const Step *step, const Settings *settings)
{
    (void)settings;
    return step->core->op->macs(step->core) * 4;
}

static const char *const ops[] = { "conv2d",
                                   "conv2d_dx",
                                   "conv2d_dw",
                                   "conv2d_transpose",
                                   "conv2d_transpose_dx",
                                   "conv2d_transpose_dw",
                                   "depthwise_conv2d",
                                   "depthwise_conv2d_dx",
                                   "depthwise_conv2d_dw",
                                   NULL };

const Kernel kernel_conv_plain = {
    .name = "conv_plain",
    .about = "convolution by the loops of its definition; the yardstick for the others",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
