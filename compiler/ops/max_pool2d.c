/* max_pool2d: the largest of each size x size window, windows side by side; what does not fill a
 * window is dropped (Keras's "valid").
 *
 * Its by-product `argmax` is the place of the first largest value in row-major order, row * size +
 * column, one code a window; the gradient goes there and nowhere else. */
#include "ops.h"

#include "../base/arena.h"

enum { MAX_POOL = 16 }; /* so that a code fits a byte */

static void pooled(Node *node)
{
    const Node *x = node->input[0];
    int size = node_number(node, "size");
    want_window(node);
    node->shape = shape_hwc(x->shape.dim[0] / size, x->shape.dim[1] / size, x->shape.dim[2]);
}

static void max_pool2d_shape(Node *node)
{
    pooled(node);
    node->type = TYPE_REAL;
}

static void argmax_shape(Node *node)
{
    pooled(node);
    node->type = TYPE_CODE;
}

static void max_pool2d_dx_shape(Node *node)
{
    node->shape = shape_hwc(node_number(node, "height"), node_number(node, "width"),
                            node->input[1]->shape.dim[2]);
    node->type = TYPE_REAL;
}

Node *max_pool2d_codes(Graph *graph, Node *pool)
{
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (node->op == &op_max_pool2d_argmax && node->input[0] == pool->input[0]
            && node->number[0] == pool->number[0])
            return node;
    }
    return node_new(graph, &op_max_pool2d_argmax, pool, arena_format("%s.argmax", pool->name),
                    pool->input, pool->number);
}

static Node *max_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    Node *x = node->input[0], *codes = max_pool2d_codes(graph, node);
    const double numbers[] = { node->number[0], x->shape.dim[0], x->shape.dim[1] };
    return node_new(graph, &op_max_pool2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ codes, dy }, numbers);
}

const Op op_max_pool2d = { .name = "max_pool2d",
                           .arity = 1,
                           .numbers = { "size" },
                           .shape = max_pool2d_shape,
                           .gradient = max_pool2d_gradient,
                           .role = ROLE_POOL,
                           .scale = scale_down_by_size,
                           .keeps_unit_range = true };
const Op op_max_pool2d_argmax = { .name = "max_pool2d_argmax",
                                  .arity = 1,
                                  .numbers = { "size" },
                                  .shape = argmax_shape,
                                  .by_product_of = &op_max_pool2d };
const Op op_max_pool2d_dx = { .name = "max_pool2d_dx",
                              .arity = 2,
                              .numbers = { "size", "height", "width" },
                              .shape = max_pool2d_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_max_pool2d };

static Node *max_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    layer->detail = arena_format("%dx%d", (int)args[0].number, (int)args[0].number);
    return layer_node(layer, &op_max_pool2d, "", layer_reals(layer, x), NULL,
                      (double[]){ args[0].number });
}

const LayerSpec layer_max_pool2d = {
    "max_pool2d",
    "pool",
    "maximum of each window",
    { { "size", ARG_INT, .number = 2, .min = 1, .max = MAX_POOL } },
    max_pool2d_build,
};
