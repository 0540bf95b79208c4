#include "passes.h"

#include "../base/arena.h"

#include <string.h>

static bool is_forward_act(const Node *node)
{
    return node->op->derivative && node->op->arity == 1;
}

static bool is_act_dx(const Node *node)
{
    return node->op->derivative && node->op->arity == 2;
}

/* The only reader of a node, where it is the only one; the by-product argmax of a pool does not count. NULL otherwise, and where the programs
   want the value itself. */
static Node *only_user(const Graph *graph, const Node *node)
{
    Node *users[4];
    int n = graph_users(graph, node, users, 4);
    if (node == graph->latent || node == graph->output || n < 1 || n > 4)
        return NULL;
    Node *only = NULL;
    for (int i = 0; i < n; i++) {
        if (node_is(users[i], "max_pool2d_argmax"))
            continue;
        if (only)
            return NULL;
        only = users[i];
    }
    return only;
}

static Node *codes_of(const Graph *graph, const Node *pool)
{
    for (int i = 0; i < graph->count; i++)
        if (node_is(graph->nodes[i], "max_pool2d_argmax") && graph->nodes[i]->input[0] == pool->input[0] &&
            node_real(graph->nodes[i], "size") == node_real(pool, "size"))
            return graph->nodes[i];
    return NULL;
}

/* Bias, activation and pool behind a core. The activation's own gradient may read its value, unless a pool follows. */
static void follow(const Graph *graph, Stage *stage)
{
    Node *last = stage->core, *next = only_user(graph, last);
    if (next && node_is(next, "bias_add")) {
        stage->bias = last = next;
        next = only_user(graph, last);
    }
    if (next && is_forward_act(next)) {
        stage->act = last = next;
        next = only_user(graph, last);
    }
    if (next && node_is(next, "max_pool2d")) {
        stage->pool = next;
        stage->codes = codes_of(graph, next);
    }
}

static Node *find_gradient(const Graph *graph, const char *op, int input, const Node *of)
{
    for (int i = 0; i < graph->count; i++)
        if (node_is(graph->nodes[i], op) && graph->nodes[i]->input[input] == of)
            return graph->nodes[i];
    return NULL;
}

/* The backward half: dw reads the core's input, dx its kernel; what arrives at them comes through d_pool and d_act. */
static void find_backward(const Graph *graph, Stage *stage)
{
    for (int i = 0; i < graph->parameter_count; i++) {
        const Parameter *p = &graph->parameters[i];
        if (p->node == stage->core->input[1])
            stage->dw = p->gradient;
        if (stage->bias && p->node == stage->bias->input[1])
            stage->db = p->gradient;
    }
    stage->dx = find_gradient(graph, arena_format("%s_dx", stage->core->op->name), 1, stage->core->input[1]);
    Node *dy = stage->dw ? stage->dw->input[1] : NULL;
    if (dy && stage->pool && node_is(dy, "max_pool2d_dx") && dy->input[0] == stage->codes) {
        stage->d_pool = dy;
        dy = dy->input[1];
    }
    const Node *value = stage->pool ? stage->pool : stage->act;
    if (dy && stage->act && is_act_dx(dy) && dy->input[0] == value && strncmp(dy->op->name, stage->act->op->name, strlen(stage->act->op->name)) == 0)
        stage->d_act = dy;
}

static Stage *add_stage(Graph *graph, const char *name, Node *core)
{
    Stage **stages = ARENA_ARRAY(Stage *, graph->stage_count + 1);
    if (graph->stage_count)
        memcpy(stages, graph->stages, sizeof *stages * (size_t)graph->stage_count);
    Stage *stage = ARENA_NEW(Stage);
    stage->name = name;
    stage->core = core;
    stages[graph->stage_count++] = stage;
    graph->stages = stages;
    return stage;
}

static void take(bool *taken, const Node *node)
{
    if (node)
        taken[node->id] = true;
}

void pass_group(Graph *graph)
{
    bool *taken = ARENA_ARRAY(bool, graph->count);
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (taken[i] || node->op->arity == 0)
            continue;
        Stage *stage = add_stage(graph, node_heads_stage(node) ? node->layer : node->name, node);
        if (node_heads_stage(node)) {
            follow(graph, stage);
            find_backward(graph, stage);
        }
        const Node *parts[] = { node, stage->bias, stage->act, stage->pool, stage->codes, stage->d_act, stage->d_pool,
                                stage->dx, stage->dw, stage->db };
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
            take(taken, parts[k]);
    }
}
