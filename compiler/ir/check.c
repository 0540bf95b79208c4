#include "check.h"

#include "../base/arena.h"
#include "../base/table.h"

#include <ctype.h>
#include <string.h>

bool names_clash(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (tolower((unsigned char)(*a == '.' ? '_' : *a))
            != tolower((unsigned char)(*b == '.' ? '_' : *b)))
            return false;
    return *a == *b;
}

/* The same for all names that clash. */
static const char *plain_name(const char *name)
{
    char *plain = (char *)arena_copy(name, strlen(name));
    for (char *p = plain; *p; p++)
        *p = (char)(*p == '.' ? '_' : tolower((unsigned char)*p));
    return plain;
}

static void check_name(const Node *node, Table *names)
{
    const char *plain = plain_name(node->name);
    if (table_find(names, plain) >= 0)
        fail(node->loc,
             "%s: the name %s is taken: caec derives it for another layer; choose another name",
             node->word, node->name);
    table_add(names, plain, node->id);
}

static void check_node(const Graph *graph, int i, const char *pass)
{
    const Node *node = graph->nodes[i];
    if (node->id != i)
        bug("after %s: %s has id %d at place %d", pass, node->name, node->id, i);
    for (int k = 0; k < node->op->arity; k++) {
        const Node *input = node->input[k];
        if (input->id >= i || graph->nodes[input->id] != input)
            bug("after %s: %s reads %s, which does not stand before it", pass, node->name,
                input->name);
    }
    Node again = *node;
    node->op->shape(&again);
    if (!shape_equal(again.shape, node->shape) || again.type != node->type)
        bug("after %s: %s has shape %s but its operator gives %s", pass, node->name,
            shape_text(node->shape), shape_text(again.shape));
}

static void check_in_graph(const Graph *graph, const Node *node, const char *what, const char *pass)
{
    if (node && (node->id >= graph->count || graph->nodes[node->id] != node))
        bug("after %s: the %s %s is not in the graph", pass, what, node->name);
}

/* The loss and the gradients of a stage, or of the whole network. */
static void check_stage(const Graph *graph, int stage, const char *pass)
{
    check_in_graph(graph, graph_loss(graph, stage), "loss", pass);
    check_in_graph(graph, graph_evaluation(graph, stage), "loss of inference", pass);
    if (stage)
        check_in_graph(graph, graph->stages[stage - 1].output, "output", pass);
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node,
                   *gradient = graph_gradient(graph, stage, i);
        check_in_graph(graph, gradient, "gradient", pass);
        if (gradient && !graph_trains(graph, stage, i) && !graph_statistic(graph, stage, i))
            bug("after %s: %s is not trained, but has a gradient", pass, parameter->name);
        if (gradient && !shape_equal(gradient->shape, parameter->shape))
            bug("after %s: the gradient of %s has shape %s", pass, parameter->name,
                shape_text(gradient->shape));
    }
}

void check_graph(const Graph *graph, const char *pass)
{
    const ArenaMark mark = arena_mark();
    Table names = { 0 };
    for (int i = 0; i < graph->count; i++) {
        check_node(graph, i, pass);
        check_name(graph->nodes[i], &names);
    }
    arena_release(mark);
    check_in_graph(graph, graph->input, "input", pass);
    check_in_graph(graph, graph->latent, "latent", pass);
    check_in_graph(graph, graph->output, "output", pass);
    for (int i = 0; i < graph->parameter_count; i++)
        check_in_graph(graph, graph->parameters[i].node, "parameter", pass);
    for (int p = 0; p <= graph_partial_stages(graph); p++)
        check_stage(graph, p, pass);
    for (int i = 0; i < graph->fusion_count; i++) {
        FusionPart parts[FUSION_PARTS];
        int count = fusion_parts(graph->fusions[i], parts);
        for (int k = 0; k < count; k++)
            check_in_graph(graph, parts[k].node, "fusion's node", pass);
    }
}
