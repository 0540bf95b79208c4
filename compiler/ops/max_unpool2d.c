/* max_unpool2d: each value goes to the place where a max-pool found its maximum, zeros elsewhere,
 * in the size of that pool's input (Zeiler, Taylor and Fergus 2011, "Adaptive deconvolutional
 * networks for mid and high level feature learning", section 3). So it is the pool's gradient as an
 * operator of its own, and its own gradient takes what arrives at those places.
 *
 * Both read the pooled value too, their optional input: a kernel may find the places before the
 * activation (it never decreases), and where ReLU made a whole window 0 the first place counts,
 * which is seen from the pooled 0. */
#include "layer.h"

#include "../base/arena.h"

static void max_unpool2d_shape(Node *node)
{
    const Shape x = node->input[0]->shape, codes = node->input[1]->shape;
    if (!shape_equal(x, codes))
        bug("%s: %s at places of %s", node->name, shape_text(x), shape_text(codes));
    node->shape = shape_hwc(node_number(node, "height"), node_number(node, "width"), x.dim[2]);
    node->type = TYPE_REAL;
}

static void max_unpool2d_dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static bool max_unpool2d_scale(const Node *node, int axis, int *up, int *down)
{
    (void)down;
    *up = pool_axis(node, axis).stride;
    return pool_is_tiled(node);
}

static Node *max_unpool2d_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    if (i != 0) /* the places: whole numbers */
        return NULL;
    return node_new(graph, &op_max_unpool2d_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ node->input[1], node->input[2], dy }, node->number);
}

const Op op_max_unpool2d = { .name = "max_unpool2d",
                             .arity = 3,
                             .numbers = { POOL_NUMBERS, "height", "width" },
                             .implied = pool_implies,
                             .shape = max_unpool2d_shape,
                             .gradient = max_unpool2d_gradient,
                             .scale = max_unpool2d_scale,
                             .inputs_from_layers = true,
                             .optional_inputs = 1u << 2 };
const Op op_max_unpool2d_dx = { .name = "max_unpool2d_dx",
                                .arity = 3,
                                .numbers = { POOL_NUMBERS },
                                .implied = pool_implies,
                                .shape = max_unpool2d_dx_shape,
                                .direction = DIRECTION_DX,
                                .gradient_of = &op_max_unpool2d,
                                .optional_inputs = 1u << 1 };

static Node *max_unpool2d_build(Layer *layer, const Arg *args, Node *x)
{
    const LayerRef *ref = &args[0].refs[0];
    Node *pool = ref->node;
    if (pool->op != &op_max_pool2d)
        fail(args[0].loc,
             "max_unpool2d: pool wants the name of a max_pool2d, but %s is of the kind %s",
             ref->name, pool->word);
    if (!shape_equal(x->shape, pool->shape))
        fail(args[0].loc, "max_unpool2d: %s gives %s, but what comes in is %s; both must be equal",
             ref->name, shape_text(pool->shape), shape_text(x->shape));
    if (pool_overlaps(pool))
        fail(args[0].loc,
             "max_unpool2d: windows of %s overlap, so that two values may go back to one place; "
             "give that pool a stride that is not smaller than its size",
             ref->name);
    layer->detail = arena_format("%dx%d", pool_axis(pool, 0).size, pool_axis(pool, 1).size);
    return node_new(layer->graph, &op_max_unpool2d, &layer->model, layer->model.layer,
                    (Node *[]){ layer_reals(layer, x), max_pool2d_codes(layer->graph, pool), pool },
                    numbers_with_size(pool));
}

const LayerSpec layer_max_unpool2d = {
    "max_unpool2d",
    "unpool",
    "each value back to where a max-pool found its maximum",
    { { "pool", ARG_LAYER, .required = true } },
    max_unpool2d_build,
};
