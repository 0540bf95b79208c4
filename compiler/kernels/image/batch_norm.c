/* batch_norm - of one image: its part of a group's statistics, what they make of it, and the
 * gradient. Sums run over a row in the arithmetic's own type and over the rows in double
 * precision. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    return core->op == &op_batch_norm_sums || core->op == &op_batch_norm_dsums
               ? "batch_norm_sums.c.in"
               : "batch_norm.c.in";
}

static int channels_of(const Node *x)
{
    return x->shape.dim[x->shape.rank - 1];
}

/* Rows of a number a channel: `rows` in the arithmetic's own type, `sums` in double precision after
   them. */
static void scratch(Step *step, int rows, int sums, const Settings *settings)
{
    const size_t doubles = sizeof(double) / (size_t)settings_real_bytes(settings),
                 channels = (size_t)channels_of(step->core->input[0]);
    step_scratch(step, channels * ((size_t)rows + (size_t)sums * doubles) + 1);
}

static void plan_infer(Step *step)
{
    const Node *core = step->core;
    step_packing(step, "gamma", packing_plain(core->input[1], 1));
    step_packing(step, "beta", packing_plain(core->input[2], 1));
    step_packing(step, "mean", packing_plain(core->input[3], 1));
    step_packing(step, "variance", packing_plain(core->input[4], 1));
    step_node(step, "y", core);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    step_node(step, "x", core->input[0]);
    if (core->op == &op_batch_norm_sums) {
        step_node(step, "sums", core);
        scratch(step, 2, 2, settings);
        return;
    }
    if (core->op == &op_batch_norm_infer) {
        plan_infer(step);
        scratch(step, 1, 0, settings);
        return;
    }
    step_node(step, "moments", core->input[1]);
    if (core->op == &op_batch_norm) {
        step_packing(step, "gamma", packing_plain(core->input[2], 1));
        step_packing(step, "beta", packing_plain(core->input[3], 1));
        step_node(step, "y", core);
        scratch(step, 1, 0, settings);
    } else if (core->op == &op_batch_norm_dsums) {
        step_node(step, "dy", core->input[2]);
        step_node(step, "sums", core);
        scratch(step, 2, 2, settings);
    } else {
        step_node(step, "totals", core->input[2]);
        step_packing(step, "gamma", packing_plain(core->input[3], 1));
        step_node(step, "dy", core->input[4]);
        step_node(step, "dx", core);
        scratch(step, 3, 0, settings);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 3, settings);
}

static const char *const ops[] = { "batch_norm_sums",  "batch_norm",          "batch_norm_infer",
                                   "batch_norm_dsums", "batch_norm_dx", NULL };

const Kernel kernel_batch_norm = {
    .name = "batch_norm",
    .about = "batch normalisation of an image, its part of the statistics, and the gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
