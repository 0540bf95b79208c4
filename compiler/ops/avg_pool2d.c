/* avg_pool2d: the mean of each size x size window, windows side by side; what does not fill a
 * window is dropped (Keras's "valid"). Its gradient spreads over the window evenly; what was
 * dropped gets 0. */
#include "ops.h"

#include "../base/arena.h"

static void avg_pool2d_shape(Node *node)
{
    const int *x = node->input[0]->shape.dim;
    int size = node_number(node, "size");
    want_window(node);
    node->shape = shape_hwc(x[0] / size, x[1] / size, x[2]);
    node->type = TYPE_REAL;
}

static void avg_pool2d_dx_shape(Node *node)
{
    node->shape = shape_hwc(node_number(node, "height"), node_number(node, "width"),
                            node->input[0]->shape.dim[2]);
    node->type = TYPE_REAL;
}

static Node *avg_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    const int *x = node->input[0]->shape.dim;
    return node_new(graph, &op_avg_pool2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy }, (double[]){ node->number[0], x[0], x[1] });
}

const Op op_avg_pool2d = { .name = "avg_pool2d",
                           .arity = 1,
                           .numbers = { "size" },
                           .shape = avg_pool2d_shape,
                           .gradient = avg_pool2d_gradient,
                           .role = ROLE_POOL,
                           .scale = scale_down_by_size,
                           .averages = true,
                           .keeps_unit_range = true };
const Op op_avg_pool2d_dx = { .name = "avg_pool2d_dx",
                              .arity = 1,
                              .numbers = { "size", "height", "width" },
                              .shape = avg_pool2d_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_avg_pool2d };

static Node *avg_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    layer->detail = arena_format("%dx%d", (int)args[0].number, (int)args[0].number);
    return layer_node(layer, &op_avg_pool2d, "", layer_reals(layer, x), NULL,
                      (double[]){ args[0].number });
}

const LayerSpec layer_avg_pool2d = {
    "avg_pool2d",          "pool",
    "mean of each window", { { "size", ARG_INT, .number = 2, .min = 1, .max = 64 } },
    avg_pool2d_build,
};
