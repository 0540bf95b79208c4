/* depthwise_conv2d: y[r][c][k * multiplier + q] = sum over i, j of x'[r * stride_h + i * dilation_h
 * - pad_top][c * stride_w + j * dilation_w - pad_left][k] * kernel[i][j][k][q]
 *
 * x' is x, zero outside. Each channel has filters of its own, depth_multiplier of them. Padding
 * "same" is TensorFlow's: ceil(size / stride) outputs, the odd zero after. The gradients are the
 * transposes of this sum. */
#include "layer.h"

#include "../base/arena.h"

static int outputs(int in, int kernel, int stride, int dilation, int pad)
{
    return (in + pad - (kernel - 1) * dilation - 1) / stride + 1;
}

DepthwiseShape depthwise_shape(const Node *node)
{
    const bool dx = node->op == &op_depthwise_conv2d_dx, dw = node->op == &op_depthwise_conv2d_dw;
    const int *x = node->input[0]->shape.dim, *other = node->input[1]->shape.dim;
    DepthwiseShape s = { .in_h = dx ? node_number(node, "height") : x[0],
                         .in_w = dx ? node_number(node, "width") : x[1],
                         .channels = dx ? other[2] : x[2],
                         .kernel_h = node_number(node, "kernel_h"),
                         .kernel_w = node_number(node, "kernel_w"),
                         .stride_h = node_number(node, "stride_h"),
                         .stride_w = node_number(node, "stride_w"),
                         .dilation_h = node_number(node, "dilation_h"),
                         .dilation_w = node_number(node, "dilation_w"),
                         .pad_top = node_number(node, "pad_top"),
                         .pad_left = node_number(node, "pad_left") };
    s.multiplier = dw ? other[2] / x[2] : other[3];
    s.out_h = outputs(s.in_h, s.kernel_h, s.stride_h, s.dilation_h,
                      s.pad_top + node_number(node, "pad_bottom"));
    s.out_w = outputs(s.in_w, s.kernel_w, s.stride_w, s.dilation_w,
                      s.pad_left + node_number(node, "pad_right"));
    return s;
}

static void depthwise_conv2d_shape(Node *node)
{
    DepthwiseShape s = depthwise_shape(node);
    node->shape = shape_hwc(s.out_h, s.out_w, s.channels * s.multiplier);
    node->type = TYPE_REAL;
}

static void depthwise_conv2d_dx_shape(Node *node)
{
    DepthwiseShape s = depthwise_shape(node);
    node->shape = shape_hwc(s.in_h, s.in_w, s.channels);
    node->type = TYPE_REAL;
}

static void depthwise_conv2d_dw_shape(Node *node)
{
    DepthwiseShape s = depthwise_shape(node);
    node->shape = (Shape){ 4, { s.kernel_h, s.kernel_w, s.channels, s.multiplier } };
    node->type = TYPE_REAL;
}

enum { NUMBERS = 10 };

static Node *depthwise_conv2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0];
    if (i == 1)
        return node_new(graph, &op_depthwise_conv2d_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, dy }, node->number);
    double numbers[NUMBERS + 2];
    for (int k = 0; k < NUMBERS; k++)
        numbers[k] = node->number[k];
    numbers[NUMBERS] = x->shape.dim[0];
    numbers[NUMBERS + 1] = x->shape.dim[1];
    return node_new(graph, &op_depthwise_conv2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, numbers);
}

static double depthwise_macs(const Node *node)
{
    DepthwiseShape s = depthwise_shape(node);
    return (double)s.out_h * s.out_w * s.channels * s.multiplier * s.kernel_h * s.kernel_w;
}

/* As long as its padding makes ceil(size / stride) of a side. */
static bool depthwise_scale(const Node *node, int axis, int *up, int *down)
{
    const int stride = node_number(node, axis ? "stride_w" : "stride_h"),
              in = node->input[0]->shape.dim[axis];
    (void)up;
    *down = stride;
    return node->shape.dim[axis] == (in + stride - 1) / stride;
}

#define DEPTHWISE_NUMBERS                                                                  \
    "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", \
        "pad_left", "pad_bottom", "pad_right"

const Op op_depthwise_conv2d = { .name = "depthwise_conv2d",
                                 .arity = 2,
                                 .numbers = { DEPTHWISE_NUMBERS },
                                 .shape = depthwise_conv2d_shape,
                                 .gradient = depthwise_conv2d_gradient,
                                 .macs = depthwise_macs,
                                 .scale = depthwise_scale,
                                 .role = ROLE_CORE,
                                 .reads_pixels = true };
const Op op_depthwise_conv2d_dx = { .name = "depthwise_conv2d_dx",
                                    .arity = 2,
                                    .numbers = { DEPTHWISE_NUMBERS, "height", "width" },
                                    .shape = depthwise_conv2d_dx_shape,
                                    .macs = depthwise_macs,
                                    .direction = DIRECTION_DX,
                                    .gradient_of = &op_depthwise_conv2d };
