/* trained.h - trained weights for a graph, out of a safetensors file. */
#ifndef CAEC_TRAINED_H
#define CAEC_TRAINED_H

#include "../ir/graph.h"

typedef struct Trained {
    const float **values; /* one a parameter, in the graph's order; float32 in the parameter's own
                             layout */
} Trained;

/* Ends the program with a message where the file cannot be read, or is not of this graph: a
   parameter that is missing or has another shape or type, or a value that is not finite in float32,
   or a tensor that the graph does not have. */
const Trained *trained_read(const char *path, const Graph *graph);

/* Of the parameter that stands there in the graph. */
const float *trained_values(const Trained *trained, const Graph *graph, const Node *parameter);

#endif
