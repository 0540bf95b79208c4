/* layer.h - what the files of this room share and no other room asks for: how a word makes its
 * nodes and parameters, and the numbers, arguments and rules that several words have in common. */
#ifndef CAEC_LAYER_H
#define CAEC_LAYER_H

#include "ops.h"

/* For build functions: appends a node of the layer. `suffix` "" names it as the layer, "relu" as
   "<layer>.relu". */
Node *layer_node(Layer *layer, const Op *op, const char *suffix, Node *a, Node *b,
                 const double *numbers);

/* For operators that take no pixels: x itself, or a node "<layer>.reals" that has the image's
   pixels as reals. */
Node *layer_reals(Layer *layer, Node *x);

/* Suffix of the i-th of `count` nodes that a layer makes one after the other: the last is called as
   the layer. */
const char *layer_part(int i, int count);

/* A parameter "<layer>.<suffix>" of the graph. limit, fill: see Parameter. layer_statistic: one
   that is not trained. */
Node *layer_parameter(Layer *layer, const char *suffix, Shape shape, double limit);
Node *layer_parameter_filled(Layer *layer, const char *suffix, Shape shape, double fill);
Node *layer_statistic(Layer *layer, const char *suffix, Shape shape, double fill);

/* The activation of that name on x ("linear": x itself). */
Node *layer_activation(Layer *layer, const char *activation, Node *x);

/* sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010, "Understanding the difficulty of training
   deep feedforward neural networks", equation 16. */
double glorot_limit(double fan_in, double fan_out);

/* Of a gradient that makes its node's input again: the node's numbers, then "height" and "width" of
   that input. */
const double *numbers_with_size(const Node *node);

/* Fails at the word's layer where its input, flat, is no image of height x width x channels. */
void want_image(const Node *node, const Node *input);

/* The places where a max-pool finds its maxima: the node that is there, or a new one. */
Node *max_pool2d_codes(Graph *graph, Node *pool);

/* For operators that draw: 1, 2, ..., so that no two layers of a graph draw the same. */
int next_stream(const Graph *graph);

/* Op.taken_in of batch_norm by its moving statistics. */
Node *batch_norm_taken_in(Graph *graph, const Node *norm, const Node *core, const Node *bias,
                          Node *x);

/* Names of a padding, for ARG_PADDING. */
extern const char *const padding_names[];

/* ---- tied layers ---- */

/* For words whose kernel may be another layer's, transposed: their argument; the product of the
   layer that it names, whose kernel is input 1. Sets layer->tied. Fails where that layer is of
   another kind than `of`, or tied itself. */
#define TIED_ARG                         \
    {                                    \
        "tied", ARG_TIED, .text = "none" \
    }
Node *tied_core(Layer *layer, const Arg *tied, const Op *of);

/* Then: fail at the argument where it is not what comes with that kernel; and where what comes in
   has other values or channels. */
void want_tied_number(const Layer *layer, const Arg *argument, const char *name, int given,
                      int wanted);
void want_tied_pair(const Layer *layer, const Arg *argument, const char *name, const int given[2],
                    const int wanted[2]);
void want_tied_input(const Layer *layer, const Arg *tied, const Node *x, int given, int wanted);

/* ---- convolutions ---- */

/* Multiply-adds, counted on the whole input, zeros of the padding and repeated pixels included, as
   everybody counts. */
double conv_macs(const Node *node);

/* Op.shape of those that gather forward, which fails where no window fits, and of all gradients;
   Op.scale of those that gather forward. */
void conv_gathered_shape(Node *node);
void conv_gradient_shape(Node *node);
bool conv_scale(const Node *node, int axis, int *up, int *down);

/* For Op.gradient: the node of that gradient. What numbers a dX has beyond the convolution's are
   the height and width of x. */
Node *conv_gradient(Graph *graph, Node *node, Node *dy, const Op *gradient);

/* The numbers that all convolutions and their gradients share, in this order; between the two lists
   conv2d has up_h and up_w, which `fold` raises. `same`: the padding is "same". The padding of a
   transposed one is what makes a convolution of its output one of its input's size: below 0 where
   no window meets the last rows or columns. */
#define CONV_WINDOW "kernel_h", "kernel_w", "stride_h", "stride_w", "same"
#define CONV_PLACE \
    "dilation_h", "dilation_w", "pad_top", "pad_left", "pad_bottom", "pad_right", "groups"

typedef struct ConvNumbers {
    int kernel[2], stride[2], same, dilation[2], pad[4], groups;
} ConvNumbers;

/* They as a node of that operator has them. */
const double *conv_numbers(const Op *op, const ConvNumbers *numbers);

/* Op.implied of them. */
bool conv_implies(const Node *node, int i);

/* What a window spans along an axis; the zeros that "same" puts on both sides of `in` for `out`
   windows. */
