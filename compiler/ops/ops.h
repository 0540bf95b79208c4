/* ops.h - what each operator is, and the words of the graph language that bring it.
 *
 * An operator (Op, ir/graph.h) computes one value. A word (LayerSpec) is what the user writes; it
 * may bring several nodes and parameters: conv2d brings a kernel, a bias, the convolution, the
 * addition of the bias and an activation. Every operator has a file here and a row in ops.def;
 * every activation a row in elementwise.def. The front end checks arguments by the tables below, so
 * a new argument is one row here. */
#ifndef CAEC_OPS_H
#define CAEC_OPS_H

#include "../ir/graph.h"

typedef enum ArgKind {
    ARG_INT,
    ARG_REAL,
    ARG_BOOL,
    ARG_CHOICE,
    ARG_SHAPE,
    ARG_PAIR, /* a whole number for both sides, or { height, width } */
    /* one of `choices`, if there are any, or zeros in whole numbers: one for all four sides,
       { height, width } or { top, left, bottom, right } */
    ARG_PADDING,
    ARG_REALS, /* a number, or a list of numbers, as one a channel */
    /* the full name of a layer that comes before, "encoder.conv1"; ARG_LAYERS: or a list of such
       names */
    ARG_LAYER,
    ARG_LAYERS
} ArgKind;

enum { MAX_ARGS = 12, AXES = 2 };

/* Most numbers of an ARG_REALS: the emitted C holds them all. */
enum { MAX_REALS = 4096 };

typedef struct ArgSpec {
    const char *name;
    ArgKind kind;
    bool required;
    double number;              /* default of ARG_INT, ARG_REAL, ARG_BOOL, ARG_REALS and, of both
                                   sides, ARG_PAIR */
    double min, max;            /* of ARG_INT, ARG_REAL and each number of ARG_PAIR, ARG_PADDING and
                                   ARG_REALS, both included; ARG_SHAPE is { height, width, channels
                                   } and always required */
    const char *text;           /* default of ARG_CHOICE and ARG_PADDING; of others, the default in
                                   words where it is no number */
    const char *const *choices; /* NULL-ended; of ARG_INT what it may be besides a number, which is
                                   then the default */
} ArgSpec;

/* A layer that another one names; its output is the value after its activation. */
typedef struct LayerRef {
    const char *name;
    Node *node;
} LayerRef;

typedef struct Arg {
    double number;
    const char *text; /* of ARG_PADDING: NULL where it is given in numbers */
    int pair[2];      /* of ARG_PAIR: height, width */
    int pad[4];       /* of ARG_PADDING in numbers: top, left, bottom, right */
    RealList reals;   /* of ARG_REALS: one, or as many as the list has */
    Loc loc;          /* of the argument's word; of the layer's word where it is left out */
    Shape shape;      /* of ARG_SHAPE */
    LayerRef *refs;   /* of ARG_LAYER (one) and ARG_LAYERS */
    int ref_count;
} Arg;

/* A layer being built: its names and place, which its nodes take over. */
typedef struct Layer {
    Graph *graph;
    const char *part;   /* "encoder" */
    Node model;         /* layer, word and loc are set */
    const char *detail; /* for the summary: set by build */
    bool leaves;        /* it does not read what comes in: set by build */
} Layer;

typedef struct LayerSpec {
    const char *word, *short_name; /* "max_pool2d", "pool": layers without a name are called
                                      short_name and a count */
    const char *about;
    ArgSpec args[MAX_ARGS + 1]; /* ended by name NULL */
    Node *(*build)(Layer *layer, const Arg *args, Node *x);
} LayerSpec;

typedef struct LossSpec {
    const char *word, *about;
    Node *(*build)(Layer *layer, Node *output, Node *target);
    bool wants_unit_range; /* output and target in 0..1 */
} LossSpec;

/* How often operators with a number `up` may repeat a pixel in either direction. */
enum { MAX_UP = 64 };

enum { MAX_STATES = 3 };

/* A value that an optimizer keeps of every parameter from update to update. */
typedef struct StateSpec {
    const char *name;  /* "m" */
    const char *where; /* it is kept only where this number is not 0; NULL: always */
} StateSpec;

/* An optimizer or a learning-rate schedule. What they do is the runtime's business
   (compute/rules.h, train/schedule.c); the names of the numbers are those of its members in
   model.h. runtime/settings.c has the same rows for the command line, and a test holds the two
   together. */
typedef struct ChoiceSpec {
    const char *word, *about;
    ArgSpec args[MAX_ARGS + 1];
    StateSpec states[MAX_STATES + 1]; /* of an optimizer; ended by name NULL */
} ChoiceSpec;

