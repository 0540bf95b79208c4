/* copies.h - what the passes that copy layers share. */
#ifndef CAEC_COPIES_H
#define CAEC_COPIES_H

#include "../ir/graph.h"

/* What a copy of `reader` reads where that reads `input` and the copy has `value` in its place:
   `value`, or the image as reals where layers that work in training alone are gone from before it
   and the reader wants reals. */
Node *inference_input(Graph *graph, const Node *reader, const Node *input, Node *value);

/* What inference has in the place of a node whose operator says so, of those inputs. */
Node *inference_of(Graph *graph, const Node *node, Node *const *inputs);

#endif
