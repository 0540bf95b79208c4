/* depth_to_space: the channels of each pixel as a block of `size` x `size` pixels, the block's
   first row first (TensorFlow's order, "NHWC": channel (i size + j) C + c goes to row i, column j,
   channel c of C); space_to_depth: blocks as channels. Each is the gradient of the other, and its
   inverse. */
#include "layer.h"

#include "../base/arena.h"

static void depth_to_space_shape(Node *node)
{
    const int *x = node->input[0]->shape.dim, size = node_number(node, "size");
    want_image(node, node->input[0]);
    if ((int64_t)x[0] * size > MAX_SIDE || (int64_t)x[1] * size > MAX_SIDE)
        fail(
            node->loc,
            "depth_to_space: %s times %d is more than %d along a side; use a smaller size or image",
            shape_text(node->input[0]->shape), size, MAX_SIDE);
    node->shape = shape_hwc(x[0] * size, x[1] * size, x[2] / (size * size));
    node->type = TYPE_REAL;
}

static void space_to_depth_shape(Node *node)
{
    const int *x = node->input[0]->shape.dim, size = node_number(node, "size");
    want_image(node, node->input[0]);
    if ((int64_t)x[2] * size * size > MAX_SIDE)
        fail(node->loc,
             "space_to_depth: %d channels times %dx%d are more than %d; use a smaller size, or a "
             "conv2d with fewer filters before it",
             x[2], size, size, MAX_SIDE);
    node->shape = shape_hwc(x[0] / size, x[1] / size, x[2] * size * size);
    node->type = TYPE_REAL;
}

static bool depth_to_space_scale(const Node *node, int axis, int *up, int *down)
{
    (void)axis;
    (void)down;
    *up = node_number(node, "size");
    return true;
}

static bool space_to_depth_scale(const Node *node, int axis, int *up, int *down)
{
    (void)axis;
    (void)up;
    *down = node_number(node, "size");
    return true;
}

static Node *inverse(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, node->op == &op_depth_to_space ? &op_space_to_depth : &op_depth_to_space,
                    node, arena_format("%s.dx", node->name), (Node *[]){ dy }, node->number);
}

const Op op_depth_to_space = { .name = "depth_to_space",
                               .arity = 1,
                               .numbers = { "size" },
                               .shape = depth_to_space_shape,
                               .gradient = inverse,
                               .scale = depth_to_space_scale,
                               .spreads_channels = true,
                               .keeps_unit_range = true };
const Op op_space_to_depth = { .name = "space_to_depth",
                               .arity = 1,
                               .numbers = { "size" },
                               .shape = space_to_depth_shape,
                               .gradient = inverse,
                               .scale = space_to_depth_scale,
                               .keeps_unit_range = true };

static Node *rearranged(Layer *layer, const Op *op, int size, Node *x)
{
    layer->detail = arena_format("%dx%d", size, size);
    return layer_node(layer, op, "", layer_reals(layer, x), NULL, (double[]){ size });
}

static Node *depth_to_space_build(Layer *layer, const Arg *args, Node *x)
{
    const int size = (int)args[0].number;
    want_image(&layer->model, x);
    if (x->shape.dim[2] % (size * size))
        fail(args[0].loc,
             "depth_to_space: the %d channels of %s do not fall into %dx%d equal parts; put a "
             "conv2d with a multiple of %d filters before it",
             x->shape.dim[2], x->layer, size, size, size * size);
    return rearranged(layer, &op_depth_to_space, size, x);
}

static Node *space_to_depth_build(Layer *layer, const Arg *args, Node *x)
{
    const int size = (int)args[0].number;
    want_image(&layer->model, x);
    if (x->shape.dim[0] % size || x->shape.dim[1] % size)
        fail(args[0].loc,
             "space_to_depth: the %dx%d pixels of %s do not fall into blocks of %dx%d; put "
             "zero_pad2d or crop2d before it to make both multiples of %d",
             x->shape.dim[0], x->shape.dim[1], x->layer, size, size, size);
    return rearranged(layer, &op_space_to_depth, size, x);
}

const LayerSpec layer_depth_to_space = {
    "depth_to_space",
    "d2s",
    "the channels of a pixel as a block of pixels",
    { { "size", ARG_INT, .required = true, .min = 2, .max = 64 } },
    depth_to_space_build,
};

const LayerSpec layer_space_to_depth = {
    "space_to_depth",
    "s2d",
    "a block of pixels as the channels of one",
    { { "size", ARG_INT, .required = true, .min = 2, .max = 64 } },
    space_to_depth_build,
};
