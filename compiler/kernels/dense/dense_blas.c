/* dense_blas - dense layers as products of OpenBLAS: with a row for each of the n images of a
   microbatch, Y = X W, dX = dY Wt, dW += Xt dY. */
#include "dense.h"

/* Calling OpenBLAS, and the packing of its operands, in cycles an image. */
enum { CALL = 500 };

static const char *text(const Node *core)
{
    (void)core;
    return "dense_blas.c.in";
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)step;
    return settings->target->openblas && !settings->library;
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    dense_bind(step);
}

static double cost(const Step *step, const Settings *settings)
{
    return step->core->op->macs(step->core) / settings_lanes(settings) + CALL;
}

const Kernel kernel_dense_blas = {
    .name = "dense_blas",
    .about = "dense layers as products of OpenBLAS, a microbatch at once",
    .ops = dense_ops,
    .takes = TAKES_BIAS | TAKES_ACT_FORWARD | TAKES_DB,
    .batched = true,
    .openblas = true,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
