/* dot.h - a graph for Graphviz. */
#ifndef CAEC_DOT_H
#define CAEC_DOT_H

#include "../base/text.h"
#include "graph.h"

/* Appends its text, a box a node. */
void dot_print(Text *out, const Graph *graph);

#endif
