/* mse: the mean of (y' - target)^2 over one image, where y' is y with each pixel repeated `up`
 * times in both directions (1 as built; the pass `fold` raises it). Its gradient by y is the sum of
 * 2 (y' - target) / n over the copies, n the values of the target. */
#include "layer.h"

#include "../base/arena.h"

static Node *mse_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    if (i != 0)
        return NULL;
    return node_new(graph, &op_mse_dx, node, arena_format("%s.dx", node->name), node->input,
                    node->number);
}

const Op op_mse = { .name = "mse",
                    .arity = 2,
                    .numbers = { LOSS_NUMBERS },
                    .implied = loss_implies,
                    .loss = "mse",
                    .shape = loss_shape,
                    .gradient = mse_gradient };
const Op op_mse_dx = { .name = "mse_dx",
                       .arity = 2,
                       .numbers = { LOSS_NUMBERS },
                       .implied = loss_implies,
                       .loss = "mse",
                       .shape = loss_dx_shape,
                       .direction = DIRECTION_DX,
                       .gradient_of = &op_mse };

static Node *mse_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    return loss_node(layer, &op_mse, term, 1, output, target);
}

const LossSpec loss_mse = { "mse", "mean squared error", mse_build, .wants_unit_range = false };
