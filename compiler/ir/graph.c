#include "graph.h"

#include "../base/arena.h"

#include <string.h>

int64_t shape_count(Shape shape)
{
    int64_t n = 1;
    for (int i = 0; i < shape.rank; i++)
        n *= shape.dim[i];
    return n;
}

bool shape_equal(Shape a, Shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

const char *shape_text(Shape shape)
{
    if (shape.rank == 0)
        return "1";
    const char *text = arena_format("%d", shape.dim[0]);
    for (int i = 1; i < shape.rank; i++)
        text = arena_format("%sx%d", text, shape.dim[i]);
    return text;
}

Shape shape_hwc(int height, int width, int channels)
{
    return (Shape){ 3, { height, width, channels } };
}

/* Each dimension and the whole inside the limits; the product cannot overflow since each factor is checked first. */
static void check_size(const Node *node)
{
    int64_t n = 1;
    for (int i = 0; i < node->shape.rank; i++) {
        if (node->shape.dim[i] < 1)
            bug("%s has shape %s", node->name, shape_text(node->shape));
        if (node->shape.dim[i] > MAX_SIDE || (n *= node->shape.dim[i]) > MAX_ELEMENTS)
            fail(node->loc, "%s: a tensor of %s is too large: at most %d along a side and %d values in all", node->word,
                 shape_text(node->shape), MAX_SIDE, MAX_ELEMENTS);
    }
}

static void append(Graph *graph, Node *node)
{
    if (graph->count == graph->room) {
        int room = graph->room ? graph->room * 2 : 64;
        Node **nodes = ARENA_ARRAY(Node *, room);
        if (graph->count)
            memcpy(nodes, graph->nodes, sizeof *nodes * (size_t)graph->count);
        graph->nodes = nodes;
        graph->room = room;
    }
    node->id = graph->count;
    graph->nodes[graph->count++] = node;
}

Node *node_new(Graph *graph, const Op *op, const Node *model, const char *name, Node *const *inputs, const double *numbers)
{
    Node *node = ARENA_NEW(Node);
    node->op = op;
    node->name = name;
    node->layer = model->layer;
    node->word = model->word;
    node->loc = model->loc;
    node->shape = model->shape;
    node->type = model->type;
    for (int i = 0; i < op->arity; i++) {
        if (!inputs || !inputs[i])
            bug("%s: input %d of %s is missing", name, i, op->name);
        node->input[i] = inputs[i];
    }
    for (int i = 0; op->numbers[i]; i++)
        node->number[i] = numbers[i];
    op->shape(node);
    check_size(node);
    append(graph, node);
    return node;
}

int stage_parts(const Stage *s, StagePart parts[STAGE_PARTS])
{
    const StagePart all[STAGE_PARTS] = {
        { "core", s->core }, { "bias", s->bias }, { "act", s->act }, { "pool", s->pool }, { "codes", s->codes },
        { "d_act", s->d_act }, { "d_pool", s->d_pool }, { "dx", s->dx }, { "dw", s->dw }, { "db", s->db },
    };
    memcpy(parts, all, sizeof all);
    return STAGE_PARTS;
}

double node_real(const Node *node, const char *name)
{
    for (int i = 0; node->op->numbers[i]; i++)
        if (strcmp(node->op->numbers[i], name) == 0)
            return node->number[i];
    bug("%s has no number '%s'", node->op->name, name);
}

int node_number(const Node *node, const char *name)
{
    return (int)node_real(node, name);
}

bool node_is(const Node *node, const char *op_name)
{
    return node && strcmp(node->op->name, op_name) == 0;
}

bool node_heads_stage(const Node *node)
{
    return node && node->op->heads_stage;
}

bool node_is_backward(const Graph *graph, const Node *node)
{
    return graph->loss && node->id > graph->loss->id && !node->infer;
}

Node *node_storage(const Node *node)
{
    while (node && node->op->view)
        node = node->input[0];
    return (Node *)node;
}

int graph_users(const Graph *graph, const Node *node, Node **users, int max)
{
    int n = 0;
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity; k++)
            if (graph->nodes[i]->input[k] == node) {
                if (n < max)
                    users[n] = graph->nodes[i];
                n++;
                break;
            }
    return n;
}

void graph_replace(Graph *graph, Node *from, Node *to, const Node *but)
{
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity && graph->nodes[i] != but; k++)
            if (graph->nodes[i]->input[k] == from)
                graph->nodes[i]->input[k] = to;
    Node **roots[] = { &graph->latent, &graph->output, &graph->loss };
    for (int i = 0; i < 3; i++)
        if (*roots[i] == from)
            *roots[i] = to;
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].gradient == from)
            graph->parameters[i].gradient = to;
}

static void visit(Node *node, bool *done, Node **order, int *count)
{
    if (done[node->id])
        return;
    done[node->id] = true;
    for (int k = 0; k < node->op->arity; k++)
        visit(node->input[k], done, order, count);
    order[(*count)++] = node;
}

static void renumber(Graph *graph, Node **order, int count)
{
    graph->nodes = order;
    graph->count = graph->room = count;
    for (int i = 0; i < count; i++)
        order[i]->id = i;
}

void graph_sort(Graph *graph)
{
    Node **order = ARENA_ARRAY(Node *, graph->count);
    bool *done = ARENA_ARRAY(bool, graph->count);
    int count = 0;
    for (int i = 0; i < graph->count; i++)
        visit(graph->nodes[i], done, order, &count);
    renumber(graph, order, count);
}

void graph_drop_unused(Graph *graph)
{
    bool *used = ARENA_ARRAY(bool, graph->count);
    Node *roots[] = { graph->input, graph->latent, graph->output, graph->loss };
    for (int i = 0; i < 4; i++)
        if (roots[i])
            used[roots[i]->id] = true;
    for (int i = 0; i < graph->parameter_count; i++) {
        used[graph->parameters[i].node->id] = true;
        if (graph->parameters[i].gradient)
            used[graph->parameters[i].gradient->id] = true;
    }
    for (int i = graph->count - 1; i >= 0; i--)
        for (int k = 0; used[i] && k < graph->nodes[i]->op->arity; k++)
            used[graph->nodes[i]->input[k]->id] = true;
    Node **order = ARENA_ARRAY(Node *, graph->count);
    int count = 0;
    for (int i = 0; i < graph->count; i++)
        if (used[i])
            order[count++] = graph->nodes[i];
    renumber(graph, order, count);
}
