/* gaussian_sample - what a variational autoencoder draws by means and log-variances, its gradient,
   which draws the same again, and the means alone, which inference has. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "gaussian_sample.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const bool backward = core->op == &op_gaussian_sample_dx;
    step_node(step, "x", core->input[0]);
    if (backward)
        step_node(step, "dy", core->input[1]);
    if (core->op->numbers[0])
        step_noise(step);
    step_node(step, backward ? "dx" : "y", core);
}

/* Thirty operations for a normal number, as many for the exponential. */
static double cost(const Step *step, const Settings *settings)
{
    const int passes = step->core->op == &op_gaussian_mean ? 2 : 60;
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) / 2 * passes, settings);
}

static const char *const ops[] = { "gaussian_sample", "gaussian_sample_dx", "gaussian_mean", NULL };

const Kernel kernel_gaussian_sample = {
    .name = "gaussian_sample",
    .about = "normal numbers of means and log-variances, their gradient; the means alone",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
