/* depthwise_conv2d: y[r][c][k * multiplier + q] = sum over i, j of x'[r * stride_h + i * dilation_h
 * - pad_top][c * stride_w + j * dilation_w - pad_left][k] * kernel[i][j][k][q]
 *
 * x' is x, zero outside. Each channel has filters of its own, depth_multiplier of them. Padding
 * "same" is TensorFlow's: ceil(size / stride) outputs, the odd zero after. The gradients are the
 * transposes of this sum. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static Node *depthwise_conv2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return conv_gradient(graph, node, dy, i ? &op_depthwise_conv2d_dw : &op_depthwise_conv2d_dx);
}

/* There are as many groups as channels, and the padding is always written in numbers. */
static bool depthwise_implies(const Node *node, int i)
{
    const char *name = node->op->numbers[i];
    return strcmp(name, "same") == 0 || strcmp(name, "groups") == 0;
}

const Op op_depthwise_conv2d = { .name = "depthwise_conv2d",
                                 .arity = 2,
                                 .numbers = { CONV_WINDOW, CONV_PLACE },
                                 .implied = depthwise_implies,
                                 .shape = conv_gathered_shape,
                                 .gradient = depthwise_conv2d_gradient,
                                 .macs = conv_macs,
                                 .scale = conv_scale,
                                 .role = ROLE_CORE,
                                 .reads_pixels = true };
const Op op_depthwise_conv2d_dx = { .name = "depthwise_conv2d_dx",
                                    .arity = 2,
                                    .numbers = { CONV_WINDOW, CONV_PLACE, "height", "width" },
                                    .implied = depthwise_implies,
                                    .shape = conv_gradient_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DX,
                                    .gradient_of = &op_depthwise_conv2d };
const Op op_depthwise_conv2d_dw = { .name = "depthwise_conv2d_dw",
                                    .arity = 2,
                                    .numbers = { CONV_WINDOW, CONV_PLACE },
                                    .implied = depthwise_implies,
                                    .shape = conv_gradient_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DW,
                                    .gradient_of = &op_depthwise_conv2d };

Node *depthwise_node(Layer *layer, const char *suffix, const Arg *args, Node *x, const char *kernel)
{
    want_image(&layer->model, x);
    const int channels = x->shape.dim[2], multiplier = (int)args[DEPTHWISE_MULTIPLIER].number;
    const ConvArgs given = { &args[DEPTHWISE_KERNEL], &args[DEPTHWISE_STRIDE],
                             &args[DEPTHWISE_PADDING], &args[DEPTHWISE_DILATION], channels };
    const ConvNumbers n = conv_numbers_gathering(layer, &given, x);
    const double taps = (double)n.kernel[0] * n.kernel[1];
    Node *w = layer_parameter(layer, kernel,
                              (Shape){ 4, { n.kernel[0], n.kernel[1], channels, multiplier } },
                              glorot_limit(taps * channels, taps * multiplier));
    return layer_node(layer, &op_depthwise_conv2d, suffix, x, w,
                      conv_numbers(&op_depthwise_conv2d, &n));
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
    if (args[USE_BIAS].number)
        y = layer_bias(layer, y);
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
