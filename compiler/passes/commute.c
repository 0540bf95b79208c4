#include "passes.h"

/* The max-pool whose by-product the gradient `pool_dx` reads. */
static Node *pool_of(const Graph *graph, const Node *pool_dx)
{
    for (int i = 0; i < graph->count; i++)
        if (node_is_by_product(pool_dx->input[0], graph->nodes[i]))
            return graph->nodes[i];
    return NULL;
}

static bool commutes(const Op *act)
{
    return act->monotone && !act->gradient_from_x;
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
        if (!node_is_gradient(act_dx, ROLE_ACTIVATION) || !commutes(act_dx->op->gradient_of))
            continue;
        Node *pool_dx = act_dx->input[1];
        if (!node_is_gradient(pool_dx, ROLE_POOL) || node_averages(pool_dx)
            || graph_users(graph, pool_dx, users, 1) != 1)
            continue;
        Node *pool = pool_of(graph, pool_dx);
        if (pool && pool->input[0] == act_dx->input[0])
            exchange(graph, act_dx, pool_dx, pool);
    }
    graph_sort(graph);
}
