/* separable_conv2d: a depthwise convolution, then one by 1x1 over its channels, with bias and
 * activation. It has no operator of its own. */
#include "layer.h"

#include "../base/arena.h"

/* The first argument is its own; then come those of the depthwise convolution. */
enum { FILTERS, DEPTHWISE, ACTIVATION = DEPTHWISE + DEPTHWISE_ARGUMENTS, USE_BIAS };

static const ConvNumbers pointwise = {
    .kernel = { 1, 1 }, .stride = { 1, 1 }, .same = 1, .dilation = { 1, 1 }, .groups = 1
};

static Node *separable_conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    const int filters = (int)args[FILTERS].number;
    Node *y = depthwise_node(layer, "depthwise", args + DEPTHWISE, x, "depthwise_kernel");
    const int channels = y->shape.dim[2];
    Node *w = layer_parameter(layer, "pointwise_kernel", (Shape){ 4, { 1, 1, channels, filters } },
                              glorot_limit(channels, filters));
    y = layer_node(layer, &op_conv2d, "", y, w, conv_numbers(&op_conv2d, &pointwise));
    if (args[USE_BIAS].number)
        y = layer_bias(layer, y);
    layer->detail = arena_format("%d filters %s, %s", filters, depthwise_detail(args + DEPTHWISE),
                                 args[ACTIVATION].text);
    return layer_activation(layer, args[ACTIVATION].text, y);
}

const LayerSpec layer_separable_conv2d = {
    "separable_conv2d",
    "sepconv",
    "convolution of each channel by itself, then of all channels by 1x1",
    {
        { "filters", ARG_INT, .required = true, .min = 1, .max = 1 << 16 },
        DEPTHWISE_ARGS,
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
    },
    separable_conv2d_build,
};
