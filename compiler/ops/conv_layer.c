/* What the words of convolutions have in common: numbers, kernel, bias, activation and the words of
   the summary. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

/* From one tap of a kernel to the next; 1 where it has one tap. */
static int layer_dilation(const Layer *layer, const ConvArgs *args, int axis)
{
    const int taps = args->kernel->pair[axis], apart = taps > 1 ? args->dilation->pair[axis] : 1,
              window = (taps - 1) * apart + 1;
    if (window > MAX_WINDOW)
        fail(args->dilation->loc,
             "%s: a kernel of %d with a dilation of %d spans %d %s; at most %d: use a smaller "
             "kernel or dilation",
             layer->model.word, taps, apart, window, axis ? "columns" : "rows", MAX_WINDOW);
    return apart;
}

ConvNumbers conv_numbers_of(const Layer *layer, const ConvArgs *args)
{
    const char *padding = args->padding->text;
    ConvNumbers n = { .same = padding && padding[0] == 's', .groups = args->groups };
    memcpy(n.kernel, args->kernel->pair, sizeof n.kernel);
    memcpy(n.stride, args->stride->pair, sizeof n.stride);
    for (int axis = 0; axis < AXES; axis++)
        n.dilation[axis] = layer_dilation(layer, args, axis);
    if (!padding)
        memcpy(n.pad, args->padding->pad, sizeof n.pad);
    return n;
}

ConvNumbers conv_numbers_gathering(const Layer *layer, const ConvArgs *args, const Node *x)
{
    ConvNumbers n = conv_numbers_of(layer, args);
    for (int axis = 0; axis < AXES && n.same; axis++) {
        int in = x->shape.dim[axis], stride = n.stride[axis];
        conv_pad_same(&n, axis, in, (in + stride - 1) / stride);
    }
    return n;
}

const char *conv_pair_text(const char *name, const int pair[2], int usual)
{
    if (pair[0] == usual && pair[1] == usual)
        return "";
    return pair[0] == pair[1] ? arena_format(", %s %d", name, pair[0])
                              : arena_format(", %s %dx%d", name, pair[0], pair[1]);
}

const char *conv_padding_text(const Arg *padding)
{
    const int *pad = padding->pad;
    if (padding->text)
        return padding->text[0] == 's' ? "" : arena_format(", %s", padding->text);
    if (pad[0] == pad[2] && pad[1] == pad[3])
        return conv_pair_text("padding", pad, -1);
    return arena_format(", padding %d/%d/%d/%d", pad[0], pad[1], pad[2], pad[3]);
}

static int largest_groups(int groups, int channels, int filters)
{
    while (groups > 1 && (channels % groups || filters % groups))
        groups--;
    return groups;
}

void want_groups(const Layer *layer, const Arg *argument, int channels, int filters)
{
    const int groups = (int)argument->number;
    if (channels % groups == 0 && filters % groups == 0)
        return;
    fail(argument->loc,
         "%s: %d channels and %d filters cannot both be cut into %d groups; use groups = %d, or "
         "numbers of channels and filters that %d divides",
         layer->model.word, channels, filters, groups, largest_groups(groups, channels, filters),
         groups);
}

static const char *detail(const ConvLayer *conv)
{
    const ConvNumbers *n = &conv->numbers;
    int usual = conv->op == &op_conv2d ? 1 : 0;
    return arena_format("%d filters %dx%d%s%s%s%s, %s%s", conv->filters, n->kernel[0], n->kernel[1],
                        conv_pair_text("stride", n->stride, usual), conv->padding,
                        conv_pair_text("dilation", n->dilation, 1),
                        n->groups > 1 ? arena_format(", %d groups", n->groups) : "",
                        conv->activation, conv->kernel ? ", tied" : "");
}

Node *layer_bias(Layer *layer, Node *y)
{
    Node *b = layer_parameter(layer, "bias", (Shape){ 1, { y->shape.dim[2] } }, 0);
    return layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
}

static Node *own_kernel(Layer *layer, const ConvLayer *conv)
{
    const ConvNumbers *n = &conv->numbers;
    double taps = (double)n->kernel[0] * n->kernel[1];
    return layer_parameter(layer, "kernel",
                           (Shape){ 4, { n->kernel[0], n->kernel[1], conv->in, conv->out } },
                           glorot_limit(taps * conv->in, taps * conv->out));
}

Node *conv_layer(Layer *layer, const ConvLayer *conv, Node *x)
{
    const ConvNumbers *n = &conv->numbers;
    Node *w = conv->kernel ? conv->kernel : own_kernel(layer, conv);
    Node *b = conv->use_bias ? layer_parameter(layer, "bias", (Shape){ 1, { conv->filters } }, 0)
                             : NULL;
    Node *y = layer_node(layer, conv->op, "", x, w, conv_numbers(conv->op, n));
    if (b)
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    layer->detail = detail(conv);
    return layer_activation(layer, conv->activation, y);
}
