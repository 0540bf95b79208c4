/* layer_norm: y = gamma (x - mean) / sqrt(variance + eps) + beta, mean and variance over the
 * channels of a pixel, of a flat value over all its units (Ba, Kiros and Hinton 2016, "Layer
 * normalization"). gamma and beta have a number a channel and start at 1 and 0, as Keras's
 * LayerNormalization.
 *
 * With r = 1 / sqrt(variance + eps), xh = (x - mean) r and g = gamma dy, over the n channels of a
 * pixel: dx = r (g - sum(g) / n - xh sum(g xh) / n); dgamma is the sum of dy xh over the pixels,
 * dbeta that of dy. The gradients compute mean and r anew, which costs less than to keep them. */
#include "layer.h"

#include "../base/arena.h"

static void layer_norm_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static void layer_norm_dw_shape(Node *node)
{
    const Shape x = node->input[0]->shape;
    node->shape = (Shape){ 1, { x.dim[x.rank - 1] } };
    node->type = TYPE_REAL;
}

static Node *layer_norm_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0], *gamma = node->input[1];
    switch (i) {
    case 0:
        return node_new(graph, &op_layer_norm_dx, node, arena_format("%s.dx", node->name),
                        (Node *[]){ x, gamma, dy }, node->number);
    case 1:
        return node_new(graph, &op_layer_norm_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ x, dy }, node->number);
    default:
        return node_new(graph, &op_bias_add_db, node, arena_format("%s.db", node->name),
                        (Node *[]){ dy }, NULL);
    }
}

const Op op_layer_norm = { .name = "layer_norm",
                           .arity = 3,
                           .numbers = { "eps" },
                           .shape = layer_norm_shape,
                           .gradient = layer_norm_gradient };
const Op op_layer_norm_dx = { .name = "layer_norm_dx",
                              .arity = 3,
                              .numbers = { "eps" },
                              .shape = layer_norm_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_layer_norm };
const Op op_layer_norm_dw = { .name = "layer_norm_dw",
                              .arity = 2,
                              .numbers = { "eps" },
                              .shape = layer_norm_dw_shape,
                              .direction = DIRECTION_DW,
                              .gradient_of = &op_layer_norm };

static Node *layer_norm_build(Layer *layer, const Arg *args, Node *x)
{
    x = layer_reals(layer, x);
    const Shape channels = { 1, { x->shape.dim[x->shape.rank - 1] } };
    Node *gamma = layer_parameter_filled(layer, "gamma", channels, 1);
    Node *beta = layer_parameter_filled(layer, "beta", channels, 0);
    return node_new(layer->graph, &op_layer_norm, &layer->model, layer->model.layer,
                    (Node *[]){ x, gamma, beta }, (double[]){ args[0].number });
}

const LayerSpec layer_layer_norm = {
    "layer_norm",
    "ln",
    "normalisation over the channels of each pixel, or over a flat value",
    { { "eps", ARG_REAL, .number = 1e-3, .min = 1e-12, .max = 1 } },
    layer_norm_build,
};
