#include "references.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "edit_distance.h"

#include <string.h>

enum { MAX_FULL_NAME = 200 };

/* A layer's name without its part stands for the layer, otherwise the fewest letters count. */
const char *references_nearest(const Graph *graph, const char *name)
{
    const char *best = NULL;
    int least_letters = 0;
    for (int i = 0; i < graph->layer_count; i++) {
        const char *known = graph->layers[i].name;
        int letters = strcmp(strchr(known, '.') + 1, name) == 0 ? 0 : edit_distance(name, known);
        if (!best || letters < least_letters) {
            best = known;
            least_letters = letters;
        }
    }
    return best;
}

_Noreturn static void refuse(const Graph *graph, const LayerNames *names, const char *word, Loc loc,
                             const char *name)
{
    for (int i = graph->layer_count; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0)
            fail(loc,
                 i == graph->layer_count
                     ? "%s: %s is this layer itself; name one that comes before"
                     : "%s: %s comes later; a layer reads only what comes before it",
                 word, name);
    const char *known = references_nearest(graph, name);
    if (!known)
        fail(loc, "%s: there is no layer '%.80s' before this one; this is the first", word, name);
    fail(loc, "%s: there is no layer '%.80s' before this one; did you mean %s?", word, name, known);
}

/* `reads`: the layer's output, not its kernel alone. */
static Node *find(Graph *graph, const LayerNames *names, const char *word, Loc loc,
                  const char *name, bool reads)
{
    if (strcmp(name, graph->input->name) == 0)
        return graph->input;
    for (int i = 0; i < graph->layer_count; i++)
        if (strcmp(graph->layers[i].name, name) == 0) {
            graph->layers[i].read = graph->layers[i].read || reads;
            return graph->layers[i].output;
        }
    refuse(graph, names, word, loc, name);
}

const char *references_find(Graph *graph, const LayerNames *names, const char *word,
                            const ArgSpec *specs, Arg *args)
{
    Text all = { 0 };
    for (int i = 0; specs[i].name; i++)
        for (int k = 0; k < args[i].ref_count; k++) {
            LayerRef *ref = &args[i].refs[k];
            if (strlen(ref->name) > MAX_FULL_NAME)
                fail(args[i].loc, "%s: no layer has a name of %zu letters; at most %d", word,
                     strlen(ref->name), MAX_FULL_NAME);
            ref->node = find(graph, names, word, args[i].loc, ref->name, specs[i].kind != ARG_TIED);
            text_add(&all, "%s%s", all.length ? ", " : "", ref->name);
        }
    return all.length ? all.data : "";
}

void references_check_read(const Graph *graph)
{
    for (int i = 0; i + 1 < graph->layer_count; i++) {
        const LayerRow *row = &graph->layers[i];
        if (!row->read)
            fail(row->loc,
                 "%s: nothing reads the output of %s: name it in a from or in the with of a layer "
                 "such as add, or take the layer out",
                 row->word, row->name);
    }
}
