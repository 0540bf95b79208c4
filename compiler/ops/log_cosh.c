/* log_cosh: the mean of log(cosh(y' - target)) over one image, where y' is y with each pixel
 * repeated `up` times in both directions (see mse): near 0 half the square of the difference, far
 * from it the absolute value less log 2. Its gradient by y is the sum of tanh(y' - target) / n over
 * the copies. */
#include "layer.h"

#include "../base/arena.h"

static Node *log_cosh_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    return i == 0 ? node_new(graph, &op_log_cosh_dx, node, arena_format("%s.dx", node->name),
                             node->input, node->number)
                  : NULL;
}

const Op op_log_cosh = { .name = "log_cosh",
                         .arity = 2,
                         .numbers = { LOSS_NUMBERS },
                         .implied = loss_implies,
                         .loss = "log_cosh",
                         .shape = loss_shape,
                         .gradient = log_cosh_gradient,
                         .calls_math = true };
const Op op_log_cosh_dx = { .name = "log_cosh_dx",
                            .arity = 2,
                            .numbers = { LOSS_NUMBERS },
                            .implied = loss_implies,
                            .loss = "log_cosh",
                            .shape = loss_dx_shape,
                            .direction = DIRECTION_DX,
                            .gradient_of = &op_log_cosh,
                            .calls_math = true };

static Node *log_cosh_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    return loss_node(layer, &op_log_cosh, term, 1, output, target);
}

const LossSpec loss_log_cosh = { "log_cosh", "logarithm of the hyperbolic cosine of the difference",
                                 log_cosh_build, .wants_unit_range = false };
