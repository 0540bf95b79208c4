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

Shape shape_turned(Shape shape)
{
    if (shape.rank >= 3) {
        int height = shape.dim[0];
        shape.dim[0] = shape.dim[1];
        shape.dim[1] = height;
    }
    return shape;
}

/* Each dimension and the whole inside the limits; the product cannot overflow since each factor is
   checked first. */
static void check_size(const Node *node)
{
    int64_t n = 1;
    for (int i = 0; i < node->shape.rank; i++) {
        if (node->shape.dim[i] < 1)
            bug("%s has shape %s", node->name, shape_text(node->shape));
        if (node->shape.dim[i] > MAX_SIDE || (n *= node->shape.dim[i]) > MAX_ELEMENTS)
            fail(node->loc,
                 "%s: a tensor of %s is too large: at most %d along a side and %d values in all; "
                 "use fewer channels or units, or make the image smaller before",
                 node->word, shape_text(node->shape), MAX_SIDE, MAX_ELEMENTS);
    }
}

static void append(Graph *graph, Node *node)
{
    if (graph->count == MAX_NODES)
        fail(node->loc,
             "%s: with this layer the network and its gradients come to more than %d operators; "
             "name fewer layers in with (each name is an operator and brings three to the "
             "gradient), or train in fewer stages",
             node->word, MAX_NODES);
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

Node *node_new(Graph *graph, const Op *op, const Node *model, const char *name, Node *const *inputs,
               const double *numbers)
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
    for (int i = 0; op->lists[i]; i++)
        node->list[i] = model->list[i];
    op->shape(node);
    check_size(node);
    append(graph, node);
    return node;
}

int fusion_parts(const Fusion *s, FusionPart parts[FUSION_PARTS])
{
    const FusionPart all[FUSION_PARTS] = {
        { "core", s->core },   { "bias", s->bias },   { "act", s->act },       { "pool", s->pool },
        { "codes", s->codes }, { "d_act", s->d_act }, { "d_pool", s->d_pool }, { "dx", s->dx },
        { "dw", s->dw },       { "db", s->db },
    };
    memcpy(parts, all, sizeof all);
    return FUSION_PARTS;
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

static bool same_list(const RealList *a, const RealList *b)
{
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = a->numbers[i] == b->numbers[i];
    return same;
}

bool node_same_numbers(const Node *a, const Node *b)
{
    bool same = true;
    for (int i = 0; a->op->numbers[i]; i++)
        same = same && a->number[i] == b->number[i];
    for (int i = 0; same && a->op->lists[i]; i++)
        same = same_list(&a->list[i], &b->list[i]);
    return same;
}

bool node_has_role(const Node *node, Role role)
{
    return node && node->op->role == role;
}

bool node_heads_fusion(const Node *node)
{
    return node_has_role(node, ROLE_CORE);
}

bool node_is_gradient(const Node *node, Role role)
{
    return node && node->op->gradient_of && node->op->gradient_of->role == role;
}

bool node_averages(const Node *node)
{
    const Op *op = node && node->op->gradient_of ? node->op->gradient_of : node ? node->op : NULL;
    return op && op->averages;
}

bool node_takes_maximum(const Node *node)
{
    return node_has_role(node, ROLE_POOL) && !node->op->averages;
}

bool node_is_by_product(const Node *by_product, const Node *node)
{
    if (!by_product || !node || by_product->op->by_product_of != node->op)
        return false;
    bool same = by_product->stage == node->stage;
    for (int i = 0; i < node->op->arity; i++)
        same = same && by_product->input[i] == node->input[i];
    for (int i = 0; node->op->numbers[i]; i++)
        same = same && by_product->number[i] == node->number[i];
    return same;
}

bool node_is_loss(const Node *node)
{
    return node && node->shape.rank == 0;
}

bool node_is_term(const Node *node)
{
    return node_is_loss(node) && node->op->loss;
}

Shape graph_shape_as_written(const Graph *graph, Shape shape)
{
    return graph->turned ? shape_turned(shape) : shape;
}

int graph_partial_stages(const Graph *graph)
{
    return graph->stage_count ? graph->stage_count - 1 : 0;
}

Node *graph_loss(const Graph *graph, int stage)
{
    return stage ? graph->stages[stage - 1].objective : graph->loss;
}

Node *graph_evaluation(const Graph *graph, int stage)
{
    return stage ? graph->stages[stage - 1].evaluation : graph->evaluation;
}

Node *graph_statistic(const Graph *graph, int stage, int i)
{
    if (!stage)
        return graph->parameters[i].statistic;
    return graph->stages[stage - 1].statistic ? graph->stages[stage - 1].statistic[i] : NULL;
}

bool graph_trains(const Graph *graph, int stage, int i)
{
    const Parameter *p = &graph->parameters[i];
    return !p->non_trainable
           && (!stage || stage_trains(&graph->stages[stage - 1], graph_layer_of(graph, p->node)));
}

Node *graph_gradient(const Graph *graph, int stage, int i)
{
    if (!stage)
        return graph->parameters[i].gradient;
    return graph->stages[stage - 1].gradient ? graph->stages[stage - 1].gradient[i] : NULL;
}

Node *gradient_last(Node *gradient)
{
    return gradient->op->sums_gradients ? gradient->input[1] : gradient;
}

Node *gradient_before(Node *gradient)
{
    return gradient->op->sums_gradients ? gradient->input[0] : NULL;
}

bool stage_trains(const Stage *stage, int layer)
{
    return (layer >= stage->encoder_first && layer <= stage->encoder_last)
           || (layer >= stage->decoder_first && layer <= stage->decoder_last);
}

int graph_layer_of(const Graph *graph, const Node *node)
{
    for (int i = 0; i < graph->layer_count; i++)
        if (strcmp(graph->layers[i].name, node->layer) == 0)
            return i;
    return -1;
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

/* Whether an earlier input of the node is the same. */
static bool is_repeated(const Node *node, int k)
{
    for (int i = 0; i < k; i++)
        if (node->input[i] == node->input[k])
            return true;
    return false;
}

Users graph_all_users(const Graph *graph)
{
    Users users = { .first = ARENA_ARRAY(int, graph->count + 2) };
    /* of node i: first how many it has, then where the next goes; users.first[i] lags behind by
       one */
    int *first = users.first + 1;
    int all = 0;
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity; k++)
            first[graph->nodes[i]->input[k]->id] += !is_repeated(graph->nodes[i], k);
    for (int i = 0; i < graph->count; i++) {
        int count = first[i];
        first[i] = all;
        all += count;
    }
    users.node = ARENA_ARRAY(Node *, all + 1);
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity; k++)
            if (!is_repeated(graph->nodes[i], k))
                users.node[first[graph->nodes[i]->input[k]->id]++] = graph->nodes[i];
    return users;
}

