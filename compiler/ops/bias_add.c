/* bias_add: y[...][c] = x[...][c] + bias[c]; its gradient by the bias is the sum over all
   places. */
#include "ops.h"

#include "../base/arena.h"

static void bias_add_shape(Node *node)
{
    const Shape x = node->input[0]->shape;
    if (node->input[1]->shape.dim[0] != x.dim[x.rank - 1])
        bug("%s: a bias of %d for %s", node->name, node->input[1]->shape.dim[0], shape_text(x));
    node->shape = x;
    node->type = TYPE_REAL;
}

static Node *bias_add_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    if (i == 0)
        return dy;
    const char *name = node->stage ? arena_format("%s.stage%d.db", node->layer, node->stage)
                                   : arena_format("%s.db", node->layer);
    return node_new(graph, &op_bias_add_db, node, name, (Node *[]){ dy }, NULL);
}

static void bias_add_db_shape(Node *node)
{
    const Shape dy = node->input[0]->shape;
    node->shape = (Shape){ 1, { dy.dim[dy.rank - 1] } };
    node->type = TYPE_REAL;
}

const Op op_bias_add = { .name = "bias_add",
                         .arity = 2,
                         .shape = bias_add_shape,
                         .gradient = bias_add_gradient,
                         .role = ROLE_BIAS };
const Op op_bias_add_db = { .name = "bias_add_db",
                            .arity = 1,
                            .shape = bias_add_db_shape,
                            .direction = DIRECTION_DB,
                            .gradient_of = &op_bias_add };
