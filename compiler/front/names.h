/* names.h - the names that a graph file gives: they become names of C, of files and of CMake's
   targets. */
#ifndef CAEC_NAMES_H
#define CAEC_NAMES_H

#include "../ir/graph.h"

/* Fails at `loc` where the name is no identifier of C, or NULL; `what` begins the message. */
void check_name(Loc loc, const char *what, const char *name);

/* Fails where the model's name means something else in the emitted C, in its build or in the
   programs that include it. The layers are there already. */
void check_model_name(const Graph *graph);

#endif
