/* conv2d: y[r][c][o] = sum over i, j, k of x'[r * stride_h + i * dilation_h - pad_top][c * stride_w
 * + j * dilation_w - pad_left][k] * kernel[i][j][k][o]
 *
 * x' is x with each pixel repeated up_h and up_w times (1 as written by the user; the pass `fold`
 * raises them), zero outside. Padding "same" is TensorFlow's: ceil(size / stride) outputs, the odd
 * zero after. With groups the channels of x and y are cut into so many, and each group of y reads
 * its own of x: k counts within it. The gradients are the transposes of this sum. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static const char *zeros_text(const Node *node)
{
    bool none = true;
    for (int i = 0; node->op->numbers[i]; i++)
        none = none && (strncmp(node->op->numbers[i], "pad_", 4) != 0 || node->number[i] == 0);
    return none ? " with padding \"valid\"" : "";
}

static void want_fitting(const Node *node, const ConvShape *s)
{
    bool dilated = s->dilation_h > 1 || s->dilation_w > 1;
    int height = s->in_h * s->up_h + node_number(node, "pad_top") + node_number(node, "pad_bottom"),
        width = s->in_w * s->up_w + node_number(node, "pad_left") + node_number(node, "pad_right");
    if (s->out_h > 0 && s->out_w > 0)
        return;
    fail(node->loc,
         "conv2d: a %dx%d kernel%s%s does not fit into %dx%d%s; use padding = \"same\" or a "
         "smaller %s",
         s->kernel_h, s->kernel_w,
         dilated ? arena_format(", which spans %dx%d,", s->window_h, s->window_w) : "",
         zeros_text(node), height, width, *zeros_text(node) ? "" : ", padding included",
         dilated ? "kernel or dilation" : "kernel");
}

static void conv2d_shape(Node *node)
{
    want_image(node, node->input[0]);
    ConvShape s = conv_shape(node);
    want_fitting(node, &s);
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
    node->shape = (Shape){ 4, { s.kernel_h, s.kernel_w, s.ci / s.groups, s.co } };
    node->type = TYPE_REAL;
}

static Node *conv2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0];
    double numbers[MAX_NUMBERS];
    if (i == 1)
        return node_new(graph, &op_conv2d_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, dy }, node->number);
    memcpy(numbers, node->number, sizeof numbers);
    numbers[CONV_NUMBER_COUNT] = x->shape.dim[0];
    numbers[CONV_NUMBER_COUNT + 1] = x->shape.dim[1];
    return node_new(graph, &op_conv2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, numbers);
}

static bool conv2d_scale(const Node *node, int axis, int *up, int *down)
{
    static const char *const before[] = { "pad_top", "pad_left" }, *const after[] = { "pad_bottom",
                                                                                      "pad_right" };
    ConvShape s = conv_shape(node);
    int window = axis ? s.window_w : s.window_h, stride = axis ? s.stride_w : s.stride_h;
    int zeros = node_number(node, before[axis]) + node_number(node, after[axis]);
    (void)up;
    *down = stride;
    return zeros >= window - stride && zeros < window;
}

const Op op_conv2d = { .name = "conv2d",
                       .arity = 2,
                       .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE },
                       .implied = conv_implies,
                       .shape = conv2d_shape,
                       .gradient = conv2d_gradient,
                       .macs = conv_macs,
                       .scale = conv2d_scale,
                       .role = ROLE_CORE,
                       .reads_pixels = true };
const Op op_conv2d_dx = { .name = "conv2d_dx",
                          .arity = 2,
                          .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE, "height", "width" },
                          .implied = conv_implies,
                          .shape = conv2d_dx_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DX,
                          .gradient_of = &op_conv2d };
const Op op_conv2d_dw = { .name = "conv2d_dw",
                          .arity = 2,
                          .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE },
                          .implied = conv_implies,
                          .shape = conv2d_dw_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DW,
                          .gradient_of = &op_conv2d };

enum { FILTERS, KERNEL, STRIDE, PADDING, DILATION, GROUPS, ACTIVATION, USE_BIAS };

static ConvNumbers numbers_of(const Layer *layer, const Arg *args, const Node *x)
{
    ConvNumbers n = conv_numbers_of(layer, (ConvArgs){ .kernel = &args[KERNEL],
                                                       .stride = &args[STRIDE],
                                                       .padding = &args[PADDING],
                                                       .dilation = &args[DILATION],
                                                       .groups = &args[GROUPS] });
    for (int axis = 0; axis < 2 && n.same; axis++) {
        int in = x->shape.dim[axis], stride = n.stride[axis];
        conv_pad_same(&n, axis, in, (in + stride - 1) / stride);
    }
    return n;
}

static Node *conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    want_image(&layer->model, x);
    int channels = x->shape.dim[2];
    ConvLayer conv = { .op = &op_conv2d,
                       .numbers = numbers_of(layer, args, x),
                       .filters = (int)args[FILTERS].number,
                       .activation = args[ACTIVATION].text,
                       .padding = conv_padding_text(&args[PADDING]),
                       .use_bias = args[USE_BIAS].number != 0 };
    want_groups(layer, &args[GROUPS], channels, conv.filters);
    conv.in = channels / conv.numbers.groups;
    conv.out = conv.filters;
    return conv_layer(layer, &conv, x);
}

const LayerSpec layer_conv2d = {
    "conv2d",
    "conv",
    "two-dimensional convolution",
    {
        { "filters", ARG_INT, .required = true, .min = 1, .max = 1 << 16 },
        { "kernel", ARG_PAIR, .required = true, .min = 1, .max = 255 },
        { "stride", ARG_PAIR, .number = 1, .min = 1, .max = 255 },
        { "padding", ARG_PADDING, .text = "same", .choices = padding_names, .min = 0, .max = 255 },
        { "dilation", ARG_PAIR, .number = 1, .min = 1, .max = 255 },
        { "groups", ARG_INT, .number = 1, .min = 1, .max = 1 << 16 },
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
    },
    conv2d_build,
};
