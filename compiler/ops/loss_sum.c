/* loss_times: weight * a; loss_plus: a + weight * b. The loss of several terms is a chain of them,
 * in a fixed order, in double precision as all losses. They hand on the 1 that stands for the loss:
 * terms know their weight themselves. */
#include "layer.h"

#include "../base/arena.h"

static void sum_shape(Node *node)
{
    for (int i = 0; i < node->op->arity; i++)
        if (!node_is_loss(node->input[i]))
            bug("%s: %s is no term of the loss", node->name, node->input[i]->name);
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

static Node *sum_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)graph;
    (void)node;
    (void)i;
    return dy;
}

const Op op_loss_times = { .name = "loss_times",
                           .arity = 1,
                           .numbers = { "weight" },
                           .shape = sum_shape,
                           .gradient = sum_gradient };
const Op op_loss_plus = { .name = "loss_plus",
                          .arity = 2,
                          .numbers = { "weight" },
                          .shape = sum_shape,
                          .gradient = sum_gradient };

/* What is summed so far, NULL at first. */
typedef struct Sum {
    Layer layer; /* of the sums */
    Node *value;
    int place, count; /* of the next term */
} Sum;

static void add(Sum *sum, Node *term)
{
    const double weight = node_real(term, "weight");
    const char *suffix = sum->place + 1 == sum->count ? "" : arena_format("sum%d", sum->place + 1);
    sum->place++;
    if (sum->value)
        sum->value = layer_node(&sum->layer, &op_loss_plus, suffix, sum->value, term, &weight);
    else if (weight != 1)
        sum->value = layer_node(&sum->layer, &op_loss_times, suffix, term, NULL, &weight);
    else
        sum->value = term;
}

/* Alone and with the weight 1 a term is the loss. */
static void compare(Sum *sum, const LossTerm *term, Node *output, Node *target)
{
    const LossSpec *spec = loss_find(term->choice.word);
    Layer layer = sum->layer;
    layer.model.word = spec->word;
    layer.model.loc = term->loc;
    if (sum->count > 1 || term->weight != 1)
        layer.model.layer = arena_format("%s.%s", layer.model.layer, spec->word);
    add(sum, spec->build(&layer, term, output, target));
}

Node *loss_build(Graph *graph, Node place, const LossSum *loss, Node *output, Node *target,
                 Node *const *terms, int count)
{
    Sum sum = { .layer = { .graph = graph, .model = place }, .count = loss->count + count };
    sum.layer.model.word = "loss";
    for (int i = 0; i < loss->count; i++)
        compare(&sum, &loss->terms[i], output, target);
    for (int i = 0; i < count; i++)
        add(&sum, terms[i]);
    return sum.value;
}
