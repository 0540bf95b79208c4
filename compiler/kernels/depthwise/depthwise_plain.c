/* depthwise_plain - depthwise convolution by the loops of its definition: the yardstick for the
   faster kernel, and the one to read first. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "depthwise_plain.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const DepthwiseShape s = depthwise_shape(core);
    step_number(step, "IN_H", s.in_h);
    step_number(step, "IN_W", s.in_w);
    step_number(step, "OUT_H", s.out_h);
    step_number(step, "OUT_W", s.out_w);
    step_number(step, "CHANNELS", s.channels);
    step_number(step, "MULTIPLIER", s.multiplier);
    if (core->op == &op_depthwise_conv2d_dw) {
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

static const char *const ops[] = { "depthwise_conv2d", "depthwise_conv2d_dx", "depthwise_conv2d_dw",
                                   NULL };

const Kernel kernel_depthwise_plain = {
    .name = "depthwise_plain",
    .about = "depthwise convolution by the loops of its definition; the yardstick for the other",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