extern const LayerSpec *const layer_specs[]; /* these lists end with NULL */
extern const LossSpec *const loss_specs[];   /* the first is the default */
extern const ChoiceSpec *const optimizer_specs[];
extern const ChoiceSpec *const schedule_specs[];
extern const Op *const all_ops[];
extern const char *const activation_names[]; /* of elementwise.def, then "linear" */

/* "filters, kernel, stride = 1": those without a default are required. NULL where there are
   none. */
const char *args_text(const ArgSpec *args);

const LayerSpec *layer_find(const char *word); /* NULL: no such word */
const LossSpec *loss_find(const char *word);
const ChoiceSpec *optimizer_find(const char *word);
const ChoiceSpec *schedule_find(const char *word);

/* Whether the optimizer keeps the i-th value of its row with these numbers; how many it keeps. */
bool optimizer_keeps(const Choice *optimizer, int i);
int optimizer_states(const Choice *optimizer);

#define OP(name) extern const Op op_##name;
#define ELEMENTWISE(name, number, from, properties, value, gradient) \
    extern const Op op_##name, op_##name##_dx;
#define LAYER(name)
#define LOSS(name)
#define OPTIMIZER(name)
#define SCHEDULE(name)
#include "elementwise.def"
#include "ops.def"
#undef OP
#undef ELEMENTWISE
#undef LAYER
#undef LOSS
#undef OPTIMIZER
#undef SCHEDULE

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

/* Whether an activation is 0 below some value, and so is its gradient: what it makes 0 for every
   picture is dead, and of a window of such values all are equal. */
bool activation_is_zero_below(const Node *node);

/* Fails at the word's layer where its input, flat, is no image of height x width x channels. */
void want_image(const Node *node, const Node *input);

/* The places where a max-pool finds its maxima: the node that is there, or a new one. */
Node *max_pool2d_codes(Graph *graph, Node *pool);

/* The image under that name; `place` has its layer, word, place and shape. */
Node *image_node(Graph *graph, const char *name, Node place);

/* For passes. sum_of_gradients: a + b, of what two readers of the value `of` send back, under that
   name. pixels_as_reals: the image `pixels` as reals, where inference has it in the place of `of`:
   the node that is there, or a new one. */
Node *sum_of_gradients(Graph *graph, const Node *of, const char *name, Node *a, Node *b);
Node *pixels_as_reals(Graph *graph, const Node *of, Node *pixels);

/* What a convolution works on, in numbers; of conv2d, conv2d_dx and conv2d_dw alike. The virtual
   input is the input with its pixels repeated. A conv2d_transpose is described by the convolution
   whose dX it is: its output is the `in` here and its input the `out`. What zeros come after the
   virtual input, or what of it no window meets, follows from the sizes. */
typedef struct ConvShape {
    int in_h, in_w, ci; /* stored input */
    int up_h, up_w;     /* how often a pixel is repeated */
    int out_h, out_w, co;
    int kernel_h, kernel_w, stride_h, stride_w;
    int dilation_h, dilation_w; /* from one tap to the next */
    int window_h, window_w;     /* from the first tap up to the last, both included */
    int pad_top, pad_left;      /* zeros before the virtual input */
    int groups;                 /* channels of a group meet no others */
} ConvShape;

ConvShape conv_shape(const Node *node);

/* Of convolutions and their gradients. conv_scatters: each input adds to many outputs (dX of
   conv2d, conv2d_transpose itself), where the others gather each output from many inputs. */
bool conv_is(const Node *node);
bool conv_is_transpose(const Node *node);
bool conv_is_dw(const Node *node);
bool conv_scatters(const Node *node);

/* Multiply-adds, counted on the whole input, zeros of the padding and repeated pixels included, as
   everybody counts. */
double conv_macs(const Node *node);

/* The numbers that conv2d, conv2d_transpose and their gradients share, in this order; between the
   two lists conv2d has up_h and up_w, which `fold` raises. `same`: the
   padding is "same". The padding of a transposed one is what makes a convolution of its output one
   of its input's size: below 0 where no window meets the last rows or columns. */
#define CONV_WINDOW "kernel_h", "kernel_w", "stride_h", "stride_w", "same"
#define CONV_PLACE \
    "dilation_h", "dilation_w", "pad_top", "pad_left", "pad_bottom", "pad_right", "groups"

typedef struct ConvNumbers {
    int kernel[2], stride[2], same, dilation[2], pad[4], groups;
} ConvNumbers;

enum { CONV_NUMBER_COUNT = 14 }; /* of conv2d */

/* They as a node of conv2d or conv2d_transpose has them. */
const double *conv_numbers(const Op *op, const ConvNumbers *numbers);

/* Op.implied of them. */
bool conv_implies(const Node *node, int i);

