/* batch_norm: y = gamma (x - mean) / sqrt(variance + eps) + beta, mean and variance of each channel
 * over all pixels of all images of a group, which is a batch or so many images of one (Ioffe and
 * Szegedy 2015, "Batch normalization"; with smaller groups than the batch, Hoffer, Hubara and
 * Soudry 2017, "Train longer, generalize better", section 4). The variance is the biased one. gamma
 * and beta have a number a channel and start at 1 and 0.
 *
 * Inference, and the loss of validation, have two statistics in their place, moving_mean and
 * moving_variance, which start at 0 and 1: an update takes them to momentum times what they were
 * plus 1 - momentum times the mean of what its groups had (Keras's BatchNormalization).
 *
 * Of each image `sums` has the mean of a channel and the sum of the squares of what differs from
 * it, [2][channels]; `moments` mean and variance of the group. With xh = (x - mean) / sqrt(variance
 * + eps), `dsums` has the sums of dy and of dy xh over an image, `totals` those over the group and,
 * after them, the means over its n values, [4][channels]: dbeta and dgamma are the sums, and dx =
 * gamma / sqrt(variance + eps) (dy - mean(dy) - xh mean(dy xh)). */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static int channels_of(const Node *x)
{
    return x->shape.dim[x->shape.rank - 1];
}

static void set_shape(Node *node, Shape shape)
{
    node->shape = shape;
    node->type = TYPE_REAL;
}

static void shape_of_input(Node *node)
{
    set_shape(node, node->input[0]->shape);
}

/* So many numbers of each channel of input 0, a value of pixels. */
static void two_a_channel(Node *node)
{
    set_shape(node, (Shape){ 2, { 2, channels_of(node->input[0]) } });
}

static void four_a_channel(Node *node)
{
    set_shape(node, (Shape){ 2, { 4, channels_of(node->input[0]) } });
}

/* One of each channel of input 0, a list of such. */
static void one_a_channel(Node *node)
{
    set_shape(node, (Shape){ 1, { channels_of(node->input[0]) } });
}

/* A node of the same operator and inputs that the gradient by another input has made already, or a
   new one. */
static Node *find_or_make(Graph *graph, const Op *op, const Node *of, const char *suffix,
                          Node *const *inputs, const double *numbers)
{
    for (int i = graph->count - 1; i >= 0 && graph->nodes[i] != of; i--) {
        Node *node = graph->nodes[i];
        if (node->op == op && memcmp(node->input, inputs, sizeof *inputs * (size_t)op->arity) == 0)
            return node;
    }
    return node_new(graph, op, of, arena_format("%s.%s", of->name, suffix), inputs, numbers);
}

static Node *totals_of(Graph *graph, Node *node, Node *dy)
{
    Node *x = node->input[0];
    const double pixels = (double)shape_count(x->shape) / channels_of(x);
    Node *sums = find_or_make(graph, &op_batch_norm_dsums, node, "dsums",
                              (Node *[]){ x, node->input[1], dy }, node->number);
    return find_or_make(graph, &op_batch_norm_totals, node, "totals", (Node *[]){ sums },
                        (double[]){ pixels });
}

static Node *batch_norm_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    if (i != 0 && i != 2 && i != 3)
        return NULL; /* the rule by x holds what comes through the moments */
    Node *totals = totals_of(graph, node, dy);
    /* all that is of the group stands together: one phase */
    Node *dw = find_or_make(graph, &op_batch_norm_dw, node, "dw", &totals, NULL);
    Node *db = find_or_make(graph, &op_batch_norm_db, node, "db", &totals, NULL);
    if (i != 0)
        return i == 2 ? dw : db;
    return node_new(graph, &op_batch_norm_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ node->input[0], node->input[1], totals, node->input[2], dy },
                    node->number);
}

static Node *batch_norm_inference(Graph *graph, const Node *node, Node *const *inputs)
{
    Node *const these[] = { inputs[0], inputs[2], inputs[3], inputs[4], inputs[5] };
    return node_new(graph, &op_batch_norm_infer, node, arena_format("%s.infer", node->name), these,
                    node->number);
}

static Node *infer_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    if (i != 0)
        bug("%s: what rests is asked for a gradient", node->name);
    return node_new(graph, &op_batch_norm_infer_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1], node->input[4] }, node->number);
}

const Op op_batch_norm_sums = { .name = "batch_norm_sums", .arity = 1, .shape = two_a_channel };
const Op op_batch_norm_moments = { .name = "batch_norm_moments",
                                   .arity = 1,
                                   .numbers = { "pixels" },
                                   .shape = two_a_channel,
                                   .of_group = true };
const Op op_batch_norm_mean = {
    .name = "batch_norm_mean", .arity = 1, .shape = one_a_channel, .of_group = true
};
const Op op_batch_norm_variance = {
    .name = "batch_norm_variance", .arity = 1, .shape = one_a_channel, .of_group = true
};
/* Moving mean and variance are there for inference. */
const Op op_batch_norm = { .name = "batch_norm",
                           .arity = 6,
                           .numbers = { "eps" },
                           .shape = shape_of_input,
                           .gradient = batch_norm_gradient,
                           .inference = batch_norm_inference,
                           .leads = true,
                           .optional_inputs = 1u << 4 | 1u << 5 };
const Op op_batch_norm_infer = { .name = "batch_norm_infer",
                                 .arity = 5,
                                 .numbers = { "eps" },
                                 .shape = shape_of_input,
                                 .gradient = infer_gradient,
                                 .taken_in = batch_norm_taken_in,
                                 .leads = true };
