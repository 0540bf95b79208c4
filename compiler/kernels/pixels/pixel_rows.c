/* pixel_rows - what works on the channels of each pixel, in a stream: one row a call. */
#include "../../ops/ops.h"
#include "pixels.h"

static const char *text(const Node *core)
{
    (void)core;
    return "pixel_rows.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const int *in = core->input[0]->shape.dim;
    step->rows = (Rows){ .times = 1, .over = 1, .count = in[0], .pool = 1, .room = in[1] * in[2] };
    step_block(step, in[2]);
    step_number(step, "CHANNELS", in[2]);
    step_node(step, "x", core->input[0]);
    if (core->op == &op_prelu)
        step_packing(step, "alpha", packing_plain(core->input[1], 1));
    if (core->op == &op_layer_norm) {
        step_packing(step, "gamma", packing_plain(core->input[1], 1));
        step_packing(step, "beta", packing_plain(core->input[2], 1));
    }
    step_node(step, "y", core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 2, settings);
}

static const char *const ops[] = { "layer_norm", "softmax", "prelu", NULL };

const Kernel kernel_pixel_rows = {
    .name = "pixel_rows",
    .about = "norms and activations over the channels of each pixel in a stream, a row a call",
    .rows = true,
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
