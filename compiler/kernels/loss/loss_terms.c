/* loss_terms - the terms of the loss of one image put together, in double precision. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *const ops[] = { "loss_times", "loss_plus", NULL };

static const char *text(const Node *core)
{
    (void)core;
    return "loss_terms.c.in";
}

static double cost(const Step *step, const Settings *settings)
{
    (void)step;
    (void)settings;
    return 1;
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    if (step->core->op->arity == 2)
        step_node(step, "sum", step->core->input[0]);
    step_node(step, "term", step->core->input[step->core->op->arity - 1]);
    step_node(step, "loss", step->core);
}

const Kernel kernel_loss_terms = {
    .name = "loss_terms",
    .about = "the sum of the weighted terms of the loss",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
