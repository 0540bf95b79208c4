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
    return node_is(node, "max_pool2d_argmax") && node_is(pool, "max_pool2d") && node->input[0] == pool->input[0] && node->phase == pool->phase &&
           node_real(node, "size") == node_real(pool, "size");
}

/* The only reader of a node on the way to the output, where it is the only one; beside a pool its by-product does not count. Where the loss, gradients
   or a phase of training read it too, the plan takes the reader into the stage only in programs that do not need the value itself (training needs what inference does not).
   NULL: none, several, or the programs want the value. */
static Node *only_user(const Graph *graph, const Users *all, const Node *node)
{
    if (node == graph->latent || node == graph->output)
        return NULL;
    Node *users[2] = { 0 };
    int n = 0;
    for (int i = all->first[node->id]; i < all->first[node->id + 1]; i++) {
        Node *user = all->node[i];
        if (node_is_loss(user) || user->backward || user->phase != node->phase)
            continue;
        if (n == 2)
            return NULL;
        users[n++] = user;
    }
    if (n < 2)
        return users[0];
    return is_codes_of(users[1], users[0]) ? users[0] : is_codes_of(users[0], users[1]) ? users[1] : NULL;
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

/* Bias, activation and pool behind a core. */
static void follow(const Graph *graph, const Users *all, Stage *stage)
{
    Node *last = stage->core, *next = only_user(graph, all, last);
    if (next && node_is(next, "bias_add")) {
        stage->bias = last = next;
        next = only_user(graph, all, last);
    }
    if (next && is_forward_act(next)) {
        stage->act = last = next;
        next = only_user(graph, all, last);
    }
    if (next && is_pool(next)) {
        stage->pool = next;
        stage->codes = node_is(next, "max_pool2d") ? codes_of(all, next) : NULL;
    }
}

static Node *find_gradient(const Users *all, int phase, const char *op, int input, const Node *of)
{
    for (int i = all->first[of->id]; i < all->first[of->id + 1]; i++)
        if (node_is(all->node[i], op) && all->node[i]->phase == phase && all->node[i]->input[input] == of)
            return all->node[i];
    return NULL;
}

/* The backward half: dw reads the core's input, dx its kernel; what arrives at them comes through d_pool and d_act. */
static void find_backward(const Graph *graph, const Users *all, Stage *stage)
{
    const int phase = stage->core->phase;
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node;
        if (parameter == stage->core->input[1])
            stage->dw = graph_gradient(graph, phase, i);
        if (stage->bias && parameter == stage->bias->input[1])
            stage->db = graph_gradient(graph, phase, i);
    }
    stage->dx = find_gradient(all, phase, arena_format("%s_dx", stage->core->op->name), 1, stage->core->input[1]);
    Node *dy = stage->dw ? stage->dw->input[1] : NULL;
    bool max = node_is(stage->pool, "max_pool2d");
    if (dy && max && node_is(dy, "max_pool2d_dx") && dy->input[0] == stage->codes) {
        stage->d_pool = dy;
        dy = dy->input[1];
    }
    const Node *value = max ? stage->pool : stage->act;
    if (dy && stage->act && is_act_dx(dy) && dy->input[0] == value && strncmp(dy->op->name, stage->act->op->name, strlen(stage->act->op->name)) == 0)
        stage->d_act = dy;
    if (dy && stage->d_act && !max)
        dy = dy->input[1];
    if (dy && !max && stage->pool && (stage->d_act || !stage->act) && node_is(dy, "avg_pool2d_dx"))
        stage->d_pool = dy;
}

static Stage *add_stage(Graph *graph, const char *name, Node *core)
{
    Stage *stage = ARENA_NEW(Stage);
    stage->name = name;
    stage->core = core;
    graph->stages = arena_more(graph->stages, graph->stage_count, sizeof *graph->stages);
    return graph->stages[graph->stage_count++] = stage;
}

/* The first that has a node keeps it. */
static void take(Graph *graph, Stage *stage)
{
    StagePart parts[STAGE_PARTS];
    int count = stage_parts(stage, parts);
    for (int i = 0; i < count; i++)
        if (parts[i].node && !graph->stage_of[parts[i].node->id])
            graph->stage_of[parts[i].node->id] = stage;
}

/* Backwards, so that of two parameters with one gradient the first counts. */
static void mark_gradients(Graph *graph)
{
    for (int p = 0; p <= graph_parts(graph); p++)
        for (int i = graph->parameter_count - 1; i >= 0; i--) {
            Node *gradient = graph_gradient(graph, p, i);
            if (gradient && gradient->phase == p)
                gradient->parameter = i + 1;
        }
}

void pass_group(Graph *graph)
{
    const Users all = graph_all_users(graph);
    graph->stage_of = ARENA_ARRAY(Stage *, graph->count);
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (graph->stage_of[i] || node->op->arity == 0)
            continue;
        Stage *stage = add_stage(graph, node_heads_stage(node) ? node->layer : node->name, node);
        if (node_heads_stage(node)) {
            follow(graph, &all, stage);
            if (!node->infer)
                find_backward(graph, &all, stage);
        }
        take(graph, stage);
    }
    mark_gradients(graph);
}
