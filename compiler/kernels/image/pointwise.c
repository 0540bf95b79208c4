/* pointwise - the operators that work value by value: addition of a bias, activations, and their
   gradients; sums; the pixels of an image as reals. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "pointwise.c.in";
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    if (core->op == &op_bias_add) {
        step_node(step, "x", core->input[0]);
        step_packing(step, "b", packing_plain(core->input[1], 1));
        step_node(step, "y", core);
    } else if (core->op == &op_bias_add_db) {
        step_node(step, "dy", core->input[0]);
        step_node(step, "db", core);
    } else if (core->op == &op_add) {
        step_node(step, "a", core->input[0]);
        step_node(step, "b", core->input[1]);
        step_node(step, "y", core);
    } else if (core->op->arity == 2) {
        step_node(step, "value", core->input[0]);
        step_node(step, "dy", core->input[1]);
        step_node(step, "dx", core);
    } else {
        step_node(step, "x", core->input[0]);
        step_node(step, "y", core);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 2, settings);
}

#define ELEMENTWISE(name, number, from, properties, value, gradient) #name, #name "_dx",
static const char *const ops[] = { "bias_add", "bias_add_db", "add", "from_pixels",
#include "../../ops/elementwise.def"
                                   NULL };
#undef ELEMENTWISE

const Kernel kernel_pointwise = {
    .name = "pointwise",
    .about = "bias, activations, their gradients, sums, and pixels as reals, value by value",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
