#include "passes.h"

#include "../base/arena.h"

static void set_gradient(Node **gradient, const Node *of, Node *value)
{
    if (gradient[of->id])
        bug("%s is read twice; sums of gradients are not made yet", of->name);
    gradient[of->id] = value;
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
    Node **gradient = ARENA_ARRAY(Node *, count);
    bool *trained = ARENA_ARRAY(bool, count);
    mark_trained(graph, trained);
    gradient[graph->loss->id] = graph->loss;        /* stands for 1; the loss's own rule does not read it */
    for (int i = count - 1; i >= 0; i--) {
        Node *node = graph->nodes[i];
        if (!gradient[i] || !node->op->gradient)
            continue;
        for (int k = 0; k < node->op->arity; k++) {
            if (!trained[node->input[k]->id])
                continue;
            Node *value = node->op->gradient(graph, node, gradient[i], k);
            if (value)
                set_gradient(gradient, node->input[k], value);
        }
    }
    for (int i = 0; i < graph->parameter_count; i++) {
        Parameter *p = &graph->parameters[i];
        p->gradient = gradient[p->node->id];
        if (!p->gradient)
            bug("%s has no gradient", p->node->name);
    }
}
