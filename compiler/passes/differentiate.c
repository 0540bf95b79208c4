#include "passes.h"

#include "../base/arena.h"
#include "../ops/ops.h"

/* What the readers of a value send back, the last reader's first. */
typedef struct Arrived {
    Node *value;
    struct Arrived *next, *last; /* `last` is kept in the first of a list alone */
} Arrived;

static void arrive(Arrived **list, Node *value)
{
    Arrived *arrived = ARENA_NEW(Arrived);
    arrived->value = value;
    if (*list)
        (*list)->last->next = arrived;
    else
        *list = arrived;
    (*list)->last = arrived;
}

/* What their names begin with: every stage has a sum of its own of a parameter. */
static const char *sum_name(const Node *of, int stage)
{
    return of->op->holds_weights && stage ? arena_format("%s.stage%d", of->name, stage) : of->name;
}

/* The sum in that order; made only when all readers have been seen, so that it stands in front of
   what reads it. NULL: no gradient arrives. */
static Node *total(Graph *graph, int stage, const Node *of, const Arrived *list)
{
    Node *sum = list ? list->value : NULL;
    for (int n = 1; list && list->next; n++, list = list->next) {
        const char *base = sum_name(of, stage);
        const char *name = n == 1 ? arena_format("%s.sum", base)
                                  : arena_format("%s.sum%d", base, n);
        sum = sum_of_gradients(graph, of, name, sum, list->next->value);
    }
    return sum;
}

/* Whether any parameter that the stage trains stands above the node: only then its gradient is
   asked for. */
static void mark_trained(const Graph *graph, int stage, int count, bool *trained)
{
    for (int i = 0; i < graph->parameter_count; i++)
        trained[graph->parameters[i].node->id] = graph_trains(graph, stage, i);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity; k++)
            trained[i] = trained[i] || trained[graph->nodes[i]->input[k]->id];
}

_Noreturn static void refuse(const Graph *graph, int stage, const Node *parameter)
{
    if (stage)
        fail(graph->stages[stage - 1].loc,
             "stages: this stage cannot train %s: its loss does not depend on that layer",
             parameter->layer);
    fail(parameter->loc,
         "%s: %s cannot be trained: all that the output takes from it are the places of a max-pool",
         parameter->word, parameter->layer);
}

/* Sends the gradient dy of a node on to those of its inputs that lead to something trained. */
static void send(Graph *graph, Node *node, Node *dy, const bool *trained, Arrived **gradient)
{
    for (int k = 0; k < node->op->arity; k++) {
        if (!trained[node->input[k]->id])
            continue;
        Node *value = node->op->gradient(graph, node, dy, k);
        if (value && !shape_equal(value->shape, node->input[k]->shape))
            bug("the gradient of %s has another shape", node->input[k]->name);
        if (value)
            arrive(&gradient[node->input[k]->id], value);
    }
}

/* gradient[i] of each parameter i that the stage trains, from what has arrived there. */
static void collect(Graph *graph, int stage, Arrived **gradient, Node **gradients)
{
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node;
        gradients[i] = graph_statistic(graph, stage, i);
        if (!graph_trains(graph, stage, i))
            continue;
        gradients[i] = total(graph, stage, parameter, gradient[parameter->id]);
        if (!gradients[i])
            refuse(graph, stage, parameter);
    }
}

/* Fills gradients[i] of each parameter i that the stage trains, and makes the nodes of it. */
static void differentiate(Graph *graph, int stage, int count, Node **gradients)
{
    Node *loss = graph_loss(graph, stage);
    Arrived **gradient = ARENA_ARRAY(Arrived *, count);
    bool *trained = ARENA_ARRAY(bool, count);
    int first = graph->count;
    mark_trained(graph, stage, count, trained);
    /* stands for 1; the loss's own rule does not read it */
    arrive(&gradient[loss->id], loss);
    for (int i = count - 1; i >= 0; i--)
        if (gradient[i] && graph->nodes[i]->op->gradient)
            send(graph, graph->nodes[i], total(graph, stage, graph->nodes[i], gradient[i]), trained,
                 gradient);
    collect(graph, stage, gradient, gradients);
    for (int i = first; i < graph->count; i++) {
        graph->nodes[i]->backward = true;
        graph->nodes[i]->stage = stage;
    }
}

void pass_differentiate(Graph *graph)
{
    int count = graph->count;
    for (int p = 0; p <= graph_partial_stages(graph); p++) {
        Node **gradients = ARENA_ARRAY(Node *, graph->parameter_count + 1);
        differentiate(graph, p, count, gradients);
        if (p)
            graph->stages[p - 1].gradient = gradients;
        for (int i = 0; !p && i < graph->parameter_count; i++)
            graph->parameters[i].gradient = gradients[i];
    }
}
