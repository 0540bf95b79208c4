/* softmax: y = exp(x) / sum(exp(x)) over the channels of a pixel, of a flat value over all its
 * units. dx = y (dy - sum(y dy)). The largest x is taken from all before, so that no exp is
 * infinite and the sum is at least 1. */
#include "layer.h"

#include "../base/arena.h"

static void softmax_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *softmax_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_softmax_dx, node, arena_format("%s_dx", node->name),
                    (Node *[]){ node, dy }, NULL);
}

const Op op_softmax = { .name = "softmax",
                        .arity = 1,
                        .shape = softmax_shape,
                        .gradient = softmax_gradient,
                        .calls_math = true,
                        .gives_unit_range = true };
const Op op_softmax_dx = { .name = "softmax_dx",
                           .arity = 2,
                           .shape = softmax_shape,
                           .direction = DIRECTION_DX,
                           .gradient_of = &op_softmax };

static Node *softmax_build(Layer *layer, const Arg *args, Node *x)
{
    (void)args;
    return layer_node(layer, &op_softmax, "", layer_reals(layer, x), NULL, NULL);
}

const LayerSpec layer_softmax = {
    "softmax",
    "softmax",
    "activation exp(x) / sum(exp(x)) over the channels of each pixel, or over a flat value",
    { { .name = NULL } },
    softmax_build,
};
