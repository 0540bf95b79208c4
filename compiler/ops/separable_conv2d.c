/* separable_conv2d: a depthwise convolution, then one by 1x1 over its channels, with bias and
 * activation. It has no operator of its own. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

/* The first argument is its own; then come those of the depthwise convolution. */
enum { FILTERS, DEPTHWISE, ACTIVATION = DEPTHWISE + DEPTHWISE_ARGUMENTS, USE_BIAS };

/* A convolution by 1x1: all its numbers are 1, kernel, stride and whatever else, but for zeros at
   its borders, of which it needs none. */
static Node *pointwise_node(Layer *layer, Node *x, Node *w)
{
    double numbers[MAX_NUMBERS];
    for (int i = 0; op_conv2d.numbers[i]; i++)
        numbers[i] = strncmp(op_conv2d.numbers[i], "pad", 3) != 0;
    return layer_node(layer, &op_conv2d, "", x, w, numbers);
}

static Node *separable_conv2d_build(Layer *layer, const Arg *args, Node *x)
{
    const int filters = (int)args[FILTERS].number;
    Node *y = depthwise_node(layer, "depthwise", args + DEPTHWISE, x, "depthwise_kernel");
    const int channels = y->shape.dim[2];
    Node *w = layer_parameter(layer, "pointwise_kernel", (Shape){ 4, { 1, 1, channels, filters } },
                              glorot_limit(channels, filters));
    y = pointwise_node(layer, y, w);
    if (args[USE_BIAS].number) {
        Node *b = layer_parameter(layer, "bias", (Shape){ 1, { filters } }, 0);
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    }
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
