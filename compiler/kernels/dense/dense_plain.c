/* dense_plain - dense layers by the loops of their definition, ordered so that the weights are read
   once for a microbatch. */
#include "dense.h"

static const char *text(const Node *core)
{
    (void)core;
    return "dense_plain.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    dense_bind(step);
}

static double cost(const Step *step, const Settings *settings)
{
    (void)settings;
    return step->core->op->macs(step->core) * 4;
}

const Kernel kernel_dense_plain = {
    .name = "dense_plain",
    .about = "dense layers by the loops of their definition, a microbatch at once",
    .ops = dense_ops,
    .batched = true,
    .text = text,
    .cost = cost,
    .plan = plan,
};
