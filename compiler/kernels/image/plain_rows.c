/* plain_rows - what stands alone in a stream, one row a call: pools, nearest upsampling, biases,
 * activations, constants by channel and the means of a gaussian_sample.
 *
 * A pool whose windows lie side by side takes one row of its input a call and joins it with what
 * the rows of the window before left in the pooled row's place; any other takes all rows of its
 * windows at once. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "plain_rows.c.in";
}

static bool is_pool(const Node *core)
{
    return core->op == &op_max_pool2d || core->op == &op_avg_pool2d;
}

static void plan_pool(Step *step, const Node *core)
{
    PoolAxis a = pool_axis(core, 0);
    step_number(step, "TILED", pool_is_tiled(core));
    if (pool_is_tiled(core)) {
        step->rows.pool = a.size;
        step->rows.count *= a.size;
    } else {
        step->rows.times = a.stride;
        step->rows.from = -a.before;
        step->rows.to = a.size - 1 - a.before;
    }
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const int *in = core->input[0]->shape.dim, *out = core->shape.dim;
    step->rows = (Rows){ .times = 1, .over = 1, .count = out[0], .pool = 1, .room = in[1] * in[2] };
    if (core->op == &op_upsample2d)
        step->rows.over = node_number(core, "size_h");
    if (is_pool(core))
        plan_pool(step, core);
    step_node(step, "x", core->input[0]);
    if (core->op == &op_bias_add)
        step_packing(step, "b", packing_plain(core->input[1], 1));
    step_node(step, "y", core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

#define ELEMENTWISE(name, number, from, properties, value, gradient) #name,
static const char *const ops[] = { "max_pool2d",  "avg_pool2d", "upsample2d",    "bias_add",
                                   "from_pixels", "rescale",    "gaussian_mean",
#include "../../ops/elementwise.def"
                                   NULL };
#undef ELEMENTWISE

const Kernel kernel_plain_rows = {
    .name = "plain_rows",
    .about = "pools, upsampling, biases and activations alone in a stream, a row a call",
    .rows = true,
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
