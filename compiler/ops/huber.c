/* huber: the mean over one image of d^2 / 2 where d = |y' - target| is at most delta, and of delta
 * (d - delta / 2) beyond, where y' is y with each pixel repeated `up` times in both directions (see
 * mse). Its gradient by y is the sum of y' - target, cut to -delta..delta, over the copies / n. */
#include "layer.h"

#include "../base/arena.h"

static Node *huber_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    return i == 0 ? node_new(graph, &op_huber_dx, node, arena_format("%s.dx", node->name),
                             node->input, node->number)
                  : NULL;
}

const Op op_huber = { .name = "huber",
                      .arity = 2,
                      .numbers = { LOSS_NUMBERS, "delta" },
                      .implied = loss_implies,
                      .loss = "huber",
                      .shape = loss_shape,
                      .gradient = huber_gradient,
                      .calls_math = true };
const Op op_huber_dx = { .name = "huber_dx",
                         .arity = 2,
                         .numbers = { LOSS_NUMBERS, "delta" },
                         .implied = loss_implies,
                         .loss = "huber",
                         .shape = loss_dx_shape,
                         .direction = DIRECTION_DX,
                         .gradient_of = &op_huber };

static Node *huber_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    return loss_node(layer, &op_huber, term, 1, output, target);
}

const LossSpec loss_huber = {
    "huber", "half the square of the difference, from delta on in a line", huber_build,
    .args = { { "delta", ARG_REAL, .number = 1, .min = 1e-6, .max = 1e6 } }
};
