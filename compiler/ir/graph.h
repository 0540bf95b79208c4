/* graph.h - the intermediate representation: a list of nodes in order of computation.
 *
 * A node is one operator applied to earlier nodes. All shapes are of one image (the batch is not in
 * the graph); layout HWC. Every value the programs need is a node: activations, the loss, the
 * gradients and what they read. A node is born complete: node_new() checks arity, numbers and
 * shapes, and fails at the graph file's line, so every later pass may rely on them. */
#ifndef CAEC_GRAPH_H
#define CAEC_GRAPH_H

#include "../base/diag.h"

#include <stdbool.h>
#include <stdint.h>

enum { MAX_INPUTS = 6, MAX_NUMBERS = 16, MAX_LISTS = 2, MAX_RANK = 4 };

/* Sizes that keep every index of the emitted C an int and every offset well inside a size_t. */
enum { MAX_SIDE = 1 << 20, MAX_ELEMENTS = 1 << 28 };

/* Operators of a graph, those of gradients and stages of training among them: what planning and
   emitting take grows with them. */
enum { MAX_NODES = 50000 };

typedef struct Shape {
    int rank; /* 3: height, width, channels; 4: kernel HWIO; 1: flat; 0: one number */
    int dim[MAX_RANK];
} Shape;

int64_t shape_count(Shape shape);
bool shape_equal(Shape a, Shape b);
const char *shape_text(Shape shape); /* "224x224x3"; "1" for rank 0 */
Shape shape_hwc(int height, int width, int channels);
Shape shape_turned(Shape shape); /* height and width exchanged, of images and kernels */

/* real; uint8_t 0..255 standing for 0..1; place in a pooling window */
typedef enum Type { TYPE_REAL, TYPE_PIXEL, TYPE_CODE } Type;

/* Constants of a node of which there are several, as one a channel. */
typedef struct RealList {
    int count;
    const double *numbers;
} RealList;

typedef struct Graph Graph;
typedef struct Node Node;
typedef struct Op Op;

/* What an operator computes of a layer. */
typedef enum Direction {
    DIRECTION_FORWARD,
    DIRECTION_DX, /* the gradient of its input */
    DIRECTION_DW, /* of its weights */
    DIRECTION_DB  /* of its bias */
} Direction;

/* What an operator can be in a fusion; its gradients take part with it. */
typedef enum Role {
    ROLE_ALONE,
    ROLE_CORE, /* a product with a kernel, input 1 */
    ROLE_BIAS,
    ROLE_ACTIVATION, /* one value of each value of its input */
    ROLE_POOL        /* one value of each window */
} Role;

/* What an operator is, for everything that needs to know: outside its own file and its kernels none
   is known by name. A member that is left out says the usual. */
struct Op {
    const char *name;
    int arity;
    const char *numbers[MAX_NUMBERS + 1]; /* names of the node's numbers, NULL-ended */
    const char *lists[MAX_LISTS + 1];     /* of its lists of numbers, likewise */

    /* Sets node->shape and node->type from inputs and numbers; fails at node->loc, naming the
       layer's word, where they do not fit. */
    void (*shape)(Node *node);

    /* Appends what computes the gradient of the loss with respect to input i, given dy with respect
       to the node; NULL: this input has none (it is data, or the operator's own by-product). A NULL
       function: no gradient at all. */
    Node *(*gradient)(Graph *graph, Node *node, Node *dy, int i);

    /* Multiply-adds of the direct algorithm; NULL: not counted. */
    double (*macs)(const Node *node);

    /* Along an axis (0: height, 1: width) its value has what input 0 has times `up`, divided by
       `down`, which are 1 before; false: by no such rule. NULL: likewise, but where both are
       kept. */
    bool (*scale)(const Node *node, int axis, int *up, int *down);

    /* Whether number i goes without saying where a node is written down: it follows from the
       others, or is what it is for nearly all. NULL: none does. */
    bool (*implied)(const Node *node, int i);

    Role role;

    /* Of a gradient: by what, and of which operator. */
    Direction direction;
    const Op *gradient_of;

    /* Of an operator whose value comes with another one's, from the same input and numbers: which,
       as the places of a pool's maxima. Gradients of a max-pool read them as input 0. */
    const Op *by_product_of;

    /* It does its work in training alone: elsewhere its value is that of input 0. */
    bool training_only;

