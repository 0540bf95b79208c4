/* kl - the divergence of means and log-variances from the standard normal distribution, and its
   gradient, of which there may be a share. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *const ops[] = { "kl", "kl_dx", "kl_share", "kl_share_dx", NULL };

static const char *text(const Node *core)
{
    (void)core;
    return "kl.c.in";
}

/* An exponential of every second value. */
static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 16, settings);
}

/* Means, or log-variances, of a row; a flat value is one. */
static size_t row_of(Shape x)
{
    return (size_t)(x.rank == 3 ? x.dim[1] * x.dim[2] : x.dim[0]) / 2;
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    step_node(step, "x", core->input[0]);
    if (core->op == &op_kl_share_dx)
        step_packing(step, "share", packing_plain(core->input[1], 1));
    step_node(step, node_is_loss(core) ? "loss" : "dx", core);
    if (node_is_loss(core))
        step_scratch(step, row_of(core->input[0]->shape));
}

const Kernel kernel_kl = {
    .name = "kl",
    .about = "Kullback-Leibler divergence from the standard normal distribution, and its gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
