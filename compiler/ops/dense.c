/* dense: y[o] = sum over i of x[i] * kernel[i][o], a fully connected layer on a flat value. Its
   gradients are the transposes of this sum.

   dense_transpose: y[i] = sum over o of x[o] * kernel[i][o], which is its dX as a layer; so the dX
   of that is dense, and its dW that of dense with the roles of x and dy exchanged. */
#include "layer.h"

#include "../base/arena.h"

static void set_flat(Node *node, int count)
{
    node->shape = (Shape){ 1, { count } };
    node->type = TYPE_REAL;
}

static void dense_shape(Node *node)
{
    if (node->input[0]->shape.dim[0] != node->input[1]->shape.dim[0])
        bug("%s: a kernel of %s for %s", node->name, shape_text(node->input[1]->shape),
            shape_text(node->input[0]->shape));
    set_flat(node, node->input[1]->shape.dim[1]);
}

/* Of what goes from the kernel's columns back to its rows. */
static void dense_back_shape(Node *node)
{
    if (node->input[0]->shape.dim[0] != node->input[1]->shape.dim[1])
        bug("%s: the transpose of a kernel of %s for %s", node->name,
            shape_text(node->input[1]->shape), shape_text(node->input[0]->shape));
    set_flat(node, node->input[1]->shape.dim[0]);
}

static void dense_dw_shape(Node *node)
{
    node->shape = (Shape){ 2, { node->input[0]->shape.dim[0], node->input[1]->shape.dim[0] } };
    node->type = TYPE_REAL;
}

static void dense_transpose_dw_shape(Node *node)
{
    node->shape = (Shape){ 2, { node->input[1]->shape.dim[0], node->input[0]->shape.dim[0] } };
    node->type = TYPE_REAL;
}

static Node *product_gradient(Graph *graph, Node *node, Node *dy, int i, const Op *dx, const Op *dw)
{
    if (i == 1)
        return node_new(graph, dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ node->input[0], dy }, NULL);
    return node_new(graph, dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, NULL);
}

static Node *dense_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return product_gradient(graph, node, dy, i, &op_dense_dx, &op_dense_dw);
}

static Node *dense_transpose_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return product_gradient(graph, node, dy, i, &op_dense_transpose_dx, &op_dense_transpose_dw);
}

/* All of them multiply as often as the kernel has weights. */
static double dense_macs(const Node *node)
{
    return (double)shape_count(node->op->direction == DIRECTION_DW ? node->shape
                                                                   : node->input[1]->shape);
}

const Op op_dense = { .name = "dense",
                      .arity = 2,
                      .shape = dense_shape,
                      .gradient = dense_gradient,
                      .macs = dense_macs,
                      .role = ROLE_CORE };
const Op op_dense_dx = { .name = "dense_dx",
                         .arity = 2,
                         .shape = dense_back_shape,
                         .macs = dense_macs,
                         .direction = DIRECTION_DX,
                         .gradient_of = &op_dense };
const Op op_dense_dw = { .name = "dense_dw",
                         .arity = 2,
                         .shape = dense_dw_shape,
                         .macs = dense_macs,
                         .direction = DIRECTION_DW,
                         .gradient_of = &op_dense };

const Op op_dense_transpose = { .name = "dense_transpose",
                                .arity = 2,
                                .shape = dense_back_shape,
                                .gradient = dense_transpose_gradient,
                                .macs = dense_macs,
                                .role = ROLE_CORE };
const Op op_dense_transpose_dx = { .name = "dense_transpose_dx",
                                   .arity = 2,
                                   .shape = dense_shape,
                                   .macs = dense_macs,
                                   .direction = DIRECTION_DX,
                                   .gradient_of = &op_dense_transpose };
const Op op_dense_transpose_dw = { .name = "dense_transpose_dw",
                                   .arity = 2,
                                   .shape = dense_transpose_dw_shape,
                                   .macs = dense_macs,
                                   .direction = DIRECTION_DW,
                                   .gradient_of = &op_dense_transpose };

enum { UNITS, ACTIVATION, USE_BIAS, TIED };

static Node *own_product(Layer *layer, int units, Node *x)
{
    int inputs = x->shape.dim[0];
    Node *w = layer_parameter(layer, "kernel", (Shape){ 2, { inputs, units } },
                              glorot_limit(inputs, units));
    return layer_node(layer, &op_dense, "", x, w, NULL);
}

static Node *tied_product(Layer *layer, const Arg *args, Node *x)
{
    Node *w = tied_core(layer, &args[TIED], &op_dense)->input[1];
    want_tied_number(layer, &args[UNITS], "units", (int)args[UNITS].number, w->shape.dim[0]);
    want_tied_input(layer, &args[TIED], x, x->shape.dim[0], w->shape.dim[1]);
    return layer_node(layer, &op_dense_transpose, "", x, w, NULL);
}

static Node *dense_build(Layer *layer, const Arg *args, Node *x)
{
    int units = (int)args[UNITS].number;
    if (x->shape.rank != 1)
        fail(layer->model.loc,
             "dense: wants a flat input, but %s gives %s; put flatten {} before it", x->layer,
             shape_text(x->shape));
    bool tied = args[TIED].ref_count > 0;
    Node *y = tied ? tied_product(layer, args, x) : own_product(layer, units, x);
    if (args[USE_BIAS].number)
        y = layer_node(layer, &op_bias_add, "bias_add", y,
                       layer_parameter(layer, "bias", (Shape){ 1, { units } }, 0), NULL);
    layer->detail = arena_format("%d units, %s%s", units, args[ACTIVATION].text,
                                 tied ? ", tied" : "");
    return layer_activation(layer, args[ACTIVATION].text, y);
}

const LayerSpec layer_dense = {
    "dense",
    "dense",
    "fully connected layer on a flat input",
    {
        { "units", ARG_INT, .required = true, .min = 1, .max = MAX_SIDE },
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
        TIED_ARG,
    },
    dense_build,
};
