/* mae: the mean of |y' - target| over one image, where y' is y with each pixel repeated `up` times
 * in both directions (see mse). Its gradient by y is the sum of sign(y' - target) / n over the
 * copies, sign(0) = 0. */
#include "layer.h"

#include "../base/arena.h"

static Node *mae_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    return i == 0 ? node_new(graph, &op_mae_dx, node, arena_format("%s.dx", node->name),
                             node->input, node->number)
                  : NULL;
}

const Op op_mae = { .name = "mae",
                    .arity = 2,
                    .numbers = { LOSS_NUMBERS },
                    .implied = loss_implies,
                    .loss = "mae",
                    .shape = loss_shape,
                    .gradient = mae_gradient };
const Op op_mae_dx = { .name = "mae_dx",
                       .arity = 2,
                       .numbers = { LOSS_NUMBERS },
                       .implied = loss_implies,
                       .loss = "mae",
                       .shape = loss_dx_shape,
                       .direction = DIRECTION_DX,
                       .gradient_of = &op_mae };

static Node *mae_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    return loss_node(layer, &op_mae, term, 1, output, target);
}

const LossSpec loss_mae = { "mae", "mean absolute error", mae_build, .wants_unit_range = false };
