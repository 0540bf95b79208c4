/* conv2d: y[r][c][o] = sum over i, j, k of x'[r * stride + i - pad_top][c * stride + j -
 * pad_left][k] * kernel[i][j][k][o]
 *
 * x' is x with each pixel repeated `up` times in both directions (1 as written by the user; the
 * pass `fold` raises it), zero outside. Padding "same" is TensorFlow's: ceil(size / stride)
 * outputs, the odd zero after. The gradients are the transposes of this sum. */
#include "ops.h"

#include "../base/arena.h"

static void conv2d_shape(Node *node)
{
    want_image(node, node->input[0]);
    ConvShape s = conv_shape(node);
    if (!node_number(node, "same") && (s.kernel > s.in_h * s.up || s.kernel > s.in_w * s.up))
        fail(node->loc,
             "conv2d: a %dx%d kernel with padding \"valid\" does not fit into %dx%d; use padding = "
             "\"same\" or a smaller kernel",
             s.kernel, s.kernel, s.in_h * s.up, s.in_w * s.up);
    node->shape = shape_hwc(s.out_h, s.out_w, s.co);
    node->type = TYPE_REAL;
}

static void conv2d_dx_shape(Node *node)
{
    ConvShape s = conv_shape(node);
    node->shape = shape_hwc(s.in_h, s.in_w, s.ci);
    node->type = TYPE_REAL;
}

static void conv2d_dw_shape(Node *node)
{
    ConvShape s = conv_shape(node);
    node->shape = (Shape){ 4, { s.kernel, s.kernel, s.ci, s.co } };
    node->type = TYPE_REAL;
}

static Node *conv2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0];
    const double *n = node->number;
    if (i == 1)
        return node_new(graph, &op_conv2d_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, dy }, n);
    const double numbers[] = { n[0], n[1], n[2], n[3], x->shape.dim[0], x->shape.dim[1] };
    return node_new(graph, &op_conv2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, numbers);
}

double conv_macs(const Node *node)
{
    ConvShape s = conv_shape(node);
    return (double)s.out_h * s.out_w * s.co * s.kernel * s.kernel * s.ci;
}

static bool conv2d_scale(const Node *node, int axis, int *up, int *down)
{
    (void)axis;
    (void)up;
    *down = node_number(node, "stride");
    return node_number(node, "same") || node_number(node, "kernel") == 1;
}

#define CONV_NUMBERS "kernel", "stride", "same", "up"

const Op op_conv2d = { .name = "conv2d",
                       .arity = 2,
                       .numbers = { CONV_NUMBERS },
                       .shape = conv2d_shape,
                       .gradient = conv2d_gradient,
                       .macs = conv_macs,
                       .scale = conv2d_scale,
                       .role = ROLE_CORE,
                       .reads_pixels = true };
const Op op_conv2d_dx = { .name = "conv2d_dx",
                          .arity = 2,
                          .numbers = { CONV_NUMBERS, "height", "width" },
                          .shape = conv2d_dx_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DX,
                          .gradient_of = &op_conv2d };
const Op op_conv2d_dw = { .name = "conv2d_dw",
                          .arity = 2,
                          .numbers = { CONV_NUMBERS },
                          .shape = conv2d_dw_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DW,
                          .gradient_of = &op_conv2d };

enum { FILTERS, KERNEL, STRIDE, PADDING, ACTIVATION, USE_BIAS };

static Node *conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    int filters = (int)args[FILTERS].number, kernel = (int)args[KERNEL].number,
        stride = (int)args[STRIDE].number;
    int same = args[PADDING].text[0] == 's';
    want_image(&layer->model, x);
    int ci = x->shape.dim[2];
    double taps = (double)kernel * kernel;
    Node *w = layer_parameter(layer, "kernel", (Shape){ 4, { kernel, kernel, ci, filters } },
                              glorot_limit(taps * ci, taps * filters));
    Node *b = args[USE_BIAS].number ? layer_parameter(layer, "bias", (Shape){ 1, { filters } }, 0)
                                    : NULL;
    Node *y = layer_node(layer, &op_conv2d, "", x, w, (double[]){ kernel, stride, same, 1 });
    if (b)
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    layer->detail = arena_format("%d filters %dx%d%s%s, %s", filters, kernel, kernel,
                                 stride > 1 ? arena_format(", stride %d", stride) : "",
                                 same ? "" : ", valid", args[ACTIVATION].text);
    return layer_activation(layer, args[ACTIVATION].text, y);
}

static const char *const paddings[] = { "same", "valid", NULL };

const LayerSpec layer_conv2d = {
    "conv2d",
    "conv",
    "two-dimensional convolution",
    {
        { "filters", ARG_INT, .required = true, .min = 1, .max = 1 << 16 },
        { "kernel", ARG_INT, .required = true, .min = 1, .max = 255 },
        { "stride", ARG_INT, .number = 1, .min = 1, .max = 255 },
        { "padding", ARG_CHOICE, .text = "same", .choices = paddings },
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
    },
    conv2d_build,
};
