#include "passes.h"

#include "../base/arena.h"
#include "../base/table.h"

#include <string.h>

typedef struct Merge {
    Graph *graph;
    int count;     /* nodes before anything was merged */
    int *readers;  /* of each in inference: nodes, and whoever asks for the value itself; 0: what is
                      left of it is of training alone */
    Node **values; /* what inference gets in its place */
} Merge;

/* The values that inference is asked for, from one whose number is `i`; NULL: there are no more. */
static Node **root(Graph *graph, int i)
{
    Node **const whole[] = { &graph->latent, &graph->output, &graph->evaluation };
    if (i < 3)
        return whole[i];
    const int stage = (i - 3) / 2;
    if (stage >= graph_partial_stages(graph))
        return NULL;
    return i % 2 ? &graph->stages[stage].output : &graph->stages[stage].evaluation;
}

static void count_readers(Merge *m)
{
    Node **asked;
    for (int i = 0; (asked = root(m->graph, i)) != NULL; i++)
        if (*asked)
            m->readers[(*asked)->id]++;
    for (int i = m->count - 1; i >= 0; i--)
        for (int k = 0; m->readers[i] && k < m->graph->nodes[i]->op->arity; k++)
            m->readers[m->graph->nodes[i]->input[k]->id]++;
}

static Node *bias_before(const Node *norm)
{
    return node_has_role(norm->input[0], ROLE_BIAS) ? norm->input[0] : NULL;
}

/* The product whose kernel can take in what follows it; NULL: there is none, or others read it. */
static Node *product_before(const Merge *m, const Node *norm)
{
    const Node *bias = bias_before(norm);
    Node *core = bias ? bias->input[0] : norm->input[0];
    bool mine = node_heads_fusion(core) && core->input[1]->op->holds_weights
                && m->readers[core->id] == 1;
    if (bias)
        mine = mine && m->readers[bias->id] == 1 && bias->input[1]->op->holds_weights;
    return mine ? core : NULL;
}

static const char *name_in_inference(const Node *node)
{
    return node->infer ? node->name : arena_format("%s.infer", node->name);
}

static Node *merged(Merge *m, const Node *norm, const Node *core)
{
    Node *made = norm->op->taken_in(m->graph, norm, core, bias_before(norm),
                                    m->values[core->input[0]->id]);
    made->name = name_in_inference(norm);
    made->input[0]->name = name_in_inference(core);
    return made;
}

/* The node itself, or a copy of it after something that was merged. */
static Node *followed(Merge *m, Node *node)
{
    Node *inputs[MAX_INPUTS] = { 0 };
    bool same = true;
    for (int k = 0; k < node->op->arity; k++) {
        inputs[k] = m->values[node->input[k]->id];
        same = same && inputs[k] == node->input[k];
    }
    if (same)
        return node;
    Node *made = node_new(m->graph, node->op, node, name_in_inference(node), inputs, node->number);
    made->infer = true;
    made->stage = node->stage;
    return made;
}

static Node *value_of(Merge *m, Node *node)
{
    const Node *core = node->op->taken_in ? product_before(m, node) : NULL;
    return core ? merged(m, node, core) : followed(m, node);
}

/* Drops what was there in the place of the `count` nodes that are new. Where a stage trains on a
   value of inference as it was, that one keeps its name. */
static void clean_up(Graph *graph, Node *const *made, int count)
{
    Table names = { 0 };
    bool *is_made = ARENA_ARRAY(bool, graph->count);
    graph_drop_unused(graph);
    for (int i = 0; i < count; i++)
        if (made[i]->id < graph->count && graph->nodes[made[i]->id] == made[i])
            is_made[made[i]->id] = true;
    for (int i = 0; i < graph->count; i++)
        if (!is_made[i])
            table_add(&names, graph->nodes[i]->name, i);
    for (int i = 0; i < graph->count; i++)
        if (is_made[i] && table_find(&names, graph->nodes[i]->name) >= 0)
            graph->nodes[i]->name = arena_format("%s.merged", graph->nodes[i]->name);
}

void pass_merge(Graph *graph)
{
    Merge m = { graph, graph->count, ARENA_ARRAY(int, graph->count),
                ARENA_ARRAY(Node *, graph->count) };
    count_readers(&m);
    for (int i = 0; i < m.count; i++)
        m.values[i] = m.readers[i] ? value_of(&m, graph->nodes[i]) : graph->nodes[i];
    if (graph->count == m.count)
        return;
    Node **asked;
    for (int i = 0; (asked = root(graph, i)) != NULL; i++)
        if (*asked)
            *asked = m.values[(*asked)->id];
    const int count = graph->count - m.count;
    Node **made = ARENA_ARRAY(Node *, count);
    memcpy(made, graph->nodes + m.count, sizeof *made * (size_t)count);
    clean_up(graph, made, count);
}
