/* references.h - the layers that a layer names: concat { with = "encoder.conv1" }. */
#ifndef CAEC_REFERENCES_H
#define CAEC_REFERENCES_H

#include "../ops/ops.h"

/* The full names of all layers of the file in order, known before the first is built. */
typedef struct LayerNames {
    const char **name;
    int count;
} LayerNames;

/* Finds the layers that the arguments name among those that the graph has, "input" being the image;
   marks them as read, but for those whose kernel alone is taken. Returns their names, "a, b". Fails
   at the argument's place where there is no such layer, suggesting the nearest name, or where it
   comes later. */
const char *references_find(Graph *graph, const LayerNames *names, const char *word,
                            const ArgSpec *specs, Arg *args);

/* The layer of the graph whose name is most like that one; NULL: there is none. */
const char *references_nearest(const Graph *graph, const char *name);

/* Fails at the first layer that no other reads, unless it makes the model's output. */
void references_check_read(const Graph *graph);

#endif
