/* print.h - the one textual form of a graph: a line a node, with its line in the graph file. */
#ifndef CAEC_PRINT_H
#define CAEC_PRINT_H

#include "../base/text.h"
#include "graph.h"

/* name = op(inputs){numbers} : shape    ; graphs/cae.lua:12 */
void print_graph(Text *out, const Graph *graph);

/* What the network computes as sixteen hexadecimal digits: another for other layers, numbers,
   shapes, references, loss or stages, the same for other lines, comments, files and training
   numbers. Of a graph without gradients, as load gives it. */
const char *print_fingerprint(const Graph *graph);

#endif
