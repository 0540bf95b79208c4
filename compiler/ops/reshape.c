/* reshape: the same values, in the same order, in another shape; the words `flatten` and `reshape`
 * bring it. A view, which computes nothing; on the image's own pixels it stands on their values as
 * reals (from_pixels). */
#include "layer.h"

#include "../base/arena.h"

static void reshape_shape(Node *node)
{
    Shape shape = { .rank = node_number(node, "rank") };
    const char *const names[] = { "first", "second", "third" };
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = node_number(node, names[i]);
    if (shape_count(shape) != shape_count(node->input[0]->shape))
        bug("%s: %s as %s", node->name, shape_text(node->input[0]->shape), shape_text(shape));
    node->shape = shape;
    node->type = TYPE_REAL;
}

static Node *reshaped(Graph *graph, const Node *model, const char *name, Node *x, Shape shape)
{
    const double numbers[] = { shape.rank, shape.dim[0], shape.dim[1], shape.dim[2] };
    return node_new(graph, &op_reshape, model, name, (Node *[]){ x }, numbers);
}

static Node *reshape_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return reshaped(graph, node, arena_format("%s.dx", node->name), dy, node->input[i]->shape);
}

const Op op_reshape = { .name = "reshape",
                        .arity = 1,
                        .numbers = { "rank", "first", "second", "third" },
                        .shape = reshape_shape,
                        .gradient = reshape_gradient,
                        .view = true };

static Node *reshaped_layer(Layer *layer, Node *x, Shape shape)
{
    return reshaped(layer->graph, &layer->model, layer->model.layer, layer_reals(layer, x), shape);
}

static Node *flatten_build(Layer *layer, const Arg *args, Node *x)
{
    (void)args;
    int64_t count = shape_count(x->shape);
    if (count > MAX_SIDE)
        fail(layer->model.loc,
             "flatten: %s has %lld values; a flat value has at most %d: make the image smaller "
             "before, by a pool or a stride",
             shape_text(x->shape), (long long)count, MAX_SIDE);
    return reshaped_layer(layer, x, (Shape){ 1, { (int)count } });
}

static Node *reshape_build(Layer *layer, const Arg *args, Node *x)
{
    Shape shape = args[0].shape;
    if (shape_count(shape) != shape_count(x->shape))
        fail(args[0].loc, "reshape: %s has %lld values, but %s gives %s; both must be equal",
             shape_text(shape), (long long)shape_count(shape), x->layer,
             x->shape.rank == 1 ? shape_text(x->shape)
                                : arena_format("%s, %lld values", shape_text(x->shape),
                                               (long long)shape_count(x->shape)));
    layer->detail = shape_text(shape);
    return reshaped_layer(layer, x, shape);
}

const LayerSpec layer_flatten = {
    "flatten", "flatten", "an image as a flat list of values", { { .name = NULL } }, flatten_build
};

const LayerSpec layer_reshape = {
    "reshape",
    "reshape",
    "a value in another shape",
    { { "shape", ARG_SHAPE, .required = true } },
    reshape_build,
};
