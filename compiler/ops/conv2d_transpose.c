/* conv2d_transpose: learned upsampling. What conv2d { stride, padding = "same" } is to an image
 * `stride` times as large, this is backwards: y[r * stride + i - pad][c * stride + j - pad][o] is
 * the sum of x[r][c][k] * kernel[i][j][o][k] (kernel HWOI), which is the dX of that convolution. So
 * its gradient by x is that convolution of dy, and the gradient by the kernel is that convolution's
 * dW with the roles of x and dy exchanged. */
#include "ops.h"

#include "../base/arena.h"

static void transpose_shape(Node *node)
{
    const int *x = node->input[0]->shape.dim;
    int stride = node_number(node, "stride");
    want_image(node, node->input[0]);
    if ((int64_t)x[0] * stride > MAX_SIDE || (int64_t)x[1] * stride > MAX_SIDE)
        fail(node->loc, "conv2d_transpose: %s times %d is more than %d along a side",
             shape_text(node->input[0]->shape), stride, MAX_SIDE);
    ConvShape s = conv_shape(node);
    node->shape = shape_hwc(s.in_h, s.in_w, s.ci);
    node->type = TYPE_REAL;
}

static void transpose_dx_shape(Node *node)
{
    ConvShape s = conv_shape(node);
    node->shape = shape_hwc(s.out_h, s.out_w, s.co);
    node->type = TYPE_REAL;
}

static void transpose_dw_shape(Node *node)
{
    ConvShape s = conv_shape(node);
    node->shape = (Shape){ 4, { s.kernel, s.kernel, s.ci, s.co } };
    node->type = TYPE_REAL;
}

static Node *transpose_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0];
    if (i == 1)
        return node_new(graph, &op_conv2d_transpose_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, dy }, node->number);
    return node_new(graph, &op_conv2d_transpose_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, node->number);
}

static bool transpose_scale(const Node *node, int axis, int *up, int *down)
{
    (void)axis;
    (void)down;
    *up = node_number(node, "stride");
    return true;
}

const Op op_conv2d_transpose = { .name = "conv2d_transpose",
                                 .scale = transpose_scale,
                                 .role = ROLE_CORE,
                                 .arity = 2,
                                 .numbers = { "kernel", "stride" },
                                 .shape = transpose_shape,
                                 .gradient = transpose_gradient,
                                 .macs = conv_macs };
const Op op_conv2d_transpose_dx = { .name = "conv2d_transpose_dx",
                                    .arity = 2,
                                    .numbers = { "kernel", "stride" },
                                    .shape = transpose_dx_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DX,
                                    .gradient_of = &op_conv2d_transpose };
const Op op_conv2d_transpose_dw = { .name = "conv2d_transpose_dw",
                                    .arity = 2,
                                    .numbers = { "kernel", "stride" },
                                    .shape = transpose_dw_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DW,
                                    .gradient_of = &op_conv2d_transpose };

enum { FILTERS, KERNEL, STRIDE, ACTIVATION, USE_BIAS };

static Node *conv2d_transpose_build(Layer *layer, const Arg *args, Node *x)
{
    int filters = (int)args[FILTERS].number, kernel = (int)args[KERNEL].number,
        stride = (int)args[STRIDE].number;
    want_image(&layer->model, x);
    int ci = x->shape.dim[2];
    double taps = (double)kernel * kernel;
    Node *w = layer_parameter(layer, "kernel", (Shape){ 4, { kernel, kernel, filters, ci } },
                              glorot_limit(taps * ci, taps * filters));
    Node *b = args[USE_BIAS].number ? layer_parameter(layer, "bias", (Shape){ 1, { filters } }, 0)
                                    : NULL;
    Node *y = layer_node(layer, &op_conv2d_transpose, "", x, w, (double[]){ kernel, stride });
    if (b)
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    layer->detail = arena_format("%d filters %dx%d, stride %d, %s", filters, kernel, kernel, stride,
                                 args[ACTIVATION].text);
    return layer_activation(layer, args[ACTIVATION].text, y);
}

const LayerSpec layer_conv2d_transpose = {
    "conv2d_transpose",
    "deconv",
    "transposed convolution: learned upsampling",
    {
        { "filters", ARG_INT, .required = true, .min = 1, .max = 1 << 16 },
        { "kernel", ARG_INT, .required = true, .min = 1, .max = 255 },
        { "stride", ARG_INT, .number = 2, .min = 1, .max = 255 },
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
    },
    conv2d_transpose_build,
};