    /* It draws random numbers in training, of which its number "stream" says which. */
    bool draws;

    /* Its values are those of standard normal numbers, or trained towards them. */
    bool normal;

    /* Its value is its input's in another shape: it costs nothing and has no memory of its own. See
       node_storage(). */
    bool view;

    /* Its inputs are gradients of one parameter, which steps add to one place: no step makes it. */
    bool sums_gradients;

    /* A leaf that is a parameter; the others are data. */
    bool holds_weights;

    /* It is no product with a kernel, but a kernel of it may take in the activation and pool after
       it, and its gradients likewise: that by its input, and one of direction dW beside it. */
    bool leads;

    /* Of a pool: it takes the mean of a window; else the maximum. */
    bool averages;

    /* Each pixel so often in either direction and nothing else, see repeats_of(): what has a number
       "up", or "up_h" and "up_w", may take it in. */
    bool repeats_pixels;

    /* The channels of each pixel become a block of pixels, as many a side as its number "size". */
    bool spreads_channels;

    /* Whether a channel of zeros becomes another constant; NULL: it stays 0 (of an activation:
       perhaps). */
    bool (*moves_zero)(const Node *node);

    /* Inputs after the first are values of other layers. */
    bool inputs_from_layers;

    /* What inference has in the node's place, of what it has in the places of the node's inputs;
       NULL: the same operator. */
    Node *(*inference)(Graph *graph, const Node *node, Node *const *inputs);

    /* What inference has in the place of this and of the product with a kernel that it reads, with
       that one's bias (NULL: it has none), of what the product has for x: the same with another
       kernel and bias, see `prepared`. NULL: nothing else. */
    Node *(*taken_in)(Graph *graph, const Node *node, const Node *core, const Node *bias, Node *x);

    /* Its value is of parameters alone, and no step computes it: it is made where the packings that
       kernels read of it are, by the kind of packing of that name. NULL: it is no such. */
    const char *prepared;

    /* Its value is one for all images of a group, and a step that makes it takes all of them at
       once. */
    bool of_group;

    /* Inputs that a kernel may do without where they do not matter: a bit each. */
    unsigned optional_inputs;

    /* Its input may be pixels where it was reals in training. */
    bool reads_pixels;

    /* Of a term of the loss and its gradient: the term's name, which is its column in histories
       too, and by which kernels/loss/ finds their text. Terms have a number "weight", their share
       in the loss: their gradient is of the weighted term, their value is not weighted. */
    const char *loss;

    /* Its kernel calls functions of <math.h>; of elementwise operators `value` tells. */
    bool calls_math;

    /* Its values lie in 0..1: if those of input 0 do, or always. unit_range_kept: whether they do
       if those of input 0 do, where its numbers decide. */
    bool keeps_unit_range, gives_unit_range;
    bool (*unit_range_kept)(const Node *node);

    /* Of activations and their gradients alone, all as ops/elementwise.def says: value in terms of
       x, and gradient in terms of d and y (the value), or x, as C. */
    const char *value, *derivative;
    bool gradient_from_x;
    bool monotone, zero_below, flat_above;
};

struct Node {
    const Op *op;
    int id;            /* place in graph->nodes */
    const char *name;  /* "encoder.conv1", "encoder.conv1.kernel", "encoder.conv1.bias_add",
                          "encoder.conv1.dw" */
    const char *layer; /* "encoder.conv1": the layer that brought it */
    const char *word;  /* the layer's word in the graph file, for messages */
    Loc loc;
    Node *input[MAX_INPUTS];
    double number[MAX_NUMBERS];
    RealList list[MAX_LISTS]; /* never written to; copies share them */
    Type type;
    Shape shape;
    bool infer;      /* a copy of another node for inference, by `split_inference` or `stages` */
    bool backward;   /* it came with differentiation */
    int parameter;   /* set by group: it is the gradient of that parameter, counted from 1; 0: of
                        none */
    int stage;       /* number of the stage whose copy it is, or whose gradient it serves; 0: of the
                        whole network */
    Node *inference; /* set by split_inference: what inference has in its place; NULL: the node
                        itself */
};

