/* dense: y[o] = sum over i of x[i] * kernel[i][o], a fully connected layer on a flat value. Its
   gradients are the transposes of this sum. */
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

static void dense_dx_shape(Node *node)
{
    set_flat(node, node->input[1]->shape.dim[0]);
}

static void dense_dw_shape(Node *node)
{
    node->shape = (Shape){ 2, { node->input[0]->shape.dim[0], node->input[1]->shape.dim[0] } };
    node->type = TYPE_REAL;
}

static Node *dense_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    if (i == 1)
        return node_new(graph, &op_dense_dw, node, arena_format("%s.dw", node->name),
                        (Node *[]){ node->input[0], dy }, NULL);
    return node_new(graph, &op_dense_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, NULL);
}

/* All three multiply as often as the kernel has weights. */
static double dense_macs(const Node *node)
{
    return (double)shape_count(node->op == &op_dense_dw ? node->shape : node->input[1]->shape);
}

const Op op_dense = { .name = "dense",
                      .arity = 2,
                      .shape = dense_shape,
                      .gradient = dense_gradient,
                      .macs = dense_macs,
                      .role = ROLE_CORE };
const Op op_dense_dx = { .name = "dense_dx",
                         .arity = 2,
                         .shape = dense_dx_shape,
                         .macs = dense_macs,
                         .direction = DIRECTION_DX,
                         .gradient_of = &op_dense };
const Op op_dense_dw = { .name = "dense_dw",
                         .arity = 2,
                         .shape = dense_dw_shape,
                         .macs = dense_macs,
                         .direction = DIRECTION_DW,
                         .gradient_of = &op_dense };

enum { UNITS, ACTIVATION, USE_BIAS };

static Node *dense_build(Layer *layer, const Arg *args, Node *x)
{
    int units = (int)args[UNITS].number;
    if (x->shape.rank != 1)
        fail(layer->model.loc,
             "dense: wants a flat input, but %s gives %s; put flatten {} before it", x->layer,
             shape_text(x->shape));
    int inputs = x->shape.dim[0];
    Node *w = layer_parameter(layer, "kernel", (Shape){ 2, { inputs, units } },
                              glorot_limit(inputs, units));
    Node *b = args[USE_BIAS].number ? layer_parameter(layer, "bias", (Shape){ 1, { units } }, 0)
                                    : NULL;
    Node *y = layer_node(layer, &op_dense, "", x, w, NULL);
    if (b)
        y = layer_node(layer, &op_bias_add, "bias_add", y, b, NULL);
    layer->detail = arena_format("%d units, %s", units, args[ACTIVATION].text);
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
    },
    dense_build,
};
