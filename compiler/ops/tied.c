/* tied = "part.layer": in the place of a kernel of its own a layer has the transpose of another
   layer's. The parameter is that layer's, and gets the sum of both gradients. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static const LayerRow *row_of(const Graph *graph, const char *name)
{
    for (int i = 0; i < graph->layer_count; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return &graph->layers[i];
    return NULL;
}

/* The layer's product with a kernel; NULL: it has none. */
static Node *core_of(const Graph *graph, const char *layer)
{
    for (int i = 0; i < graph->count; i++)
        if (node_heads_fusion(graph->nodes[i]) && strcmp(graph->nodes[i]->layer, layer) == 0)
            return graph->nodes[i];
    return NULL;
}

Node *tied_core(Layer *layer, const Arg *tied, const Op *of)
{
    const char *name = tied->refs[0].name;
    const LayerRow *row = row_of(layer->graph, name);
    Node *core = row ? core_of(layer->graph, name) : NULL;
    if (core && strcmp(core->input[1]->layer, name) != 0)
        fail(tied->loc,
             "%s: %s has no kernel of its own, it is tied to %s; name a %s layer that has one",
             layer->model.word, name, core->input[1]->layer, of->name);
    if (!core || core->op != of)
        fail(tied->loc, "%s: tied wants the name of a %s layer, but %s is %s", layer->model.word,
             of->name, name, row ? arena_format("of the kind %s", row->word) : "the image");
    layer->tied = name;
    return core;
}

static void want_same(const Layer *layer, const Arg *argument, const char *name, const char *given,
                      const char *wanted)
{
    if (strcmp(given, wanted) != 0)
        fail(argument->loc, "%s: tied to %s it has %s = %s, not %s; write that, or leave tied out",
             layer->model.word, layer->tied, name, wanted, given);
}

void want_tied_number(const Layer *layer, const Arg *argument, const char *name, int given,
                      int wanted)
{
    want_same(layer, argument, name, arena_format("%d", given), arena_format("%d", wanted));
}

/* As the user would write it. */
static const char *pair_text(const int pair[2])
{
    return pair[0] == pair[1] ? arena_format("%d", pair[0])
                              : arena_format("{ %d, %d }", pair[0], pair[1]);
}

void want_tied_pair(const Layer *layer, const Arg *argument, const char *name, const int given[2],
                    const int wanted[2])
{
    want_same(layer, argument, name, pair_text(given), pair_text(wanted));
}

void want_tied_input(const Layer *layer, const Arg *tied, const Node *x, int given, int wanted)
{
    if (given != wanted)
        fail(tied->loc,
             "%s: tied to %s it wants %d %s, as many as that layer gives, but %s gives %s; make "
             "them %d, or leave tied out",
             layer->model.word, layer->tied, wanted, x->shape.rank == 1 ? "values" : "channels",
             x->layer, shape_text(x->shape), wanted);
}
