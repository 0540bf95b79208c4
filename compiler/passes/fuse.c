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

/* The by-product of a pool that reads the same value. */
static bool is_codes_of(const Node *node, const Node *pool)
{
    return node_is(node, "max_pool2d_argmax") && node_is(pool, "max_pool2d")
           && node->input[0] == pool->input[0] && node->stage == pool->stage
           && node_real(node, "size") == node_real(pool, "size");
}

/* The only reader of a node on the way to the output, where it is the only one; beside a pool its
   by-product does not count. Where the loss, gradients or a stage of training read it too, the plan
   takes the reader into the fusion only in programs that do not need the value itself (training
   needs what inference does not). NULL: none, several, or the programs want the value. */
static Node *only_user(const Graph *graph, const Users *all, const Node *node)
{
    if (node == graph->latent || node == graph->output)
        return NULL;
    Node *users[2] = { 0 };
    int n = 0;
    for (int i = all->first[node->id]; i < all->first[node->id + 1]; i++) {
        Node *user = all->node[i];
        if (node_is_loss(user) || user->backward || user->stage != node->stage)
            continue;
        if (n == 2)
            return NULL;
        users[n++] = user;
    }
    if (n < 2)
        return users[0];
    return is_codes_of(users[1], users[0])   ? users[0]
           : is_codes_of(users[0], users[1]) ? users[1]
                                             : NULL;
}

static Node *codes_of(const Users *all, const Node *pool)
{
    const int of = pool->input[0]->id;
    for (int i = all->first[of]; i < all->first[of + 1]; i++)
        if (is_codes_of(all->node[i], pool))
            return all->node[i];
    return NULL;
}

static bool is_pool(const Node *node)
{
    return node_is(node, "max_pool2d") || node_is(node, "avg_pool2d");
}

/* Bias, activation and pool after a core. */
static void follow(const Graph *graph, const Users *all, Fusion *fusion)
{
    Node *last = fusion->core, *next = only_user(graph, all, last);
    if (next && node_is(next, "bias_add")) {
        fusion->bias = last = next;
        next = only_user(graph, all, last);
    }
    if (next && is_forward_act(next)) {
        fusion->act = last = next;
        next = only_user(graph, all, last);
    }
    if (next && is_pool(next)) {
        fusion->pool = next;
        fusion->codes = node_is(next, "max_pool2d") ? codes_of(all, next) : NULL;
    }
}

static Node *find_gradient(const Users *all, int stage, const char *op, int input, const Node *of)
{
    for (int i = all->first[of->id]; i < all->first[of->id + 1]; i++)
        if (node_is(all->node[i], op) && all->node[i]->stage == stage
            && all->node[i]->input[input] == of)
            return all->node[i];
    return NULL;
}

/* The backward half: dw reads the core's input, dx its kernel; what arrives at them comes through
   d_pool and d_act. */
static void find_backward(const Graph *graph, const Users *all, Fusion *fusion)
{
    const int stage = fusion->core->stage;
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node;
        if (parameter == fusion->core->input[1])
            fusion->dw = graph_gradient(graph, stage, i);
        if (fusion->bias && parameter == fusion->bias->input[1])
            fusion->db = graph_gradient(graph, stage, i);
    }
    fusion->dx = find_gradient(all, stage, arena_format("%s_dx", fusion->core->op->name), 1,
                               fusion->core->input[1]);
    Node *dy = fusion->dw ? fusion->dw->input[1] : NULL;
    bool max = node_is(fusion->pool, "max_pool2d");
    if (dy && max && node_is(dy, "max_pool2d_dx") && dy->input[0] == fusion->codes) {
        fusion->d_pool = dy;
        dy = dy->input[1];
    }
    const Node *value = max ? fusion->pool : fusion->act;
    if (dy && fusion->act && is_act_dx(dy) && dy->input[0] == value
        && strncmp(dy->op->name, fusion->act->op->name, strlen(fusion->act->op->name)) == 0)
        fusion->d_act = dy;
    if (dy && fusion->d_act && !max)
        dy = dy->input[1];
    if (dy && !max && fusion->pool && (fusion->d_act || !fusion->act)
        && node_is(dy, "avg_pool2d_dx"))
        fusion->d_pool = dy;
}

static Fusion *add_fusion(Graph *graph, const char *name, Node *core)
{
    Fusion *fusion = ARENA_NEW(Fusion);
    fusion->name = name;
    fusion->core = core;
    graph->fusions = arena_more(graph->fusions, graph->fusion_count, sizeof *graph->fusions);
    return graph->fusions[graph->fusion_count++] = fusion;
}

/* The first that has a node keeps it. */
static void take(Graph *graph, Fusion *fusion)
{
    FusionPart parts[FUSION_PARTS];
    int count = fusion_parts(fusion, parts);
    for (int i = 0; i < count; i++)
        if (parts[i].node && !graph->fusion_of[parts[i].node->id])
            graph->fusion_of[parts[i].node->id] = fusion;
}

/* Backwards, so that of two parameters with one gradient the first counts. */
static void mark_gradients(Graph *graph)
{
    for (int p = 0; p <= graph_partial_stages(graph); p++)
        for (int i = graph->parameter_count - 1; i >= 0; i--) {
            Node *gradient = graph_gradient(graph, p, i);
            if (gradient && gradient->stage == p)
                gradient->parameter = i + 1;
        }
}

void pass_fuse(Graph *graph)
{
    const Users all = graph_all_users(graph);
    graph->fusion_of = ARENA_ARRAY(Fusion *, graph->count);
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (graph->fusion_of[i] || node->op->arity == 0)
            continue;
        Fusion *fusion = add_fusion(graph, node_heads_fusion(node) ? node->layer : node->name,
                                    node);
        if (node_heads_fusion(node)) {
            follow(graph, &all, fusion);
            if (!node->infer)
                find_backward(graph, &all, fusion);
        }
        take(graph, fusion);
    }
    mark_gradients(graph);
}