/* One layer as the user wrote it, for the summary. */
typedef struct LayerRow {
    const char *part, *name, *word; /* "encoder", "encoder.conv1", "conv2d" */
    const char *detail;             /* "32 filters 3x3, relu" */
    const char *with;               /* "encoder.conv1, encoder.pool1": the layers that it names; ""
                                       */
    Shape shape;
    int64_t parameters, non_trainable; /* numbers of them; those that are not trained */
    Loc loc;
    Node *output; /* as loaded; passes may drop it */
    bool read;    /* by another layer */
} LayerRow;

typedef struct Parameter {
    Node *node;
    double limit; /* Glorot uniform [-limit, limit); 0: all `fill` */
    double fill;
    double l1, l2;      /* the loss has these times the sum of |w| and of w^2 */
    bool non_trainable; /* no gradient is asked for it, and updates leave it alone */
    Node *statistic;    /* what training sees of it in a group of images; NULL: it is none */
    double momentum;    /* of a statistic: what an update leaves of it */
    double warmup;      /* in training it goes from 0 to 1 in so many epochs; 0: it does not */
    Node *gradient; /* set by differentiate; of a statistic what is seen of it; NULL of what else
                           is not trained */
} Parameter;

/* An optimizer or a schedule as the graph file chose it: its word, and its numbers in the order of
   the word's arguments (ops.h). */
typedef struct Choice {
    const char *word;
    double number[MAX_NUMBERS];
} Choice;

/* What compares output and target: a weighted sum of losses, each word once and in the order of
   loss_specs (ops.h). */
typedef struct LossTerm {
    Choice choice;
    double weight;
    Loc loc;
} LossTerm;

typedef struct LossSum {
    const char *text; /* "mse", "0.8 mse + 0.2 mae" */
    const LossTerm *terms;
    int count;
    Loc loc;
} LossSum;

/* The table `training`. */
typedef struct Training {
    LossSum loss;
    Choice optimizer, schedule;
    double ema; /* of averages of the parameters; 0: none are kept */
    int batch, epochs;
    double clip_norm, global_clip_norm, clip_value; /* 0: none; at most one is set */
    int patience;                                   /* of early stopping; 0: none */
    double min_delta;
    bool mirror;
} Training;

/* A stage of training, as `stages` in the graph file lists them: layers that are trained while all
   others rest. They are an autoencoder of their own: encoder layers after those that the stage
   before trained, then decoder layers up to those. What goes in, and is the target, is the value
   where the stage before ended its encoder: the image, for the first. The last stage is the whole
   network. */
typedef struct Stage {
    Loc loc;
    LossSum loss;
    int epochs;
    bool whole;
    /* its layers: places in graph->layers, both included */
    int encoder_first, encoder_last, decoder_first, decoder_last;
    Node *objective;               /* its loss, ... */
    Node *evaluation, **statistic; /* likewise, see graph_evaluation(), graph_statistic(); and ...
                                      */
    Node *output;    /* ... image to picture, for inference, by all layers trained so far; both set
                        by `stages`, not of the whole */
    Node **gradient; /* one a parameter, NULL where it rests; set by differentiate, not of the whole
                        */
} Stage;

typedef struct Fusion Fusion;

struct Graph {
    const char *name, *file;
    Loc loc;
    Node **nodes;
    int count, room;
    Node *input, *latent, *output, *loss;
    Node *evaluation; /* the loss as inference has it; NULL: it is the loss itself without noise */
    Parameter *parameters;
    int parameter_count;
    LayerRow *layers;
    int layer_count;
    Training training;
    Node **terms; /* of the loss that layers bring, in their order */
    int term_count;
    Stage *stages; /* none, or two and more; the number of a stage is its place + 1, but the whole,
                      the last one, is 0 */
    int stage_count;
    Fusion **fusions; /* set by fuse */
    int fusion_count;
    Fusion **fusion_of; /* likewise: of each node, NULL of what no step makes */
    bool grouped;       /* training ties the images of a group together ... */
    int over;           /* ... of so many; 0: of a whole batch */
    bool streams;       /* it is compiled for images that come row by row; set before the passes */
    bool turned;        /* set by turn: height and width are exchanged */
};

/* A core operator and its epilogue (bias, activation, pool), with the backward half of both: what
   one kernel may compute at once. Set by the pass `fuse`. Members that a fusion lacks are NULL. */
struct Fusion {
    const char *name;                       /* the layer's name */
    Node *core, *bias, *act, *pool, *codes; /* forward, in this order */
    Node *d_act, *d_pool;                   /* gradient through activation (first) and max-pool, as
                                               `commute` leaves them; or average pool (first) and
                                               activation */
    Node *dx, *dw, *db;
};

