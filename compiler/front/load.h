/* load.h - from a graph file to a graph. */
#ifndef CAEC_LOAD_H
#define CAEC_LOAD_H

#include "../ir/graph.h"

/* Runs the graph file in the sandbox (dsl.lua) and builds its nodes: forward and loss. Every
   mistake in the file ends the program with a message at its line. Requires nothing; provides a
   graph without gradients or stages. */
Graph *load_graph(const char *path);

#endif
