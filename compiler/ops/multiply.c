/* multiply: y = a b, value by value. Where one of the two has a single row, column or channel and
   the other several, that one is spread over them, as in Keras; a flat value counts as one pixel.
   The gradient by either is dy times the other, summed over what that one was spread over. */
#include "layer.h"

#include "../base/arena.h"

static Shape as_image(Shape shape)
{
    return shape.rank == 3 ? shape : shape_hwc(1, 1, shape.dim[0]);
}

/* The shape of a product of such values; false: they do not meet. */
static bool product_shape(Shape a, Shape b, Shape *product)
{
    const Shape x = as_image(a), y = as_image(b);
    *product = x;
    for (int i = 0; i < 3; i++) {
        if (x.dim[i] != y.dim[i] && x.dim[i] != 1 && y.dim[i] != 1)
            return false;
        product->dim[i] = x.dim[i] == 1 ? y.dim[i] : x.dim[i];
    }
    if (a.rank == 1 && b.rank == 1)
        *product = (Shape){ 1, { product->dim[2] } };
    return true;
}

static void multiply_shape(Node *node)
{
    const Shape a = node->input[0]->shape, b = node->input[1]->shape;
    if (!product_shape(a, b, &node->shape))
        bug("%s: %s times %s", node->name, shape_text(a), shape_text(b));
    node->type = TYPE_REAL;
}

static void multiply_dx_shape(Node *node)
{
    const double *numbers = node->number;
    node->shape = shape_hwc((int)numbers[0], (int)numbers[1], (int)numbers[2]);
    if (node_number(node, "flat"))
        node->shape = (Shape){ 1, { (int)numbers[2] } };
    node->type = TYPE_REAL;
}

static Node *multiply_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    const Shape x = node->input[i]->shape, image = as_image(x);
    const double numbers[] = { image.dim[0], image.dim[1], image.dim[2], x.rank == 1 };
    return node_new(graph, &op_multiply_dx, node, arena_format("%s.dx%d", node->name, i + 1),
                    (Node *[]){ dy, node->input[1 - i] }, numbers);
}

const Op op_multiply = { .name = "multiply",
                         .arity = 2,
                         .shape = multiply_shape,
                         .gradient = multiply_gradient,
                         .inputs_from_layers = true };
const Op op_multiply_dx = { .name = "multiply_dx",
                            .arity = 2,
                            .numbers = { "height", "width", "channels", "flat" },
                            .shape = multiply_dx_shape,
                            .direction = DIRECTION_DX,
                            .gradient_of = &op_multiply };

static Node *multiply_build(Layer *layer, const Arg *args, Node *x)
{
    for (int i = 0; i < args[0].ref_count; i++) {
        const LayerRef *ref = &args[0].refs[i];
        Shape product;
        if (!product_shape(x->shape, ref->node->shape, &product))
            fail(args[0].loc,
                 "multiply: %s gives %s, but what comes in is %s; height, width and channels must "
                 "be equal, or 1 in one of the two%s",
                 ref->name, shape_text(ref->node->shape), shape_text(x->shape),
                 sizes_hint(layer->graph, x, ref->node));
        x = layer_node(layer, &op_multiply, layer_part(i, args[0].ref_count), x, ref->node, NULL);
    }
    return x;
}

const LayerSpec layer_multiply = {
    "multiply",
    "mul",
    "product of what comes in and the outputs of other layers, value by value",
    { { "with", ARG_LAYERS, .required = true } },
    multiply_build,
};
