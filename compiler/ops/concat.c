/* concat: at every place the channels of a, then those of b. Its gradient by either is the part of
   dy with that one's channels. */
#include "layer.h"

#include "../base/arena.h"

static bool same_places(Shape a, Shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int i = 0; i + 1 < a.rank; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

static void concat_shape(Node *node)
{
    const Shape a = node->input[0]->shape, b = node->input[1]->shape;
    if (!same_places(a, b))
        bug("%s: %s beside %s", node->name, shape_text(a), shape_text(b));
    node->shape = a;
    node->shape.dim[a.rank - 1] += b.dim[b.rank - 1];
    node->type = TYPE_REAL;
}

static void concat_dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->shape.dim[node->shape.rank - 1] = node_number(node, "channels");
    node->type = TYPE_REAL;
}

static int channels(const Node *node)
{
    return node->shape.dim[node->shape.rank - 1];
}

static Node *concat_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    const double numbers[] = { i ? channels(node->input[0]) : 0, channels(node->input[i]) };
    return node_new(graph, &op_concat_dx, node, arena_format("%s.dx%d", node->name, i + 1),
                    (Node *[]){ dy }, numbers);
}

const Op op_concat = { .name = "concat",
                       .arity = 2,
                       .shape = concat_shape,
                       .gradient = concat_gradient,
                       .inputs_from_layers = true };
const Op op_concat_dx = { .name = "concat_dx",
                          .arity = 1,
                          .numbers = { "from", "channels" },
                          .shape = concat_dx_shape,
                          .direction = DIRECTION_DX,
                          .gradient_of = &op_concat };

static Node *concat_build(Layer *layer, const Arg *args, Node *x)
{
    for (int i = 0; i < args[0].ref_count; i++) {
        const LayerRef *ref = &args[0].refs[i];
        if (!same_places(x->shape, ref->node->shape))
            fail(args[0].loc,
                 "concat: %s gives %s, but what comes in is %s; all but the channels must be "
                 "equal%s",
                 ref->name, shape_text(ref->node->shape), shape_text(x->shape),
                 sizes_hint(layer->graph, x, ref->node));
        x = layer_node(layer, &op_concat, layer_part(i, args[0].ref_count), x, ref->node, NULL);
    }
    return x;
}

const LayerSpec layer_concat = {
    "concat",
    "concat",
    "appends the channels of other layers to those that come in",
    { { "with", ARG_LAYERS, .required = true } },
    concat_build,
};
