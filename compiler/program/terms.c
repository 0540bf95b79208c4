#include "terms.h"

#include "../base/arena.h"

#include <string.h>

/* Whether it is a loss, term or sum of the stage, in training or, `infer`, as inference has it. */
static bool is_of(const Node *node, int stage, bool infer)
{
    return node_is_loss(node) && node->stage == stage && node->infer == infer;
}

/* Those up to that node, NULL: all. */
static int count_places(const Graph *graph, int stage, bool infer, const Node *up_to)
{
    int count = 0;
    for (int i = 0; i < graph->count && graph->nodes[i] != up_to; i++)
        count += is_of(graph->nodes[i], stage, infer);
    return count;
}

int terms_places(const Graph *graph)
{
    int most = 1;
    for (int p = 0; p <= graph_partial_stages(graph); p++) {
        const int count = count_places(graph, p, false, NULL);
        most = count > most ? count : most;
    }
    return most;
}

int terms_place(const Graph *graph, const Node *node)
{
    if (node == graph_loss(graph, node->stage) || node == graph_evaluation(graph, node->stage))
        return 0;
    return 1 + count_places(graph, node->stage, node->infer, node);
}

/* Whether it compares with a target; the others are terms that layers bring. */
static bool compares(const Node *term)
{
    return term->op->arity > 1 && !term->input[1]->op->holds_weights;
}

int terms_of(const Graph *graph, int stage, const Node ***terms)
{
    int count = 0;
    *terms = ARENA_ARRAY(const Node *, count_places(graph, stage, false, NULL) + 1);
    for (int compared = 1; compared >= 0; compared--)
        for (int i = 0; i < graph->count; i++) {
            const Node *node = graph->nodes[i];
            if (node_is_term(node) && is_of(node, stage, false) && compares(node) == compared)
                (*terms)[count++] = node;
        }
    return count;
}

static bool has(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool terms_penalizes(const Graph *graph, bool squares)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if ((squares ? graph->parameters[i].l2 : graph->parameters[i].l1) > 0)
            return true;
    return false;
}

int terms_columns(const Graph *graph, const char *const **columns)
{
    const char **names = ARENA_ARRAY(const char *, graph->count + 3);
    int count = 0;
    bool several = false;
    for (int p = 0; p <= graph_partial_stages(graph); p++) {
        const Node **terms;
        const int of_stage = terms_of(graph, p, &terms);
        several = several || of_stage > 1;
        for (int i = 0; i < of_stage; i++)
            if (!has(names, count, terms[i]->op->loss))
                names[count++] = terms[i]->op->loss;
    }
    if (terms_penalizes(graph, false))
        names[count++] = "kernel_l1";
    if (terms_penalizes(graph, true))
        names[count++] = "kernel_l2";
    *columns = names;
    return several || terms_penalizes(graph, false) || terms_penalizes(graph, true) ? count : 0;
}
