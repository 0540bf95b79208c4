/* zero_pad2d: rows and columns of zeros around an image; crop2d: an image without some of its outer
   ones. Each is the gradient of the other. */
#include "layer.h"

#include "../base/arena.h"

/* The image with so many times the pads around it: 1 or -1. */
static void set_shape(Node *node, int sign)
{
    const int *x = node->input[0]->shape.dim;
    const int rows = node_number(node, "pad_top") + node_number(node, "pad_bottom"),
              columns = node_number(node, "pad_left") + node_number(node, "pad_right");
    node->shape = shape_hwc(x[0] + sign * rows, x[1] + sign * columns, x[2]);
    node->type = TYPE_REAL;
}

static void zero_pad2d_shape(Node *node)
{
    want_image(node, node->input[0]);
    set_shape(node, 1);
}

static void crop2d_shape(Node *node)
{
    want_image(node, node->input[0]);
    set_shape(node, -1);
}

static Node *zero_pad2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_crop2d, node, arena_format("%s.dx", node->name), (Node *[]){ dy },
                    node->number);
}

static Node *crop2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_zero_pad2d, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy }, node->number);
}

#define PADS                                             \
    {                                                    \
        "pad_top", "pad_left", "pad_bottom", "pad_right" \
    }

const Op op_zero_pad2d = { .name = "zero_pad2d",
                           .arity = 1,
                           .numbers = PADS,
                           .shape = zero_pad2d_shape,
                           .gradient = zero_pad2d_gradient,
                           .keeps_unit_range = true };
const Op op_crop2d = { .name = "crop2d",
                       .arity = 1,
                       .numbers = PADS,
                       .shape = crop2d_shape,
                       .gradient = crop2d_gradient,
                       .keeps_unit_range = true };

enum { TOP, LEFT, BOTTOM, RIGHT };

static Node *padded(Layer *layer, const Op *op, const int *pad, Node *x)
{
    layer->detail = arena_format("%d above, %d left, %d below, %d right", pad[TOP], pad[LEFT],
                                 pad[BOTTOM], pad[RIGHT]);
    return layer_node(layer, op, "", layer_reals(layer, x), NULL,
                      (double[]){ pad[TOP], pad[LEFT], pad[BOTTOM], pad[RIGHT] });
}

static Node *zero_pad2d_build(Layer *layer, const Arg *args, Node *x)
{
    return padded(layer, &op_zero_pad2d, args[0].pad, x);
}

static Node *crop2d_build(Layer *layer, const Arg *args, Node *x)
{
    static const char *const sides[] = { "rows", "columns" };
    const int *pad = args[0].pad;
    want_image(&layer->model, x);
    for (int axis = 0; axis < 2; axis++)
        if (pad[axis] + pad[axis + 2] >= x->shape.dim[axis])
            fail(args[0].loc,
                 "crop2d: %d and %d of the %d %s of %s leave none; take %d in all at most, or crop "
                 "a larger image",
                 pad[axis], pad[axis + 2], x->shape.dim[axis], sides[axis], x->layer,
                 x->shape.dim[axis] - 1);
    return padded(layer, &op_crop2d, pad, x);
}

const LayerSpec layer_zero_pad2d = {
    "zero_pad2d",
    "pad",
    "rows and columns of zeros around an image",
    { { "padding", ARG_PADDING, .required = true, .max = MAX_SIDE } },
    zero_pad2d_build,
};

const LayerSpec layer_crop2d = {
    "crop2d",
    "crop",
    "an image without some of its outer rows and columns",
    { { "padding", ARG_PADDING, .required = true, .max = MAX_SIDE } },
    crop2d_build,
};
