/* loader.h - a graph file on its way to a graph, as the files that load its parts hand it on. */
#ifndef CAEC_LOADER_H
#define CAEC_LOADER_H

#include "../base/lua.h"
#include "../ir/graph.h"
#include "references.h"
#include "source.h"

enum { MAX_LAYERS = 512, MAX_NESTING = 8 };
/* entries of lists of layers, each counted as often as it is met: lists may stand in lists that
   stand in lists ... */
enum { MAX_ITEMS = 10000 };

typedef struct Loader {
    lua_State *L;
    Source source;
    Graph *graph;
    LayerNames names;
    int collected, loaded; /* entries met, up to MAX_ITEMS */
    bool part_rests;       /* the part that is being loaded has trainable = false */
} Loader;

#endif
