/* terms.h - the loss of an image and its terms: where they lie in the trainer's doubles, and in
   which columns users see them. */
#ifndef CAEC_TERMS_H
#define CAEC_TERMS_H

#include "../ir/graph.h"

/* Doubles that each image has, in every stage: the loss, then all its terms and sums of them. 1:
   the loss alone, which is its own only term. */
int terms_places(const Graph *graph);

/* Which of them a loss, term or sum is: 0 the loss. */
int terms_place(const Graph *graph, const Node *node);

/* The terms of a stage's loss, 0: of the whole network's: those that compare with a target, then
   those that layers bring. Returns how many. */
int terms_of(const Graph *graph, int stage, const Node ***terms);

/* Whether the loss takes the sizes of kernels, or with `squares` their squares. */
bool terms_penalizes(const Graph *graph, bool squares);

/* The names of all terms, each once, those of the whole network first, where the loss of the
   network or of a stage has several; else none. Penalties of kernels come last. Terms of one name
   are summed in one column. Returns how many. */
int terms_columns(const Graph *graph, const char *const **columns);

#endif
