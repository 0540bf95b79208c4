/* noise - what training draws for an image: normal noise and dropout, whose gradient draws the same
   again. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "noise.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    bool backward = step->core->op == &op_dropout_dx;
    step_node(step, backward ? "dy" : "x", step->core->input[0]);
    step_noise(step);
    step_node(step, backward ? "dx" : "y", step->core);
}

/* Some twenty operations a value for the bits, forty more where they become a normal number. */
static double cost(const Step *step, const Settings *settings)
{
    int passes = step->core->op == &op_gaussian_noise ? 30 : 10;
    return cost_of_moving((double)shape_count(step->core->shape) * passes, settings);
}

static const char *const ops[] = { "gaussian_noise", "dropout", "dropout_dx", NULL };

const Kernel kernel_noise = {
    .name = "noise",
    .about = "what training draws: normal noise, dropout and its gradient",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