/* What a window spans along an axis; the zeros that "same" puts on both sides of `in` for `out`
   windows. */
int conv_window(const ConvNumbers *numbers, int axis);
void conv_pad_same(ConvNumbers *numbers, int axis, int in, int out);

/* From one tap of a kernel to the next along an axis; 1 where it has one tap. Fails where a window
   would span more than MAX_WINDOW rows or columns. */
int layer_dilation(const Layer *layer, const Arg *kernel, const Arg *dilation, int axis);

/* What the arguments of a word say; "same" is not yet in numbers. Fails as layer_dilation does. */
typedef struct ConvArgs {
    const Arg *kernel, *stride, *padding, *dilation, *groups;
} ConvArgs;

enum { MAX_WINDOW = 2048 };

ConvNumbers conv_numbers_of(const Layer *layer, ConvArgs args);

/* What both words have in common. Kernel, bias and activation are those of the layer; `out` and
   `in`: the last two sides of the kernel. */
typedef struct ConvLayer {
    const Op *op;
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

/* The windows along an axis (0: height, 1: width) of a pool, of its by-product, of its gradient or
   of what puts back what it found: pixels of a window and from one to the next, and what is padded
   before the first pixel and after the last. */
typedef struct PoolAxis {
    int size, stride, before, after;
} PoolAxis;

PoolAxis pool_axis(const Node *node, int axis);

/* Windows side by side, without padding; and square: only such a pool, plain, may be computed
   together with what comes before it. pool_side: the side of a plain one's windows. */
bool pool_is_tiled(const Node *node);
bool pool_is_plain(const Node *node);
int pool_side(const Node *node);
bool pool_overlaps(const Node *pool); /* whether two windows share a pixel */

/* For operators of pools: their numbers, Op.implied, shape and Op.scale. pool_numbers: those of a
   pool, and the height and width of what it reads. pool_gradient: a node of that operator with
   these numbers, whose shape pool_dx_shape sets. */
#define POOL_NUMBERS \
    "size_h", "size_w", "stride_h", "stride_w", "pad_top", "pad_left", "pad_bottom", "pad_right"
bool pool_implies(const Node *node, int i);
Shape pool_shape(const Node *node);
bool pool_scale(const Node *node, int axis, int *up, int *down);
void pool_numbers(const Node *pool, double numbers[MAX_NUMBERS]);
Node *pool_gradient(Graph *graph, const Node *node, const Op *op, Node *const *inputs);
void pool_dx_shape(Node *node);

/* For words of pools: their arguments, sizes up to `most`; the node. Fails where a window does not
   fit or could lie on padding alone. */
extern const char *const pool_paddings[];
#define POOL_ARGS(most)                                                                    \
    { "size", ARG_PAIR, .number = 2, .min = 1, .max = (most) },                            \
        { "stride", ARG_PAIR, .text = "size", .min = 1, .max = 255 },                      \
    {                                                                                      \
        "padding", ARG_PADDING, .max = (most)-1, .text = "valid", .choices = pool_paddings \
    }
Node *layer_pool(Layer *layer, const Op *op, const Arg *args, Node *x);

/* What a depthwise convolution works on, in numbers; of depthwise_conv2d and its gradients
   alike. */
typedef struct DepthwiseShape {
    int in_h, in_w, channels, multiplier;
    int out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left; /* zeros before the input */
} DepthwiseShape;

DepthwiseShape depthwise_shape(const Node *node);

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
      .choices = depthwise_paddings },                                                \
    { "dilation", ARG_PAIR, .number = 1, .min = 1, .max = 255 },                      \
    { "depth_multiplier", ARG_INT, .number = 1, .min = 1, .max = 255 }
/* clang-format on */

extern const char *const depthwise_paddings[];

/* For build functions, from these arguments: the convolution with its parameter, and what the
   summary says of it. */
Node *depthwise_node(Layer *layer, const char *suffix, const Arg *args, Node *x,
                     const char *kernel);
const char *depthwise_detail(const Arg *args);

/* How a message about two values of different height or width goes on, where a pool or a stride
   before them is why: which, and of what the image's sides must be multiples; "" where it is not,
   or may not be. */
const char *sizes_hint(const Graph *graph, const Node *a, const Node *b);

/* How often it repeats each pixel in either direction; 0: it does not, or not as often in both. */
int repeats_of(const Node *node);
int repeats_along(const Node *node, int axis); /* 0: height, 1: width */

/* The output (repeated `up` times) has the shape of the target: what losses check. loss_shape: of
   the loss, one number; loss_dx_shape: of its gradient. */
void loss_shape(Node *node);
void loss_dx_shape(Node *node);

#endif
