/* tune.h - measures the kernels that a graph could use, on this machine. */
#ifndef CAEC_TUNE_H
#define CAEC_TUNE_H

#include "../emit/emit.h"

/* For each kernel of convolutions: emits the graph with that kernel wherever it fits, compiles it with the C compiler ($CC, or cc) in a
   temporary folder, and times every call. Returns all that was measured. Ends the program with a message where the compiler fails. */
Tuning *tune_measure(const Graph *graph, Settings settings, const char *version);

#endif
