/* global_avg_pool2d and global_max_pool2d: the mean and the largest of each channel of the whole
 * image, a flat value.
 *
 * The gradient of the mean spreads evenly over the image; that of the largest goes to the first in
 * row-major order, which is looked for again in the image: a place in it fits no code. */
#include "layer.h"

#include "../base/arena.h"

static void global_pool2d_shape(Node *node)
{
    want_image(node, node->input[0]);
    node->shape = (Shape){ 1, { node->input[0]->shape.dim[2] } };
    node->type = TYPE_REAL;
}

static void global_avg_pool2d_dx_shape(Node *node)
{
    node->shape = shape_hwc(node_number(node, "height"), node_number(node, "width"),
                            node->input[0]->shape.dim[0]);
    node->type = TYPE_REAL;
}

static void global_max_pool2d_dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *global_avg_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_global_avg_pool2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy }, numbers_with_size(node));
}

static Node *global_max_pool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_global_max_pool2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ node->input[0], dy }, NULL);
}

const Op op_global_avg_pool2d = { .name = "global_avg_pool2d",
                                  .arity = 1,
                                  .shape = global_pool2d_shape,
                                  .gradient = global_avg_pool2d_gradient,
                                  .keeps_unit_range = true };
const Op op_global_avg_pool2d_dx = { .name = "global_avg_pool2d_dx",
                                     .arity = 1,
                                     .numbers = { "height", "width" },
                                     .shape = global_avg_pool2d_dx_shape,
                                     .direction = DIRECTION_DX,
                                     .gradient_of = &op_global_avg_pool2d };
const Op op_global_max_pool2d = { .name = "global_max_pool2d",
                                  .arity = 1,
                                  .shape = global_pool2d_shape,
                                  .gradient = global_max_pool2d_gradient,
                                  .keeps_unit_range = true };
const Op op_global_max_pool2d_dx = { .name = "global_max_pool2d_dx",
                                     .arity = 2,
                                     .shape = global_max_pool2d_dx_shape,
                                     .direction = DIRECTION_DX,
                                     .gradient_of = &op_global_max_pool2d };

static Node *global_pool2d(Layer *layer, const Op *op, Node *x)
{
    want_image(&layer->model, x);
    return layer_node(layer, op, "", layer_reals(layer, x), NULL, NULL);
}

static Node *global_avg_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    (void)args;
    return global_pool2d(layer, &op_global_avg_pool2d, x);
}

static Node *global_max_pool2d_build(Layer *layer, const Arg *args, Node *x)
{
    (void)args;
    return global_pool2d(layer, &op_global_max_pool2d, x);
}

const LayerSpec layer_global_avg_pool2d = {
    "global_avg_pool2d", "gpool", "mean of each channel, flat", { { 0 } }, global_avg_pool2d_build,
};
const LayerSpec layer_global_max_pool2d = {
    "global_max_pool2d",     "gpool", "maximum of each channel, flat", { { 0 } },
    global_max_pool2d_build,
};
