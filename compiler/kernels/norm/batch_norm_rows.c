/* batch_norm_rows - batch normalisation as inference has it, in a stream, one row a call. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "batch_norm_rows.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const int *in = core->input[0]->shape.dim;
    step->rows = (Rows){ .times = 1, .over = 1, .count = in[0], .pool = 1, .room = in[1] * in[2] };
    step_node(step, "x", core->input[0]);
    step_packing(step, "gamma", packing_plain(core->input[1], 1));
    step_packing(step, "beta", packing_plain(core->input[2], 1));
    step_packing(step, "mean", packing_plain(core->input[3], 1));
    step_packing(step, "variance", packing_plain(core->input[4], 1));
    step_node(step, "y", core);
    step_scratch(step, (size_t)in[2]);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape) * 2, settings);
}

static const char *const ops[] = { "batch_norm_infer", NULL };

const Kernel kernel_batch_norm_rows = {
    .name = "batch_norm_rows",
    .about = "batch normalisation by the moving statistics in a stream, a row a call",
    .rows = true,
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
