/* max_pool2d: the largest of each window's pixels; padding never wins.
 *
 * Its by-product `argmax` is the place of the first largest value in row-major order, row * size_w
 * + column, one code a window; the gradient goes there and nowhere else, and adds up where a pixel
 * has won several windows. */
#include "layer.h"

#include "../base/arena.h"

enum { MAX_PLACES = 256 }; /* of a window, so that a code fits a byte */

static void max_pool2d_shape(Node *node)
{
    node->shape = pool_shape(node);
    node->type = TYPE_REAL;
}

static void argmax_shape(Node *node)
{
    node->shape = pool_shape(node);
    node->type = TYPE_CODE;
}

Node *max_pool2d_codes(Graph *graph, Node *pool)
{
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (node_is_by_product(node, pool))
            return node;
    }
    return node_new(graph, &op_max_pool2d_argmax, pool, arena_format("%s.argmax", pool->name),
                    pool->input, pool->number);
}

static Node *max_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return pool_gradient(graph, node, &op_max_pool2d_dx,
                         (Node *[]){ max_pool2d_codes(graph, node), dy });
}

const Op op_max_pool2d = { .name = "max_pool2d",
                           .arity = 1,
                           .numbers = { POOL_NUMBERS },
                           .implied = pool_implies,
                           .shape = max_pool2d_shape,
                           .gradient = max_pool2d_gradient,
                           .role = ROLE_POOL,
                           .scale = pool_scale,
                           .keeps_unit_range = true };
const Op op_max_pool2d_argmax = { .name = "max_pool2d_argmax",
                                  .arity = 1,
                                  .numbers = { POOL_NUMBERS },
                                  .implied = pool_implies,
                                  .shape = argmax_shape,
                                  .by_product_of = &op_max_pool2d };
const Op op_max_pool2d_dx = { .name = "max_pool2d_dx",
                              .arity = 2,
                              .numbers = { POOL_NUMBERS, "height", "width" },
                              .implied = pool_implies,
                              .shape = pool_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_max_pool2d };

static Node *max_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    const Arg *size = &args[0];
    if (size->pair[0] * size->pair[1] > MAX_PLACES)
        fail(size->loc,
             "max_pool2d: a window of %dx%d has %d places, more than %d; use a smaller size, or "
             "several pools one after the other",
             size->pair[0], size->pair[1], size->pair[0] * size->pair[1], MAX_PLACES);
    return layer_pool(layer, &op_max_pool2d, args, x);
}

const LayerSpec layer_max_pool2d = {
    "max_pool2d", "pool", "maximum of each window", { POOL_ARGS(MAX_PLACES) }, max_pool2d_build,
};
