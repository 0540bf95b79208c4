/* add: y = a + b, value by value; its gradient by either is dy itself. Differentiation sums with it
   what several readers of a value send back.

   gradient_sum: the same of gradients of one parameter, a sum itself or not and one more. No step
   makes it, since the steps of both add to one place in any case. */
#include "layer.h"

static void add_shape(Node *node)
{
    const Shape a = node->input[0]->shape, b = node->input[1]->shape;
    if (!shape_equal(a, b))
        bug("%s: %s plus %s", node->name, shape_text(a), shape_text(b));
    node->shape = a;
    node->type = TYPE_REAL;
}

static Node *add_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)graph;
    (void)node;
    (void)i;
    return dy;
}

const Op op_add = { .name = "add",
                    .arity = 2,
                    .shape = add_shape,
                    .gradient = add_gradient,
                    .inputs_from_layers = true };

const Op op_gradient_sum = {
    .name = "gradient_sum", .arity = 2, .shape = add_shape, .sums_gradients = true
};

Node *sum_of_gradients(Graph *graph, const Node *of, const char *name, Node *a, Node *b)
{
    return node_new(graph, of->op->holds_weights ? &op_gradient_sum : &op_add, of, name,
                    (Node *[]){ a, b }, NULL);
}

static Node *add_build(Layer *layer, const Arg *args, Node *x)
{
    for (int i = 0; i < args[0].ref_count; i++) {
        const LayerRef *ref = &args[0].refs[i];
        if (!shape_equal(x->shape, ref->node->shape))
            fail(args[0].loc, "add: %s gives %s, but what comes in is %s; both must be equal%s",
                 ref->name, shape_text(ref->node->shape), shape_text(x->shape),
                 sizes_hint(layer->graph, x, ref->node));
        x = layer_node(layer, &op_add, layer_part(i, args[0].ref_count), x, ref->node, NULL);
    }
    return x;
}

const LayerSpec layer_add = {
    "add",
    "add",
    "sum of what comes in and the outputs of other layers",
    { { "with", ARG_LAYERS, .required = true } },
    add_build,
};
