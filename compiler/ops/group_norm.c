/* group_norm: y = gamma (x - mean) / sqrt(variance + eps) + beta, mean and variance over all pixels
 * of a group of neighbouring channels of one image (Wu and He 2018, "Group normalization"). gamma
 * and beta have a number a channel and start at 1 and 0, as Keras's GroupNormalization.
 * instance_norm is the same with a group for each channel (Ulyanov, Vedaldi and Lempitsky 2016,
 * "Instance normalization").
 *
 * Mean and 1 / sqrt(variance + eps) of each group are a by-product, `stats`, [groups][2]. With xh =
 * (x - mean) r and g = gamma dy, over the n values of a group: dx = r (g - sum(g) / n - xh sum(g
 * xh) / n); dgamma is the sum of dy xh, dbeta the sum of dy. */
#include "layer.h"

#include "../base/arena.h"

static void stats_shape(Node *node)
{
    node->shape = (Shape){ 2, { node_number(node, "groups"), 2 } };
    node->type = TYPE_REAL;
}

static void group_norm_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static void group_norm_dw_shape(Node *node)
{
    node->shape = (Shape){ 1, { node->input[0]->shape.dim[2] } };
    node->type = TYPE_REAL;
}

static Node *group_norm_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0], *stats = node->input[1], *gamma = node->input[2];
    switch (i) {
    case 0:
        return node_new(graph, &op_group_norm_dx, node, arena_format("%s.dx", node->name),
                        (Node *[]){ x, stats, gamma, dy }, node->number);
    case 2:
        return node_new(graph, &op_group_norm_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, stats, dy }, node->number);
    case 3:
        return node_new(graph, &op_bias_add_db, node, arena_format("%s.db", node->name),
                        (Node *[]){ dy }, NULL);
    default: return NULL; /* the rule by x holds what comes through the statistics */
    }
}

const Op op_group_norm_stats = {
    .name = "group_norm_stats", .arity = 1, .numbers = { "groups", "eps" }, .shape = stats_shape
};
const Op op_group_norm = { .name = "group_norm",
                           .arity = 4,
                           .numbers = { "groups" },
                           .shape = group_norm_shape,
                           .gradient = group_norm_gradient };
const Op op_group_norm_dx = { .name = "group_norm_dx",
                              .arity = 4,
                              .numbers = { "groups" },
                              .shape = group_norm_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_group_norm };
const Op op_group_norm_dw = { .name = "group_norm_dw",
                              .arity = 3,
                              .numbers = { "groups" },
                              .shape = group_norm_dw_shape,
                              .direction = DIRECTION_DW,
                              .gradient_of = &op_group_norm };

static const char *divisors(int channels, int most)
{
    const char *text = NULL;
    for (int d = 1; d <= most && d <= channels; d++)
        if (channels % d == 0)
            text = text ? arena_format("%s, %d", text, d) : arena_format("%d", d);
    return text;
}

/* Of an image whose channels fall into these groups. */
static Node *norm_of_groups(Layer *layer, Node *x, int groups, double eps)
{
    const int channels = x->shape.dim[2];
    x = layer_reals(layer, x);
    Node *gamma = layer_parameter_filled(layer, "gamma", (Shape){ 1, { channels } }, 1);
    Node *beta = layer_parameter_filled(layer, "beta", (Shape){ 1, { channels } }, 0);
    Node *stats = layer_node(layer, &op_group_norm_stats, "stats", x, NULL,
                             (double[]){ groups, eps });
    return node_new(layer->graph, &op_group_norm, &layer->model, layer->model.layer,
                    (Node *[]){ x, stats, gamma, beta }, (double[]){ groups });
}

enum { GROUPS, EPS };

static Node *group_norm_build(Layer *layer, const Arg *args, Node *x)
{
    int groups = (int)args[GROUPS].number;
    want_image(&layer->model, x);
    int channels = x->shape.dim[2];
    if (channels % groups)
        fail(args[GROUPS].loc,
             "group_norm: %d channels do not fall into %d groups; groups must divide them: %s",
             channels, groups, divisors(channels, 64));
    layer->detail = arena_format("%d group%s", groups, groups > 1 ? "s" : "");
    return norm_of_groups(layer, x, groups, args[EPS].number);
}

const LayerSpec layer_group_norm = {
    "group_norm",
    "norm",
    "normalisation over groups of channels of an image",
    {
        { "groups", ARG_INT, .number = 32, .min = 1, .max = 1 << 16 },
        { "eps", ARG_REAL, .number = 1e-3, .min = 1e-12, .max = 1 },
    },
    group_norm_build,
};

static Node *instance_norm_build(Layer *layer, const Arg *args, Node *x)
{
    want_image(&layer->model, x);
    return norm_of_groups(layer, x, x->shape.dim[2], args[0].number);
}

const LayerSpec layer_instance_norm = {
    "instance_norm",
    "in",
    "normalisation of each channel over the pixels of an image",
    { { "eps", ARG_REAL, .number = 1e-3, .min = 1e-12, .max = 1 } },
    instance_norm_build,
};
