/* pipeline.h - the passes in their order, between `load` and `plan`. */
#ifndef CAEC_PIPELINE_H
#define CAEC_PIPELINE_H

#include "../ir/graph.h"

#include <stdbool.h>

/* Where the pass stands in the pipeline: load 0, then the passes, then plan; -1: nowhere. */
int pipeline_place(const char *pass);

/* Runs the passes over a graph just loaded, each checked. Prints the graph after the pass `dump`
   and stops after the pass `stop`; NULL: neither. Returns false where it stopped. */
bool pipeline_run(Graph *graph, const char *dump, const char *stop);

/* Prints a line a pass, for --list. */
void pipeline_list(void);

#endif
