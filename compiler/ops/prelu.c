/* prelu: y = x > 0 ? x : alpha x, alpha a number a channel (He, Zhang, Ren and Sun 2015, "Delving
 * deep into rectifiers"), which starts at 0 as in Keras. dx = dy where x > 0, alpha dy where x < 0,
 * and 0 where x is 0, as in Keras; dalpha is the sum of x dy where x < 0. */
#include "layer.h"

#include "../base/arena.h"

static void prelu_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static void prelu_dw_shape(Node *node)
{
    const Shape x = node->input[0]->shape;
    node->shape = (Shape){ 1, { x.dim[x.rank - 1] } };
    node->type = TYPE_REAL;
}

static Node *prelu_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    Node *x = node->input[0], *alpha = node->input[1];
    if (i == 0)
        return node_new(graph, &op_prelu_dx, node, arena_format("%s.dx", node->name),
                        (Node *[]){ x, alpha, dy }, NULL);
    return node_new(graph, &op_prelu_dw, node, arena_format("%s.dw", node->name),
                    (Node *[]){ x, dy }, NULL);
}

const Op op_prelu = {
    .name = "prelu", .arity = 2, .shape = prelu_shape, .gradient = prelu_gradient
};
const Op op_prelu_dx = { .name = "prelu_dx",
                         .arity = 3,
                         .shape = prelu_shape,
                         .direction = DIRECTION_DX,
                         .gradient_of = &op_prelu };
const Op op_prelu_dw = { .name = "prelu_dw",
                         .arity = 2,
                         .shape = prelu_dw_shape,
                         .direction = DIRECTION_DW,
                         .gradient_of = &op_prelu };

static Node *prelu_build(Layer *layer, const Arg *args, Node *x)
{
    (void)args;
    x = layer_reals(layer, x);
    const Shape channels = { 1, { x->shape.dim[x->shape.rank - 1] } };
    return layer_node(layer, &op_prelu, "", x, layer_parameter_filled(layer, "alpha", channels, 0),
                      NULL);
}

const LayerSpec layer_prelu = {
    "prelu",
    "prelu",
    "activation x > 0 ? x : alpha x, alpha learnt, one a channel",
    { { .name = NULL } },
    prelu_build,
};
