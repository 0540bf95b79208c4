#include "passes.h"

#include <string.h>

/* The max_pool2d whose by-product the gradient `pool_dx` reads: the one of the same input and
   size. */
static Node *pool_of(const Graph *graph, const Node *pool_dx)
{
    const Node *codes = pool_dx->input[0];
    for (int i = 0; i < graph->count; i++)
        if (node_is(graph->nodes[i], "max_pool2d") && graph->nodes[i]->input[0] == codes->input[0]
            && node_real(graph->nodes[i], "size") == node_real(codes, "size"))
            return graph->nodes[i];
    return NULL;
}

static void exchange(Graph *graph, Node *act_dx, Node *pool_dx, Node *pool)
{
    Node *arriving = pool_dx->input[1];
    graph_replace(graph, act_dx, pool_dx, NULL); /* what follows reads the pool's gradient ... */
    act_dx->input[0] = pool;
    act_dx->input[1] = arriving;
    pool_dx->input[1] = act_dx; /* ... which reads the activation's */
    act_dx->op->shape(act_dx);
}

void pass_commute(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *act_dx = graph->nodes[i], *users[1];
        if (!act_dx->op->derivative || act_dx->op->arity != 2)
            continue;
        Node *pool_dx = act_dx->input[1];
        if (!node_is(pool_dx, "max_pool2d_dx") || graph_users(graph, pool_dx, users, 1) != 1)
            continue;
        Node *pool = pool_of(graph, pool_dx);
        if (pool && pool->input[0] == act_dx->input[0])
            exchange(graph, act_dx, pool_dx, pool);
    }
    graph_sort(graph);
}
