/* mse: the mean of (y' - target)^2 over one image, where y' is y with each pixel repeated `up` times in both directions (1 as built; the pass
 * `fold` raises it). Its gradient by y is the sum of 2 (y' - target) / n over the copies, n the values of the target. */
#include "ops.h"

static void check_match(const Node *node)
{
    const Shape y = node->input[0]->shape, t = node->input[1]->shape;
    int up = node_number(node, "up");
    if (y.rank != 3 || t.rank != 3 || y.dim[0] * up != t.dim[0] || y.dim[1] * up != t.dim[1] || y.dim[2] != t.dim[2])
        bug("%s: %s times %d against %s", node->name, shape_text(y), up, shape_text(t));
}

static void mse_shape(Node *node)
{
    check_match(node);
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

static void mse_dx_shape(Node *node)
{
    check_match(node);
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *mse_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy;           /* the loss itself: 1 */
    if (i != 0)
        return NULL;
    return node_new(graph, &op_mse_dx, node, "loss.dx", node->input, node->number);
}

const Op op_mse = { .name = "mse", .arity = 2, .numbers = { "up" }, .shape = mse_shape, .gradient = mse_gradient };
const Op op_mse_dx = { .name = "mse_dx", .arity = 2, .numbers = { "up" }, .shape = mse_dx_shape };

static Node *mse_build(Layer *layer, Node *output, Node *target)
{
    return layer_node(layer, &op_mse, "", output, target, (double[]){ 1 });
}

const LossSpec loss_mse = { "mse", "mean squared error", mse_build };
