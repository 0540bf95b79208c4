/* upsample2d: by nearest neighbour every pixel `size_h` times down and `size_w` times across; the
   gradient is the sum over those copies. Bilinear: along each axis, the pixel at place (i + 1/2) /
   size - 1/2 of the smaller image (half-pixel centres), between the two pixels around it by their
   distances, or the outermost one beyond it; the gradient gives each of the two its share. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static void upsample2d_shape(Node *node)
{
    const Node *x = node->input[0];
    int size_h = node_number(node, "size_h"), size_w = node_number(node, "size_w");
    want_image(node, x);
    if ((int64_t)x->shape.dim[0] * size_h > MAX_SIDE
        || (int64_t)x->shape.dim[1] * size_w > MAX_SIDE)
        fail(node->loc,
             "upsample2d: %s times %s is more than %d along a side; use a smaller size or image",
             shape_text(x->shape),
             size_h == size_w ? arena_format("%d", size_h) : arena_format("%dx%d", size_h, size_w),
             MAX_SIDE);
    node->shape = shape_hwc(x->shape.dim[0] * size_h, x->shape.dim[1] * size_w, x->shape.dim[2]);
    node->type = TYPE_REAL;
}

static void upsample2d_dx_shape(Node *node)
{
    const int *dy = node->input[0]->shape.dim;
    node->shape = shape_hwc(dy[0] / node_number(node, "size_h"),
                            dy[1] / node_number(node, "size_w"), dy[2]);
    node->type = TYPE_REAL;
}

static bool upsample2d_scale(const Node *node, int axis, int *up, int *down)
{
    (void)down;
    *up = node_number(node, axis == 0 ? "size_h" : "size_w");
    return true;
}

static Node *upsample2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    const Op *dx = node->op == &op_upsample2d ? &op_upsample2d_dx : &op_upsample2d_bilinear_dx;
    return node_new(graph, dx, node, arena_format("%s.dx", node->name), (Node *[]){ dy },
                    node->number);
}

const Op op_upsample2d = { .name = "upsample2d",
                           .arity = 1,
                           .numbers = { "size_h", "size_w" },
                           .shape = upsample2d_shape,
                           .gradient = upsample2d_gradient,
                           .scale = upsample2d_scale,
                           .repeats_pixels = true,
                           .keeps_unit_range = true };
const Op op_upsample2d_dx = { .name = "upsample2d_dx",
                              .arity = 1,
                              .numbers = { "size_h", "size_w" },
                              .shape = upsample2d_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_upsample2d };
const Op op_upsample2d_bilinear = { .name = "upsample2d_bilinear",
                                    .arity = 1,
                                    .numbers = { "size_h", "size_w" },
                                    .shape = upsample2d_shape,
                                    .gradient = upsample2d_gradient,
                                    .scale = upsample2d_scale,
                                    .keeps_unit_range = true };
const Op op_upsample2d_bilinear_dx = { .name = "upsample2d_bilinear_dx",
                                       .arity = 1,
                                       .numbers = { "size_h", "size_w" },
                                       .shape = upsample2d_dx_shape,
                                       .direction = DIRECTION_DX,
                                       .gradient_of = &op_upsample2d_bilinear };

int repeats_along(const Node *node, int axis)
{
    return node->op->repeats_pixels ? node_number(node, axis ? "size_w" : "size_h") : 0;
}

int repeats_of(const Node *node)
{
    const int down = repeats_along(node, 0);
    return down == repeats_along(node, 1) ? down : 0;
}

enum { SIZE, INTERPOLATION };

static Node *upsample2d_build(Layer *layer, const Arg *args, Node *x)
{
    const int *size = args[SIZE].pair;
    const bool nearest = strcmp(args[INTERPOLATION].text, "nearest") == 0;
    layer->detail = arena_format("%dx%d, %s", size[0], size[1], args[INTERPOLATION].text);
    return layer_node(layer, nearest ? &op_upsample2d : &op_upsample2d_bilinear, "",
                      layer_reals(layer, x), NULL, (double[]){ size[0], size[1] });
}

static const char *const interpolations[] = { "nearest", "bilinear", NULL };

const LayerSpec layer_upsample2d = {
    "upsample2d",
    "up",
    "larger images, by nearest neighbour or bilinear interpolation",
    { { "size", ARG_PAIR, .number = 2, .min = 1, .max = MAX_UP },
      { "interpolation", ARG_CHOICE, .text = "nearest", .choices = interpolations } },
    upsample2d_build,
};
