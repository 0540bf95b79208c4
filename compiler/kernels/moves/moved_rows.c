/* moved_rows - what moves pixels, in a stream, one row a call: zeros around an image and cropping,
 * channels as blocks of pixels and back, bilinear upsampling. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "moved_rows.c.in";
}

/* Row t lies between rows floor((2t + 1 - size) / (2 size)) and the next. */
static Rows bilinear_rows(int size)
{
    return size == 1 ? (Rows){ .times = 1, .over = 1 }
                     : (Rows){ .times = 2, .from = 1 - size, .to = 1 + size, .over = 2 * size };
}

static Rows rows_of(const Node *core)
{
    if (core->op == &op_upsample2d_bilinear)
        return bilinear_rows(node_number(core, "size_h"));
    if (core->op == &op_depth_to_space)
        return (Rows){ .times = 1, .over = node_number(core, "size") };
    if (core->op == &op_space_to_depth)
        return (Rows){ .times = node_number(core, "size"),
                       .to = node_number(core, "size") - 1,
                       .over = 1 };
    const int top = node_number(core, "pad_top"), shift = core->op == &op_crop2d ? top : -top;
    return (Rows){ .times = 1, .from = shift, .to = shift, .over = 1 };
}

static void plan(Step *step, const Settings *settings)
{
    (void)settings;
    const Node *core = step->core;
    const int *in = core->input[0]->shape.dim;
    step->rows = rows_of(core);
    step->rows.count = core->shape.dim[0];
    step->rows.pool = 1;
    step->rows.room = in[1] * in[2];
    step_node(step, "x", core->input[0]);
    step_node(step, "y", core);
}

static double cost(const Step *step, const Settings *settings)
{
    return cost_of_moving((double)shape_count(step->core->shape)
                              + (double)shape_count(step->core->input[0]->shape),
                          settings);
}

static const char *const ops[] = { "zero_pad2d",          "crop2d",
                                   "depth_to_space",      "space_to_depth",
                                   "upsample2d_bilinear", NULL };

const Kernel kernel_moved_rows = {
    .name = "moved_rows",
    .about = "padding, cropping, pixels as channels and bilinear upsampling in a stream, a row a "
             "call",
    .rows = true,
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
