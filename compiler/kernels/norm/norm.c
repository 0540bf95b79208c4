/* norm - group normalisation: the statistics of the groups, what they make of the image, and both
 * gradients. Sums run over a row in the arithmetic's own type and over the rows in double
 * precision. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    if (core->op == &op_group_norm_stats)
        return "norm_stats.c.in";
    return core->op == &op_group_norm ? "norm.c.in" : "norm_gradient.c.in";
}

/* Rows of a number a channel: `rows` in the arithmetic's own type, `sums` in double precision after
   them. */
static void scratch(Step *step, int channels, int rows, int sums, const Settings *settings)
{
    size_t doubles = sizeof(double) / (size_t)settings_real_bytes(settings);
    step_scratch(step, (size_t)channels * ((size_t)rows + (size_t)sums * doubles) + 1);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    int channels = core->input[0]->shape.dim[2];
    step_node(step, "x", core->input[0]);
    if (core->op == &op_group_norm_stats) {
        step_node(step, "stats", core);
        scratch(step, channels, 2, 1, settings);
        return;
    }
    step_node(step, "stats", core->input[1]);
    if (core->op == &op_group_norm) {
        step_packing(step, "gamma", packing_plain(core->input[2], 1));
        step_packing(step, "beta", packing_plain(core->input[3], 1));
        step_node(step, "y", core);
        scratch(step, channels, 2, 0, settings);
    } else if (core->op == &op_group_norm_dx) {
        step_packing(step, "gamma", packing_plain(core->input[2], 1));
        step_node(step, "dy", core->input[3]);
        step_node(step, "dx", core);
        scratch(step, channels, 4, 2, settings);
    } else {
        step_node(step, "dy", core->input[2]);
        step_node(step, "dw", core);
        scratch(step, channels, 3, 1, settings);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 4, settings);
}

static const char *const ops[] = { "group_norm_stats", "group_norm", "group_norm_dx",
                                   "group_norm_dw", NULL };

const Kernel kernel_norm = {
    .name = "norm",
    .about = "group normalisation and its gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