const Op op_batch_norm_infer_dx = { .name = "batch_norm_infer_dx",
                                    .arity = 3,
                                    .numbers = { "eps" },
                                    .shape = shape_of_input,
                                    .direction = DIRECTION_DX,
                                    .gradient_of = &op_batch_norm_infer };
const Op op_batch_norm_dsums = { .name = "batch_norm_dsums",
                                 .arity = 3,
                                 .numbers = { "eps" },
                                 .shape = two_a_channel,
                                 .direction = DIRECTION_DW,
                                 .gradient_of = &op_batch_norm };
const Op op_batch_norm_totals = { .name = "batch_norm_totals",
                                  .arity = 1,
                                  .numbers = { "pixels" },
                                  .shape = four_a_channel,
                                  .of_group = true };
const Op op_batch_norm_dx = { .name = "batch_norm_dx",
                              .arity = 5,
                              .numbers = { "eps" },
                              .shape = shape_of_input,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_batch_norm };
const Op op_batch_norm_dw = { .name = "batch_norm_dw",
                              .arity = 1,
                              .shape = one_a_channel,
                              .direction = DIRECTION_DW,
                              .gradient_of = &op_batch_norm,
                              .of_group = true };
const Op op_batch_norm_db = { .name = "batch_norm_db",
                              .arity = 1,
                              .shape = one_a_channel,
                              .direction = DIRECTION_DB,
                              .gradient_of = &op_batch_norm,
                              .of_group = true };

/* ---- the word ---- */

enum { MOMENTUM, EPS, OVER };

enum { MAX_OVER = 1 << 16 };

/* All layers of a network take their statistics over the same images. */
static void set_group(Layer *layer, const Arg *over)
{
    Graph *graph = layer->graph;
    if (graph->grouped && graph->over != (int)over->number)
        fail(over->loc,
             "batch_norm: over = %s, but a layer before takes its statistics over %s; give all "
             "batch_norm of a network the same",
             over->number ? arena_format("%.0f", over->number) : "\"batch\"",
             graph->over ? arena_format("%d images", graph->over) : "the batch");
    graph->grouped = true;
    graph->over = (int)over->number;
}

static Node *add_statistic(Layer *layer, const char *name, const Op *op, const char *seen,
                           Node *moments, double fill, double momentum)
{
    Graph *graph = layer->graph;
    Node *node = layer_statistic(layer, name, (Shape){ 1, { channels_of(moments) } }, fill);
    Parameter *p = &graph->parameters[graph->parameter_count - 1];
    p->momentum = momentum;
    p->statistic = layer_node(layer, op, seen, moments, NULL, NULL);
    return node;
}

/* With trainable = false it is what inference has, in training too. */
static Node *build_at_rest(Layer *layer, const Arg *args, Node *x)
{
    const Shape one = { 1, { channels_of(x) } };
    Node *gamma = layer_parameter_filled(layer, "gamma", one, 1);
    Node *beta = layer_parameter_filled(layer, "beta", one, 0);
    Node *mean = layer_statistic(layer, "moving_mean", one, 0);
    Node *variance = layer_statistic(layer, "moving_variance", one, 1);
    layer->detail = "by its moving statistics";
    return node_new(layer->graph, &op_batch_norm_infer, &layer->model, layer->model.layer,
                    (Node *[]){ x, gamma, beta, mean, variance }, (double[]){ args[EPS].number });
}

static Node *batch_norm_build(Layer *layer, const Arg *args, Node *x)
{
    x = layer_reals(layer, x);
    if (layer->rests)
        return build_at_rest(layer, args, x);
    set_group(layer, &args[OVER]);
    const int channels = channels_of(x);
    const double pixels = (double)shape_count(x->shape) / channels,
                 momentum = args[MOMENTUM].number;
    Node *gamma = layer_parameter_filled(layer, "gamma", (Shape){ 1, { channels } }, 1);
    Node *beta = layer_parameter_filled(layer, "beta", (Shape){ 1, { channels } }, 0);
    Node *sums = layer_node(layer, &op_batch_norm_sums, "sums", x, NULL, NULL);
    Node *moments = layer_node(layer, &op_batch_norm_moments, "moments", sums, NULL,
                               (double[]){ pixels });
    Node *mean = add_statistic(layer, "moving_mean", &op_batch_norm_mean, "mean", moments, 0,
                               momentum);
    Node *variance = add_statistic(layer, "moving_variance", &op_batch_norm_variance, "variance",
                                   moments, 1, momentum);
    layer->detail = args[OVER].number ? arena_format("over %.0f images", args[OVER].number)
                                      : "over the batch";
    return node_new(layer->graph, &op_batch_norm, &layer->model, layer->model.layer,
                    (Node *[]){ x, moments, gamma, beta, mean, variance },
                    (double[]){ args[EPS].number });
}

static const char *const overs[] = { "batch", NULL };

const LayerSpec layer_batch_norm = {
    "batch_norm",
    "bn",
    "normalisation of each channel over the images of a batch",
    {
        { "momentum", ARG_REAL, .number = 0.99, .min = 0, .max = 1 },
        { "eps", ARG_REAL, .number = 1e-3, .min = 1e-12, .max = 1 },
        { "over", ARG_INT, .text = "\"batch\"", .min = 1, .max = MAX_OVER, .choices = overs },
    },
    batch_norm_build,
};
