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

static int row_of(const Node *x)
{
    return x->shape.rank == 3 ? x->shape.dim[1] * x->shape.dim[2] : x->shape.dim[0];
}

/* So many rows of pixels, with a vector's room after them, before rows of a number a channel. */
static int rows_of_pixels(Step *step, int rows)
{
    enum { VECTOR = 16 };
    const int row = row_of(step->core->input[0]), line = (row + VECTOR - 1) / VECTOR * VECTOR;
    step_number(step, "LINE", line);
    step_number(step, "LINES", rows);
    return rows * line;
}

/* Rows of a number a channel: `rows` in the arithmetic's own type, `sums` in double precision after
   them. */
static void scratch(Step *step, int pixels, int rows, int sums, const Settings *settings)
{
    const size_t doubles = sizeof(double) / (size_t)settings_real_bytes(settings),
                 channels = (size_t)channels_of(step->core->input[0]);
    step_scratch(step, (size_t)pixels + channels * ((size_t)rows + (size_t)sums * doubles) + 1);
}

/* Where read_dy finds a row of what arrives. */
static void bind_dy(Step *step, const Node *dy)
{
    const Shape x = step->core->input[0]->shape;
    const int width = x.rank == 3 ? x.dim[1] : 1;
    step_dy(step, dy);
    step_number(step, "DY_W", width);
    step_number(step, "DY_C", x.dim[x.rank - 1]);
    step_number(step, "DY_COLUMNS", width);
}

static void plan_forward(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    const int lines = step->pool ? pool_side(step->pool) : 0;
    if (core->op == &op_batch_norm) {
        step_node(step, "moments", core->input[1]);
        step_packing(step, "gamma", packing_plain(core->input[2], 1));
        step_packing(step, "beta", packing_plain(core->input[3], 1));
    } else {
        step_packing(step, "gamma", packing_plain(core->input[1], 1));
        step_packing(step, "beta", packing_plain(core->input[2], 1));
        step_packing(step, "mean", packing_plain(core->input[3], 1));
        step_packing(step, "variance", packing_plain(core->input[4], 1));
    }
    step_node(step, "y", step->pool ? step->pool : step->act ? step->act : core);
    step_node(step, "codes", step->codes);
    scratch(step, rows_of_pixels(step, lines), 1, 0, settings);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    const int lines = step->d_act || step->d_pool;
    if (core->op == &op_batch_norm_infer_dx) {
        step_packing(step, "gamma", packing_plain(core->input[1], 1));
        step_packing(step, "variance", packing_plain(core->input[2], 1));
        step_node(step, "dy", core->input[0]);
        step_node(step, "dx", core);
        scratch(step, 0, 1, 0, settings);
        return;
    }
    step_node(step, "x", core->input[0]);
    if (core->op == &op_batch_norm_sums) {
        step_node(step, "sums", core);
        scratch(step, 0, 2, 2, settings);
    } else if (core->op == &op_batch_norm_dsums) {
        step_node(step, "moments", core->input[1]);
        bind_dy(step, core->input[2]);
        step_node(step, "sums", core);
        scratch(step, rows_of_pixels(step, lines), 2, 2, settings);
    } else if (core->op == &op_batch_norm_dx) {
        step_node(step, "moments", core->input[1]);
        step_node(step, "totals", core->input[2]);
        step_packing(step, "gamma", packing_plain(core->input[3], 1));
        bind_dy(step, core->input[4]);
        step_node(step, "dx", core);
        scratch(step, rows_of_pixels(step, lines), 3, 0, settings);
    } else {
        plan_forward(step, settings);
    }
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->input[0]->shape) * 3, settings);
}

static const char *const ops[] = {
    "batch_norm_sums",     "batch_norm", "batch_norm_infer", "batch_norm_dsums", "batch_norm_dx",
    "batch_norm_infer_dx", NULL
};

const Kernel kernel_batch_norm = {
    .name = "batch_norm",
    .about = "batch normalisation of an image, its part of the statistics, and the gradient",
    .ops = ops,
    .takes = TAKES_ACT | TAKES_POOL,
    .text = text,
    .cost = cost,
    .plan = plan,
};
