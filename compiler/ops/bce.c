/* bce: binary cross-entropy, the mean of -t log y' - (1 - t) log(1 - y') over one image, where y'
 * is y with each pixel repeated `up` times in both directions (see mse).
 *
 * After a sigmoid, y' = 1 / (1 + exp(-z)), it is computed from the logits z, where nothing
 * overflows and nothing is lost: max(z, 0) - z t + log(1 + exp(-|z|)), with gradient (y' - t) / n.
 * Upsampling after the sigmoid is the same as before it. Elsewhere the logarithms are clamped at
 * -100 and the gradient is (y' - t) / max(y' (1 - y'), 1e-12) / n, both as PyTorch's. A view after
 * the sigmoid, as `reshape` brings it, stands on the logits instead. */
#include "layer.h"

#include "../base/arena.h"

static Node *bce_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    const Op *dx = node->op == &op_bce ? &op_bce_dx : &op_bce_logits_dx;
    return i == 0 ? node_new(graph, dx, node, arena_format("%s.dx", node->name), node->input,
                             node->number)
                  : NULL;
}

const Op op_bce = { .name = "bce",
                    .arity = 2,
                    .numbers = { LOSS_NUMBERS },
                    .implied = loss_implies,
                    .loss = "bce",
                    .shape = loss_shape,
                    .gradient = bce_gradient,
                    .calls_math = true };
const Op op_bce_dx = { .name = "bce_dx",
                       .arity = 2,
                       .numbers = { LOSS_NUMBERS },
                       .implied = loss_implies,
                       .loss = "bce",
                       .shape = loss_dx_shape,
                       .direction = DIRECTION_DX,
                       .gradient_of = &op_bce };
const Op op_bce_logits = { .name = "bce_logits",
                           .arity = 2,
                           .numbers = { LOSS_NUMBERS },
                           .implied = loss_implies,
                           .loss = "bce",
                           .shape = loss_shape,
                           .gradient = bce_gradient,
                           .calls_math = true };
const Op op_bce_logits_dx = { .name = "bce_logits_dx",
                              .arity = 2,
                              .numbers = { LOSS_NUMBERS },
                              .implied = loss_implies,
                              .loss = "bce",
                              .shape = loss_dx_shape,
                              .direction = DIRECTION_DX,
                              .gradient_of = &op_bce_logits };

static Node *bce_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    Node *last = output;
    double up = 1;
    while (repeats_of(last) && up * repeats_of(last) <= MAX_UP) {
        up *= repeats_of(last);
        last = last->input[0];
    }
    const Node *value = node_storage(last);
    if (value->op == &op_sigmoid) {
        Node *logits = value->input[0];
        if (last != value)
            logits = layer_node(layer, last->op, "logits", logits, NULL, last->number);
        return loss_node(layer, &op_bce_logits, term, up, logits, target);
    }
    return loss_node(layer, &op_bce, term, 1, output, target);
}

const LossSpec loss_bce = { "bce",
                            "binary cross-entropy, from the logits where a sigmoid comes last",
                            bce_build, .wants_unit_range = true };
