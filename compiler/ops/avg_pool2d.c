/* avg_pool2d: the mean of each window's pixels; padding counts neither in the sum nor in their
 * number. Its gradient spreads over them evenly and adds up where windows overlap; what no window
 * holds gets 0. */
#include "layer.h"

static void avg_pool2d_shape(Node *node)
{
    node->shape = pool_shape(node);
    node->type = TYPE_REAL;
}

static Node *avg_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return pool_gradient(graph, node, &op_avg_pool2d_dx, (Node *[]){ dy });
}

const Op op_avg_pool2d = { .name = "avg_pool2d",
                           .arity = 1,
                           .numbers = { POOL_NUMBERS },
                           .implied = pool_implies,
                           .shape = avg_pool2d_shape,
                           .gradient = avg_pool2d_gradient,
                           .role = ROLE_POOL,
                           .scale = pool_scale,
                           .averages = true,
                           .keeps_unit_range = true };
const Op op_avg_pool2d_dx = { .name = "avg_pool2d_dx",
                              .arity = 1,
                              .numbers = { POOL_NUMBERS, "height", "width" },
                              .implied = pool_implies,
                              .shape = pool_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_avg_pool2d };

static Node *avg_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    return layer_pool(layer, &op_avg_pool2d, args, x);
}

const LayerSpec layer_avg_pool2d = {
    "avg_pool2d", "pool", "mean of each window", { POOL_ARGS(64) }, avg_pool2d_build,
};