const Op op_depthwise_conv2d_dw = { .name = "depthwise_conv2d_dw",
                                    .arity = 2,
                                    .numbers = { DEPTHWISE_NUMBERS },
                                    .shape = depthwise_conv2d_dw_shape,
                                    .macs = depthwise_macs,
                                    .direction = DIRECTION_DW,
                                    .gradient_of = &op_depthwise_conv2d };

/* The zeros before and after one side. */
static void pad_same(int in, int kernel, int stride, int dilation, double *before, double *after)
{
    const int out = (in + stride - 1) / stride,
              total = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
    *before = total > 0 ? total / 2 : 0;
    *after = total > 0 ? total - total / 2 : 0;
}

/* top, left, bottom, right */
static void set_padding(const Arg *args, const int dilation[2], const Node *x, double pad[4])
{
    const int *kernel = args[DEPTHWISE_KERNEL].pair, *stride = args[DEPTHWISE_STRIDE].pair;
    const Arg *padding = &args[DEPTHWISE_PADDING];
    for (int i = 0; i < 4; i++)
        pad[i] = padding->text ? 0 : padding->pad[i];
    for (int i = 0; i < 2 && padding->text && padding->text[0] == 's'; i++)
        pad_same(x->shape.dim[i], kernel[i], stride[i], dilation[i], &pad[i], &pad[i + 2]);
}

static void check_fits(const Layer *layer, const Arg *args, const int dilation[2], const Node *x,
                       const double pad[4])
{
    const int *kernel = args[DEPTHWISE_KERNEL].pair;
    int reach[2], room[2];
    for (int i = 0; i < 2; i++) {
        reach[i] = (kernel[i] - 1) * dilation[i] + 1;
        room[i] = x->shape.dim[i] + (int)pad[i] + (int)pad[i + 2];
    }
    if (reach[0] <= room[0] && reach[1] <= room[1])
        return;
    const char *dilated = dilation[0] > 1 || dilation[1] > 1
                              ? arena_format(", dilated to %dx%d,", reach[0], reach[1])
                              : "";
    const char *padding = args[DEPTHWISE_PADDING].text ? " with padding \"valid\"" : "";
    fail(layer->model.loc,
         "%s: a %dx%d kernel%s%s does not fit into %dx%d%s; use padding = \"same\" or a smaller "
         "kernel",
         layer->model.word, kernel[0], kernel[1], dilated, padding, room[0], room[1],
         *padding ? "" : " with its padding");
}

Node *depthwise_node(Layer *layer, const char *suffix, const Arg *args, Node *x, const char *kernel)
{
    const Arg *window = &args[DEPTHWISE_KERNEL];
    const int *size = window->pair, *stride = args[DEPTHWISE_STRIDE].pair;
    const int multiplier = (int)args[DEPTHWISE_MULTIPLIER].number;
    int dilation[AXES];
    double pad[4];
    want_image(&layer->model, x);
    for (int axis = 0; axis < AXES; axis++)
        dilation[axis] = layer_dilation(layer, window, &args[DEPTHWISE_DILATION], axis);
    set_padding(args, dilation, x, pad);
    check_fits(layer, args, dilation, x, pad);
    const int channels = x->shape.dim[2];
    const double taps = (double)size[0] * size[1];
    Node *w = layer_parameter(layer, kernel,
                              (Shape){ 4, { size[0], size[1], channels, multiplier } },
                              glorot_limit(taps * channels, taps * multiplier));
    const double numbers[NUMBERS] = { size[0],     size[1], stride[0], stride[1], dilation[0],
                                      dilation[1], pad[0],  pad[1],    pad[2],    pad[3] };
    return layer_node(layer, &op_depthwise_conv2d, suffix, x, w, numbers);
}

const char *depthwise_detail(const Arg *args)
{
    const int multiplier = (int)args[DEPTHWISE_MULTIPLIER].number,
              *kernel = args[DEPTHWISE_KERNEL].pair;
    return arena_format("%dx%d%s%s%s%s", kernel[0], kernel[1],
                        multiplier > 1 ? arena_format(", %d a channel", multiplier) : "",
                        conv_pair_text("stride", args[DEPTHWISE_STRIDE].pair, 1),
                        conv_pair_text("dilation", args[DEPTHWISE_DILATION].pair, 1),
                        conv_padding_text(&args[DEPTHWISE_PADDING]));
}

enum { ACTIVATION = DEPTHWISE_ARGUMENTS, USE_BIAS };

static Node *depthwise_conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    Node *y = depthwise_node(layer, "", args, x, "kernel");
    if (args[USE_BIAS].number) {
        Node *b = layer_parameter(layer, "bias", (Shape){ 1, { y->shape.dim[2] } }, 0);
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    }
    layer->detail = arena_format("%s, %s", depthwise_detail(args), args[ACTIVATION].text);
    return layer_activation(layer, args[ACTIVATION].text, y);
}

const LayerSpec layer_depthwise_conv2d = {
    "depthwise_conv2d",
    "dwconv",
    "convolution of each channel by itself",
    {
        DEPTHWISE_ARGS,
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
    },
    depthwise_conv2d_build,
};
