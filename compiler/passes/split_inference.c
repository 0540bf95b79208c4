#include "passes.h"

#include "../base/arena.h"
#include "../ops/ops.h"
#include "copies.h"

#include <string.h>

static bool inference_differs(const Graph *graph)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i]->op->training_only || graph->nodes[i]->op->inference)
            return true;
    return false;
}

static Node *add_copy(Graph *graph, const Op *op, const Node *of, const char *name,
                      Node *const *inputs, const double *numbers)
{
    Node *node = node_new(graph, op, of, name, inputs, numbers);
    node->infer = true;
    return node;
}

Node *inference_input(Graph *graph, const Node *reader, const Node *input, Node *value)
{
    bool pixels = value->type == TYPE_PIXEL && input->type == TYPE_REAL;
    return pixels && !reader->op->reads_pixels ? pixels_as_reals(graph, input, value) : value;
}

Node *inference_of(Graph *graph, const Node *node, Node *const *inputs)
{
    Node *made = node->op->inference(graph, node, inputs);
    made->infer = true;
    return made;
}

/* The loss of validation, with its terms. Noise is left out of a loss where nothing is drawn;
   statistics of a group are not. */
static void split_loss(Graph *graph, int count, Node **values)
{
    for (int i = 0; i < count; i++) {
        Node *node = graph->nodes[i], *inputs[MAX_INPUTS] = { 0 };
        if (!node_is_loss(node))
            continue;
        for (int k = 0; k < node->op->arity; k++)
            inputs[k] = inference_input(graph, node, node->input[k], values[node->input[k]->id]);
        values[i] = add_copy(graph, node->op, node, arena_format("%s.infer", node->name), inputs,
                             node->number);
    }
    graph->evaluation = values[graph->loss->id];
}

/* What inference reads in the node's place: the node itself, its input where it works in training
   alone, or a copy above which that happened. */
static Node *value_for_inference(Graph *graph, const Node *node, Node *const *values)
{
    Node *inputs[MAX_INPUTS] = { 0 };
    bool same = true;
    for (int k = 0; k < node->op->arity; k++) {
        same = same && values[node->input[k]->id] == node->input[k];
        inputs[k] = inference_input(graph, node, node->input[k], values[node->input[k]->id]);
    }
    if (node->op->training_only)
        return inputs[0];
    if (node->op->inference)
        return inference_of(graph, node, inputs);
    return same ? NULL
                : add_copy(graph, node->op, node, arena_format("%s.infer", node->name), inputs,
                           node->number);
}

void pass_split_inference(Graph *graph)
{
    if (!inference_differs(graph))
        return;
    int count = graph->count;
    Node **values = ARENA_ARRAY(Node *, count);
    for (int i = 0; i < count; i++) {
        Node *node = graph->nodes[i];
        values[i] = node_is_loss(node) ? NULL : value_for_inference(graph, node, values);
        if (!values[i])
            values[i] = node;
        node->inference = values[i];
    }
    if (graph->grouped)
        split_loss(graph, count, values);
    graph->latent = values[graph->latent->id];
    graph->output = values[graph->output->id];
}
