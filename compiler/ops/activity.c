/* activity_l1: factor times the sum of |x|; activity_l2: of x^2, over the values of one image.
 * Terms of the loss that layers bring, whatever the output; they are shown with their factor. The
 * gradients are factor times the sign of x, 0 of 0, and 2 factor x. */
#include "layer.h"

#include "../base/arena.h"

static void activity_shape(Node *node)
{
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

static void activity_dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *activity_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    (void)i;
    const Op *dx = node->op == &op_activity_l1 ? &op_activity_l1_dx : &op_activity_l2_dx;
    return node_new(graph, dx, node, arena_format("%s.dx", node->name), node->input, node->number);
}

#define NUMBERS_OF_ACTIVITY "weight", "factor"

const Op op_activity_l1 = { .name = "activity_l1",
                            .arity = 1,
                            .numbers = { NUMBERS_OF_ACTIVITY },
                            .implied = loss_implies,
                            .loss = "activity_l1",
                            .shape = activity_shape,
                            .gradient = activity_gradient,
                            .calls_math = true };
const Op op_activity_l1_dx = { .name = "activity_l1_dx",
                               .arity = 1,
                               .numbers = { NUMBERS_OF_ACTIVITY },
                               .implied = loss_implies,
                               .loss = "activity_l1",
                               .shape = activity_dx_shape,
                               .direction = DIRECTION_DX,
                               .gradient_of = &op_activity_l1 };
const Op op_activity_l2 = { .name = "activity_l2",
                            .arity = 1,
                            .numbers = { NUMBERS_OF_ACTIVITY },
                            .implied = loss_implies,
                            .loss = "activity_l2",
                            .shape = activity_shape,
                            .gradient = activity_gradient };
const Op op_activity_l2_dx = { .name = "activity_l2_dx",
                               .arity = 1,
                               .numbers = { NUMBERS_OF_ACTIVITY },
                               .implied = loss_implies,
                               .loss = "activity_l2",
                               .shape = activity_dx_shape,
                               .direction = DIRECTION_DX,
                               .gradient_of = &op_activity_l2 };

static void add_term(Layer *layer, const Op *op, double factor, Node *x)
{
    if (factor > 0)
        graph_add_term(layer->graph,
                       layer_node(layer, op, op->name, x, NULL, (double[]){ 1, factor }));
}

const ArgSpec penalty_args[PENALTY_ARGS + 1] = {
    { "kernel_l1", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
    { "kernel_l2", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
    { "activity_l1", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
    { "activity_l2", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
    { .name = NULL },
};

void layer_activity(Layer *layer, const Arg args[PENALTY_ARGS], Node *x)
{
    if (args[ACTIVITY_L1].number == 0 && args[ACTIVITY_L2].number == 0)
        return;
    x = layer_reals(layer, x);
    add_term(layer, &op_activity_l1, args[ACTIVITY_L1].number, x);
    add_term(layer, &op_activity_l2, args[ACTIVITY_L2].number, x);
}
