/* upsample2d: nearest neighbour, every pixel `size` times in both directions; the gradient is the
   sum over those copies. */
#include "ops.h"

#include "../base/arena.h"

static void upsample2d_shape(Node *node)
{
    const Node *x = node->input[0];
    int size = node_number(node, "size");
    want_image(node, x);
    if ((int64_t)x->shape.dim[0] * size > MAX_SIDE || (int64_t)x->shape.dim[1] * size > MAX_SIDE)
        fail(node->loc, "upsample2d: %s times %d is more than %d along a side",
             shape_text(x->shape), size, MAX_SIDE);
    node->shape = shape_hwc(x->shape.dim[0] * size, x->shape.dim[1] * size, x->shape.dim[2]);
    node->type = TYPE_REAL;
}

static void upsample2d_dx_shape(Node *node)
{
    const int *dy = node->input[0]->shape.dim;
    int size = node_number(node, "size");
    node->shape = shape_hwc(dy[0] / size, dy[1] / size, dy[2]);
    node->type = TYPE_REAL;
}

static Node *upsample2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_upsample2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy }, node->number);
}

const Op op_upsample2d = { .name = "upsample2d",
                           .arity = 1,
                           .numbers = { "size" },
                           .shape = upsample2d_shape,
                           .gradient = upsample2d_gradient,
                           .scale = scale_up_by_size,
                           .repeats_pixels = true,
                           .keeps_unit_range = true };
const Op op_upsample2d_dx = { .name = "upsample2d_dx",
                              .arity = 1,
                              .numbers = { "size" },
                              .shape = upsample2d_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_upsample2d };

static Node *upsample2d_build(Layer *layer, const Arg *args, Node *x)
{
    layer->detail = arena_format("%dx%d, nearest", (int)args[0].number, (int)args[0].number);
    return layer_node(layer, &op_upsample2d, "", layer_reals(layer, x), NULL,
                      (double[]){ args[0].number });
}

const LayerSpec layer_upsample2d = {
    "upsample2d",
    "up",
    "nearest neighbour upsampling",
    { { "size", ARG_INT, .number = 2, .min = 1, .max = 64 } },
    upsample2d_build,
};
