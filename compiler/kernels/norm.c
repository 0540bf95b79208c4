/* norm - group normalisation: the statistics of the groups, what they make of the image, and both gradients. Sums run over a row in the arithmetic's own
 * type and over the rows in double precision. */
#include "../ops/ops.h"
#include "forms.h"

static const char *text(const Node *core)
{
    if (core->op == &op_group_norm_stats)
        return "norm_stats.c.in";
    return core->op == &op_group_norm ? "norm.c.in" : "norm_gradient.c.in";
}

/* A row of sums, and the same in double precision, of one or two kinds. */
static void sums(Step *step, int channels, int kinds, const Settings *settings)
{
    int doubles = (int)sizeof(double) / settings_real_bytes(settings);
    step_scratch(step, (size_t)kinds * (size_t)channels * (size_t)(1 + doubles) + 1);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    int channels = core->input[0]->shape.dim[2];
    step_node(step, "x", core->input[0]);
    if (core->op == &op_group_norm_stats) {
        step_node(step, "stats", core);
        sums(step, channels, 1, settings);
        return;
    }
    step_node(step, "stats", core->input[1]);
    if (core->op == &op_group_norm) {
        step_form(step, "gamma", form_plain(core->input[2], 1));
        step_form(step, "beta", form_plain(core->input[3], 1));
        step_node(step, "y", core);
    } else if (core->op == &op_group_norm_dx) {
        step_form(step, "gamma", form_plain(core->input[2], 1));
        step_node(step, "dy", core->input[3]);
        step_node(step, "dx", core);
        sums(step, channels, 2, settings);
    } else {
        step_node(step, "dy", core->input[2]);
        step_node(step, "dw", core);
        sums(step, channels, 2, settings);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 4, settings);
}

static const char *const ops[] = { "group_norm_stats", "group_norm", "group_norm_dx", "group_norm_dw", NULL };

const Kernel kernel_norm = {
    .name = "norm", .about = "group normalisation and its gradients", .ops = ops, .text = text, .cost = cost, .plan = plan,
};
