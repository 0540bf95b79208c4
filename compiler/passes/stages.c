#include "passes.h"

#include "../base/arena.h"
#include "../ops/ops.h"
#include "copies.h"

/* Copies of nodes for one stage: its training, or its inference through all layers trained so
   far. */
typedef struct Copier {
    Graph *graph;
    const Stage *stage;
    int number;
    bool infer;
    Node **copies; /* by the id of what they are copies of */
} Copier;

/* The value as inference has it. */
static Node *at_rest(Node *node)
{
    return node->inference ? node->inference : node;
}

static Node *last_of(const Graph *graph, int layer)
{
    return graph->layers[layer].output;
}

/* Layers that the stage has a copy of: those it trains; for inference those of the decoder that
   earlier stages trained, too, but of the encoder none. */
static bool is_copied(const Copier *c, int layer)
{
    return c->infer ? layer >= c->stage->decoder_first : stage_trains(c->stage, layer);
}

static bool is_below(const Copier *c, int layer)
{
    return layer < c->stage->encoder_first || (c->infer && layer <= c->stage->encoder_last);
}

static Node *copy(Copier *c, Node *node);

/* Of an operator that inference has another in the place of. */
static Node *copy_as_inference(const Copier *c, const Node *node, Node *const *inputs)
{
    Node *made = inference_of(c->graph, node, inputs);
    made->name = arena_format("%s%d", made->name, c->number);
    made->stage = c->number;
    return made;
}

static Node *copy_node(Copier *c, Node *node)
{
    Node *inputs[MAX_INPUTS] = { 0 };
    bool same = true;
    for (int k = 0; k < node->op->arity; k++) {
        Node *value = copy(c, node->input[k]);
        same = same && value == at_rest(node->input[k]);
        inputs[k] = inference_input(c->graph, node, node->input[k], value);
    }
    if (c->infer && node->op->training_only)
        return inputs[0];
    if (c->infer && node->op->inference && !same)
        return copy_as_inference(c, node, inputs);
    if (c->infer && same)
        return at_rest(node);
    const char *name = arena_format("%s.%s%d", node->name, c->infer ? "infer" : "stage", c->number);
    Node *made = node_new(c->graph, node->op, node, name, inputs, node->number);
    made->stage = c->number;
    made->infer = c->infer;
    return made;
}

/* What the stage has in the node's place. */
static Node *copy(Copier *c, Node *node)
{
    if (node->op->arity == 0)
        return node;
    Node **made = &c->copies[node->id];
    int layer = graph_layer_of(c->graph, node);
    if (*made)
        return *made;
    if (is_copied(c, layer))
        *made = copy_node(c, node);
    else if (is_below(c, layer))
        *made = at_rest(node);
    else
        fail(c->stage->loc,
             "stages: this stage needs %s, which a later stage trains; take it into this one, or "
             "let its layers do without",
             node->layer);
    return *made;
}

/* The stage's decoder on what its encoder gives, up to the layer `last`. */
static Node *copy_autoencoder(Copier *c, int last)
{
    Node *cut = copy(c, last_of(c->graph, c->stage->encoder_last));
    c->copies[last_of(c->graph, c->stage->decoder_first - 1)->id] = cut;
    return copy(c, last_of(c->graph, last));
}

/* The terms that the stage's own layers bring. */
static int copy_terms(Copier *c, Node ***terms)
{
    const Graph *graph = c->graph;
    int count = 0;
    *terms = ARENA_ARRAY(Node *, graph->term_count + 1);
    for (int i = 0; i < graph->term_count; i++)
        if (is_copied(c, graph_layer_of(graph, graph->terms[i])))
            (*terms)[count++] = copy(c, graph->terms[i]);
    return count;
}

static Copier copier(Graph *graph, int number, bool infer)
{
    return (Copier){ graph, &graph->stages[number - 1], number, infer,
                     ARENA_ARRAY(Node *, graph->count) };
}

/* A term of the stage's loss, on what inference has. */
static Node *term_as_inference(Copier *c, const Node *term)
{
    Node *inputs[MAX_INPUTS] = { 0 };
    for (int k = 0; k < term->op->arity; k++)
        inputs[k] = inference_input(c->graph, term, term->input[k], copy(c, term->input[k]));
    return node_new(c->graph, term->op, term, arena_format("%s.infer%d", term->name, c->number),
                    inputs, term->number);
}

/* Where layers take statistics of a group: what the stage sees of those it trains, and its loss as
   inference has it. */
static void add_groups(Copier *training, Copier *inference, Node *target)
{
    Graph *graph = training->graph;
    Stage *stage = &graph->stages[training->number - 1];
    const Node place = { .layer = arena_format("loss.stage%d.infer", training->number),
                         .loc = stage->loss.loc };
    stage->statistic = ARENA_ARRAY(Node *, graph->parameter_count + 1);
    for (int i = 0; i < graph->parameter_count; i++) {
        Node *statistic = graph->parameters[i].statistic;
        if (statistic && stage_trains(stage, graph_layer_of(graph, statistic)))
            stage->statistic[i] = copy(training, statistic);
    }
    Node *output = copy(inference, last_of(graph, stage->decoder_last)),
         **terms = ARENA_ARRAY(Node *, graph->term_count + 1);
    const int first = graph->count;
    int count = 0;
    for (int i = 0; i < graph->term_count; i++)
        if (is_copied(training, graph_layer_of(graph, graph->terms[i])))
            terms[count++] = term_as_inference(inference, graph->terms[i]);
    stage->evaluation = loss_build(graph, place, &stage->loss, output, target, terms, count);
    for (int i = first; i < graph->count; i++) {
        graph->nodes[i]->stage = training->number;
        graph->nodes[i]->infer = true;
    }
}

static void build_stage(Graph *graph, int number)
{
    Stage *stage = &graph->stages[number - 1];
    Copier training = copier(graph, number, false), inference = copier(graph, number, true);
    Node *target = stage->encoder_first ? at_rest(last_of(graph, stage->encoder_first - 1))
                                        : graph->input;
    Node *output = copy_autoencoder(&training, stage->decoder_last);
    const Node place = { .layer = arena_format("loss.stage%d", number), .loc = stage->loss.loc };
    Node **terms;
    const int count = copy_terms(&training, &terms), first = graph->count;
    stage->objective = loss_build(graph, place, &stage->loss, output, target, terms, count);
    for (int i = first; i < graph->count; i++)
        graph->nodes[i]->stage = number;
    stage->output = copy_autoencoder(&inference, graph->layer_count - 1);
    if (graph->grouped)
        add_groups(&training, &inference, target);
}

void pass_stages(Graph *graph)
{
    for (int number = 1; number <= graph_partial_stages(graph); number++)
        build_stage(graph, number);
}
