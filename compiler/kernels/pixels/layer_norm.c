/* layer_norm - normalisation over the channels of each pixel, and its gradients. Sums over channels
 * are vectors' lanes in a fixed order; that of dgamma runs over a row in the arithmetic's own type
 * and over the rows in double precision. */
#include "../../ops/ops.h"
#include "pixels.h"

static const char *text(const Node *core)
{
    return core->op == &op_layer_norm ? "layer_norm.c.in" : "layer_norm_gradient.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    step_pixels(step, core->input[0]->shape);
    step_node(step, "x", core->input[0]);
    if (core->op == &op_layer_norm_dw) {
        const int channels = core->shape.dim[0];
        step_node(step, "dy", core->input[1]);
        step_node(step, "dw", core);
        step_sums(step, channels, channels, settings);
        return;
    }
    step_packing(step, "gamma", packing_plain(core->input[1], 1));
    if (core->op == &op_layer_norm) {
        step_packing(step, "beta", packing_plain(core->input[2], 1));
        step_node(step, "y", core);
    } else {
        step_node(step, "dy", core->input[2]);
        step_node(step, "dx", core);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 3, settings);
}

static const char *const ops[] = { "layer_norm", "layer_norm_dx", "layer_norm_dw", NULL };

const Kernel kernel_layer_norm = {
    .name = "layer_norm",
    .about = "normalisation over the channels of each pixel, and its gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
