/* ops.h - what each operator is, and the words of the graph language that bring it.
 *
 * An operator (Op, ir/graph.h) computes one value. A word (LayerSpec) is what the user writes; it
 * may bring several nodes and parameters: conv2d brings a kernel, a bias, the convolution, the
 * addition of the bias and an activation. Every operator has a file here and a row in ops.def;
 * every activation a row in elementwise.def. The front end checks arguments by the tables below, so
 * a new argument is one row here. What only the files of this room need stands in layer.h. */
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
    ARG_LAYERS,
    ARG_TIED /* likewise of a layer whose kernel is taken, but not its output; may be left out */
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
    LayerRef *refs;   /* of ARG_LAYER (one), ARG_LAYERS and ARG_TIED (one or none) */
    int ref_count;
} Arg;

/* A layer being built: its names and place, which its nodes take over. */
typedef struct Layer {
    Graph *graph;
    const char *part;   /* "encoder" */
    Node model;         /* layer, word and loc are set */
    const char *detail; /* for the summary: set by build */
    bool rests;         /* it has trainable = false: so have its parameters */
    bool leaves;        /* it does not read what comes in: set by build */
    const char *tied;   /* the layer whose kernel it has; NULL: one of its own, or none. Likewise */
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
    Node *(*build)(Layer *layer, const LossTerm *term, Node *output, Node *target);
    bool wants_unit_range; /* output and target in 0..1 */
    ArgSpec args[MAX_ARGS + 1];
} LossSpec;

/* How often operators with a number `up` may repeat a pixel in either direction. */
enum { MAX_UP = 64 };

enum { MAX_STATES = 3 };

/* A value that an optimizer keeps of every parameter from update to update. */
typedef struct StateSpec {
    const char *name;  /* "m" */
    const char *where; /* it is kept only where this number is not 0; NULL: always */
    const char *start; /* the number that it starts at; NULL: at 0 */
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
extern const char *const activation_names[]; /* of elementwise.def, softmax, "linear" */

/* "filters, kernel, stride = 1": those without a default are required. NULL where there are
   none. */
const char *args_text(const ArgSpec *args);

const LayerSpec *layer_find(const char *word); /* NULL: no such word */
const LossSpec *loss_find(const char *word);
const ChoiceSpec *optimizer_find(const char *word);
const ChoiceSpec *schedule_find(const char *word);

/* Whether the optimizer keeps the i-th value of its row with these numbers; how many it keeps. */
bool optimizer_keeps(const Choice *optimizer, int i);
double optimizer_start(const Choice *optimizer, int i); /* what that value starts at */
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

/* What any layer may have besides its own arguments, ended by name NULL: penalties of its kernels,
   then of its values. layer_activity: adds these to the terms of the graph's loss. */
enum { KERNEL_L1, KERNEL_L2, ACTIVITY_L1, ACTIVITY_L2, PENALTY_ARGS };
extern const ArgSpec penalty_args[PENALTY_ARGS + 1];
void layer_activity(Layer *layer, const Arg args[PENALTY_ARGS], Node *x);

/* Whether an activation is 0 below some value, and so is its gradient: what it makes 0 for every
   picture is dead, and of a window of such values all are equal. */
bool activation_is_zero_below(const Node *node);

/* The image under that name; `place` has its layer, word, place and shape. */
Node *image_node(Graph *graph, const char *name, Node place);

/* For passes. sum_of_gradients: a + b, of what two readers of the value `of`, or of the parameter
   (see gradient_last()), send back, under that name. pixels_as_reals: the image `pixels` as reals,
   where inference has it in the place of `of`: the node that is there, or a new one. */
Node *sum_of_gradients(Graph *graph, const Node *of, const char *name, Node *a, Node *b);
Node *pixels_as_reals(Graph *graph, const Node *of, Node *pixels);

/* What a convolution works on, in numbers; of conv2d, conv2d_dx and conv2d_dw alike. The virtual
   input is the input with its pixels repeated. A conv2d_transpose is described by the convolution
   whose dX it is: its output is the `in` here and its input the `out`. A depthwise convolution has
   a group for each of its `ci` channels, with co / ci filters. What zeros come after the virtual
   input, or what of it no window meets, follows from the sizes. */
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
bool conv_is_depthwise(const Node *node);
bool conv_is_dw(const Node *node);
bool conv_scatters(const Node *node);

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

/* How a message about two values of different height or width goes on, where a pool or a stride
   before them is why: which, and of what the image's sides must be multiples; "" where it is not,
   or may not be. */
const char *sizes_hint(const Graph *graph, const Node *a, const Node *b);

/* How often it repeats each pixel in either direction; 0: it does not, or not as often in both. */
int repeats_of(const Node *node);
int repeats_along(const Node *node, int axis); /* 0: height, 1: width */

/* The sum of all losses of output and target, and of the `count` terms that layers bring; `place`
   has its layer, "loss", and its place in the file. */
Node *loss_build(Graph *graph, Node place, const LossSum *loss, Node *output, Node *target,
                 Node *const *terms, int count);

#endif