int conv_window(const ConvNumbers *numbers, int axis);
void conv_pad_same(ConvNumbers *numbers, int axis, int in, int out);

/* What the arguments of a word say, in numbers. */
typedef struct ConvArgs {
    const Arg *kernel, *stride, *padding, *dilation;
    int groups;
} ConvArgs;

enum { MAX_WINDOW = 2048 };

/* "same" is not yet in numbers; conv_numbers_gathering: it is, for windows over x. Both fail where
   a window would span more than MAX_WINDOW rows or columns. */
ConvNumbers conv_numbers_of(const Layer *layer, const ConvArgs *args);
ConvNumbers conv_numbers_gathering(const Layer *layer, const ConvArgs *args, const Node *x);

/* y and a bias of the layer. */
Node *layer_bias(Layer *layer, Node *y);

/* What conv2d and conv2d_transpose have in common. Bias and activation are those of the layer, and
   so is the kernel where none is given; `out` and `in`: its last two sides. */
typedef struct ConvLayer {
    const Op *op;
    Node *kernel; /* NULL: the layer's own */
    ConvNumbers numbers;
    int filters, in, out;
    const char *activation, *padding; /* padding: for the summary, "" where it is the usual */
    bool use_bias;
} ConvLayer;

Node *conv_layer(Layer *layer, const ConvLayer *conv, Node *x);

/* ", stride 2", ", padding 1x2": two numbers that are one where they are equal; "" where both are
   `usual`. */
const char *conv_pair_text(const char *name, const int pair[2], int usual);

const char *conv_padding_text(const Arg *padding);

/* Fails where the channels cannot be cut into so many groups. */
void want_groups(const Layer *layer, const Arg *groups, int channels, int filters);

/* ---- pools ---- */

/* For operators of pools: their numbers, Op.implied, shape and Op.scale. pool_gradient: a node
   of that operator with numbers_with_size, whose shape pool_dx_shape sets. */
#define POOL_NUMBERS \
    "size_h", "size_w", "stride_h", "stride_w", "pad_top", "pad_left", "pad_bottom", "pad_right"
bool pool_implies(const Node *node, int i);
Shape pool_shape(const Node *node);
bool pool_scale(const Node *node, int axis, int *up, int *down);
Node *pool_gradient(Graph *graph, const Node *node, const Op *op, Node *const *inputs);
void pool_dx_shape(Node *node);

/* For words of pools: their arguments, sizes up to `most`; the node. Fails where a window does not
   fit or could lie on padding alone. */
#define POOL_ARGS(most)                                                                    \
    { "size", ARG_PAIR, .number = 2, .min = 1, .max = (most) },                            \
        { "stride", ARG_PAIR, .text = "size", .min = 1, .max = 255 },                      \
    {                                                                                      \
        "padding", ARG_PADDING, .max = (most)-1, .text = "valid", .choices = padding_names \
    }
Node *layer_pool(Layer *layer, const Op *op, const Arg *args, Node *x);

/* ---- depthwise convolutions ---- */

/* The arguments that depthwise_conv2d and separable_conv2d share, in this order. */
enum {
    DEPTHWISE_KERNEL,
    DEPTHWISE_STRIDE,
    DEPTHWISE_PADDING,
    DEPTHWISE_DILATION,
    DEPTHWISE_MULTIPLIER,
    DEPTHWISE_ARGUMENTS
};

/* clang-format off */
#define DEPTHWISE_ARGS                                                                \
    { "kernel", ARG_PAIR, .required = true, .min = 1, .max = 255 },                   \
    { "stride", ARG_PAIR, .number = 1, .min = 1, .max = 255 },                        \
    { "padding", ARG_PADDING, .text = "same", .max = 255,                             \
      .choices = padding_names },                                                \
    { "dilation", ARG_PAIR, .number = 1, .min = 1, .max = 255 },                      \
    { "depth_multiplier", ARG_INT, .number = 1, .min = 1, .max = 255 }
/* clang-format on */

/* For build functions, from these arguments: the convolution with its parameter, and what the
   summary says of it. */
Node *depthwise_node(Layer *layer, const char *suffix, const Arg *args, Node *x,
                     const char *kernel);
const char *depthwise_detail(const Arg *args);

/* ---- losses ---- */

/* For losses: the numbers of their nodes and gradients that come first, which loss_node gives.
   `up`: how often each pixel of the output is repeated in both directions, which `fold` raises.
   loss_implies: Op.implied of them. Those of the word's arguments follow, in their order. */
#define LOSS_NUMBERS "up", "weight"
bool loss_implies(const Node *node, int i);
Node *loss_node(Layer *layer, const Op *op, const LossTerm *term, double up, Node *output,
                Node *target);

/* The output (repeated `up` times) has the shape of the target: what losses check. loss_shape: of
   the loss, one number; loss_dx_shape: of its gradient. */
void loss_shape(Node *node);
void loss_dx_shape(Node *node);

#endif
