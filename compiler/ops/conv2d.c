/* conv2d: y[r][c][o] = sum over i, j, k of x'[r * stride_h + i * dilation_h - pad_top][c * stride_w
 * + j * dilation_w - pad_left][k] * kernel[i][j][k][o]
 *
 * x' is x with each pixel repeated up_h and up_w times (1 as written by the user; the pass `fold`
 * raises them), zero outside. Padding "same" is TensorFlow's: ceil(size / stride) outputs, the odd
 * zero after. With groups the channels of x and y are cut into so many, and each group of y reads
 * its own of x: k counts within it. The gradients are the transposes of this sum. */
#include "layer.h"

static Node *conv2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return conv_gradient(graph, node, dy, i ? &op_conv2d_dw : &op_conv2d_dx);
}

const Op op_conv2d = { .name = "conv2d",
                       .arity = 2,
                       .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE },
                       .implied = conv_implies,
                       .shape = conv_gathered_shape,
                       .gradient = conv2d_gradient,
                       .macs = conv_macs,
                       .scale = conv_scale,
                       .role = ROLE_CORE,
                       .reads_pixels = true };
const Op op_conv2d_dx = { .name = "conv2d_dx",
                          .arity = 2,
                          .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE, "height", "width" },
                          .implied = conv_implies,
                          .shape = conv_gradient_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DX,
                          .gradient_of = &op_conv2d };
const Op op_conv2d_dw = { .name = "conv2d_dw",
                          .arity = 2,
                          .numbers = { CONV_WINDOW, "up_h", "up_w", CONV_PLACE },
                          .implied = conv_implies,
                          .shape = conv_gradient_shape,
                          .macs = conv_macs,
                          .direction = DIRECTION_DW,
                          .gradient_of = &op_conv2d };

enum { FILTERS, KERNEL, STRIDE, PADDING, DILATION, GROUPS, ACTIVATION, USE_BIAS };

static Node *conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    want_image(&layer->model, x);
    int channels = x->shape.dim[2];
    const ConvArgs numbers = { &args[KERNEL], &args[STRIDE], &args[PADDING], &args[DILATION],
                               (int)args[GROUPS].number };
    ConvLayer conv = { .op = &op_conv2d,
                       .numbers = conv_numbers_gathering(layer, &numbers, x),
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