typedef struct FusionPart {
    const char *role; /* the member's name */
    const Node *node;
} FusionPart;

enum { FUSION_PARTS = 10 };

/* All members of a fusion, those it lacks too, core first; returns FUSION_PARTS. */
int fusion_parts(const Fusion *fusion, FusionPart parts[FUSION_PARTS]);

/* Appends a node. `model` lends name prefix, layer, word, place and lists: pass the node it is
   derived from, or fill a Node's members. */
Node *node_new(Graph *graph, const Op *op, const Node *model, const char *name, Node *const *inputs,
               const double *numbers);

/* as int; bug() where the operator has none of that name */
int node_number(const Node *node, const char *name);
double node_real(const Node *node, const char *name);

/* Of two nodes of one operator: whether all their numbers and lists are the same. */
bool node_same_numbers(const Node *a, const Node *b);

bool node_has_role(const Node *node, Role role); /* false for NULL */
bool node_heads_fusion(const Node *node);        /* ROLE_CORE; false for NULL */

/* Whether the node computes a gradient of an operator of that role; false for NULL. */
bool node_is_gradient(const Node *node, Role role);

/* An average pool or its gradient; a max-pool. false for NULL. */
bool node_averages(const Node *node);
bool node_takes_maximum(const Node *node);

/* Whether `by_product` comes with the node, in the same copy of the network; false for NULL. */
bool node_is_by_product(const Node *by_product, const Node *node);

/* The loss, its terms and the sums of them: the only values that are one number; false for NULL.
   node_is_term: one that stands for itself, not for a sum. */
bool node_is_loss(const Node *node);
bool node_is_term(const Node *node);

/* The node whose value the node's is: what all views are of, else the node itself. NULL for
   NULL. */
Node *node_storage(const Node *node);

/* The shape of a value as the graph file has it, also where the graph is turned. */
Shape graph_shape_as_written(const Graph *graph, Shape shape);

/* How many stages train a part of the network; their numbers are 1 and up. */
int graph_partial_stages(const Graph *graph);

/* Of stage `stage`, or of the whole network where it is 0: its loss, whether parameter i is
   trained, and its gradient (NULL: it is not, or nothing is differentiated yet). */
Node *graph_loss(const Graph *graph, int stage);
bool graph_trains(const Graph *graph, int stage, int i);
Node *graph_gradient(const Graph *graph, int stage, int i);

/* A parameter that several layers have has the sum of their gradients, in a fixed order. Of such a
   gradient, or any other: the last that is added, itself where it is no sum; and what comes before,
   NULL: nothing. */
Node *gradient_last(Node *gradient);
Node *gradient_before(Node *gradient);

/* Likewise: the loss as inference has it, NULL where that is the loss itself without noise; and
   what training sees of parameter i, NULL where that is no statistic or its layer rests. */
Node *graph_evaluation(const Graph *graph, int stage);
Node *graph_statistic(const Graph *graph, int stage, int i);

/* Adds a term that a layer brings to the loss. */
void graph_add_term(Graph *graph, Node *term);

/* Whether the layer at that place in graph->layers is one that the stage trains; the place of a
   node's layer, -1: of none. */
bool stage_trains(const Stage *stage, int layer);
int graph_layer_of(const Graph *graph, const Node *node);

/* Users of a node among the nodes of the graph: fills users[max], returns how many there are in
   all. */
int graph_users(const Graph *graph, const Node *node, Node **users, int max);

/* Those of all nodes at once: the users of node i, each once and in the order of the graph, are
   node[first[i]] up to node[first[i + 1]], that one not included. They hold until a pass rewires
   the graph. */
typedef struct Users {
    Node **node;
    int *first;
} Users;

Users graph_all_users(const Graph *graph);

/* Replaces every use of `from` (as input, latent, output, loss, gradient, those of stages too) by
   `to`, except inside `but` (NULL: none). */
void graph_replace(Graph *graph, Node *from, Node *to, const Node *but);

/* Restores the order "inputs before users" and the ids after a pass has rewired nodes; drops
   none. */
void graph_sort(Graph *graph);

/* Removes nodes from which none of input, parameters, latent, output, loss or a gradient is
   reached. */
void graph_drop_unused(Graph *graph);

#endif
