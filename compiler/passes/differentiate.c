#include "passes.h"

#include "../base/arena.h"
#include "../ops/ops.h"

/* What the readers of a value send back, the last reader's first. */
typedef struct Arrived {
    Node *value;
    struct Arrived *next;
} Arrived;

static void arrive(Arrived **list, Node *value)
{
    while (*list)
        list = &(*list)->next;
    *list = ARENA_NEW(Arrived);
    (*list)->value = value;
}

/* The sum in that order; made only when all readers have been seen, so that it stands in front of what reads it. NULL: no gradient arrives. */
static Node *total(Graph *graph, const Node *of, const Arrived *list)
{
    Node *sum = list ? list->value : NULL;
    for (int n = 1; list && list->next; n++, list = list->next) {
        const char *name = n == 1 ? arena_format("%s.sum", of->name) : arena_format("%s.sum%d", of->name, n);
        sum = node_new(graph, &op_add, of, name, (Node *[]){ sum, list->next->value }, NULL);
    }
    return sum;
}

/* Whether any parameter stands above the node: only then its gradient is asked for. */
static void mark_trained(const Graph *graph, bool *trained)
{
    for (int i = 0; i < graph->count; i++) {
        const Node *node = graph->nodes[i];
        trained[i] = node_is(node, "parameter");
        for (int k = 0; k < node->op->arity; k++)
            trained[i] = trained[i] || trained[node->input[k]->id];
    }
}

void pass_differentiate(Graph *graph)
{
    int count = graph->count;
    Arrived **gradient = ARENA_ARRAY(Arrived *, count);
    bool *trained = ARENA_ARRAY(bool, count);
    mark_trained(graph, trained);
    arrive(&gradient[graph->loss->id], graph->loss);        /* stands for 1; the loss's own rule does not read it */
    for (int i = count - 1; i >= 0; i--) {
        Node *node = graph->nodes[i];
        if (!gradient[i] || !node->op->gradient)
            continue;
        Node *dy = total(graph, node, gradient[i]);
        for (int k = 0; k < node->op->arity; k++) {
            if (!trained[node->input[k]->id])
                continue;
            Node *value = node->op->gradient(graph, node, dy, k);
            if (value)
                arrive(&gradient[node->input[k]->id], value);
        }
    }
    for (int i = 0; i < graph->parameter_count; i++) {
        Parameter *p = &graph->parameters[i];
        p->gradient = total(graph, p->node, gradient[p->node->id]);
        if (!p->gradient)
            fail(p->node->loc, "%s: %s cannot be trained: all that the output takes from it are the places of a max-pool", p->node->word,
                 p->node->layer);
    }
}
