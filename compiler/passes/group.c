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

static bool reads(const Node *user, const Node *node)
{
    for (int k = 0; k < user->op->arity; k++)
        if (user->input[k] == node)
            return true;
    return false;
}

/* The only reader of a node on the way to the output, where it is the only one; beside a pool its by-product does not count. Where the loss, gradients
   or a phase of training read it too, the plan takes the reader into the stage only in programs that do not need the value itself (training needs what inference does not).
   NULL: none, several, or the programs want the value. */
static Node *only_user(const Graph *graph, const Node *node)
{
    if (node == graph->latent || node == graph->output)
        return NULL;
    Node *users[2] = { 0 };
    int n = 0;
    for (int i = node->id + 1; i < graph->count; i++) {
        Node *user = graph->nodes[i];
        if (node_is_loss(user) || user->backward || user->phase != node->phase || !reads(user, node))
            continue;
        if (n == 2)
            return NULL;
        users[n++] = user;
    }
    if (n < 2)
        return users[0];
    return is_codes_of(users[1], users[0]) ? users[0] : is_codes_of(users[0], users[1]) ? users[1] : NULL;
}

static Node *codes_of(const Graph *graph, const Node *pool)
{
    for (int i = 0; i < graph->count; i++)
        if (is_codes_of(graph->nodes[i], pool))
            return graph->nodes[i];
    return NULL;
}

static bool is_pool(const Node *node)
{
    return node_is(node, "max_pool2d") || node_is(node, "avg_pool2d");
}

/* Bias, activation and pool behind a core. */
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
    if (next && is_pool(next)) {
        stage->pool = next;
        stage->codes = node_is(next, "max_pool2d") ? codes_of(graph, next) : NULL;
    }
}

static Node *find_gradient(const Graph *graph, int phase, const char *op, int input, const Node *of)
{
    for (int i = 0; i < graph->count; i++)
        if (node_is(graph->nodes[i], op) && graph->nodes[i]->phase == phase && graph->nodes[i]->input[input] == of)
            return graph->nodes[i];
    return NULL;
}

/* The backward half: dw reads the core's input, dx its kernel; what arrives at them comes through d_pool and d_act. */
static void find_backward(const Graph *graph, Stage *stage)
{
    const int phase = stage->core->phase;
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node;
        if (parameter == stage->core->input[1])
            stage->dw = graph_gradient(graph, phase, i);
        if (stage->bias && parameter == stage->bias->input[1])
            stage->db = graph_gradient(graph, phase, i);
    }
    stage->dx = find_gradient(graph, phase, arena_format("%s_dx", stage->core->op->name), 1, stage->core->input[1]);
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

static void take(bool *taken, const Stage *stage)
{
    StagePart parts[STAGE_PARTS];
    int count = stage_parts(stage, parts);
    for (int i = 0; i < count; i++)
        if (parts[i].node)
            taken[parts[i].node->id] = true;
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
            if (!node->infer)
                find_backward(graph, stage);
        }
        take(taken, stage);
    }
}