static void replace_in_stage(const Graph *graph, Stage *stage, const Node *from, Node *to)
{
    if (stage->objective == from)
        stage->objective = to;
    if (stage->evaluation == from)
        stage->evaluation = to;
    if (stage->output == from)
        stage->output = to;
    for (int i = 0; stage->gradient && i < graph->parameter_count; i++)
        if (stage->gradient[i] == from)
            stage->gradient[i] = to;
}

void graph_add_term(Graph *graph, Node *term)
{
    graph->terms = arena_more(graph->terms, graph->term_count, sizeof *graph->terms);
    graph->terms[graph->term_count++] = term;
}

void graph_replace(Graph *graph, Node *from, Node *to, const Node *but)
{
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i]->op->arity && graph->nodes[i] != but; k++)
            if (graph->nodes[i]->input[k] == from)
                graph->nodes[i]->input[k] = to;
    Node **roots[] = { &graph->latent, &graph->output, &graph->loss, &graph->evaluation };
    for (int i = 0; i < 4; i++)
        if (*roots[i] == from)
            *roots[i] = to;
    for (int i = 0; i < graph->term_count; i++)
        if (graph->terms[i] == from)
            graph->terms[i] = to;
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].gradient == from)
            graph->parameters[i].gradient = to;
    for (int p = 0; p < graph_partial_stages(graph); p++)
        replace_in_stage(graph, &graph->stages[p], from, to);
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

/* What the stage leaves behind. */
static void mark_stage(const Graph *graph, int stage, bool *used)
{
    const Node *roots[] = { graph_loss(graph, stage), graph_evaluation(graph, stage),
                            stage ? graph->stages[stage - 1].output : graph->output };
    for (int i = 0; i < 3; i++)
        if (roots[i])
            used[roots[i]->id] = true;
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, stage, i))
            used[graph_gradient(graph, stage, i)->id] = true;
}

void graph_drop_unused(Graph *graph)
{
    bool *used = ARENA_ARRAY(bool, graph->count);
    used[graph->input->id] = used[graph->latent->id] = true;
    for (int i = 0; i < graph->parameter_count; i++)
        used[graph->parameters[i].node->id] = true;
    for (int p = 0; p <= graph_partial_stages(graph); p++)
        mark_stage(graph, p, used);
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
