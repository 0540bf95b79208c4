/* tune.h - measures the kernels that a graph could use, on this machine. */
#ifndef CAEC_TUNE_H
#define CAEC_TUNE_H

#include "../program/plan.h"

/* For each kernel of convolutions: emits the graph with that kernel wherever it fits, compiles it
   with the C compiler ($CC, or cc) in a temporary folder, and times every call. Layers that do the
   same share a function, so each kernel is compiled once for each shape, and they get one time.
   Says on stderr what it is at. Returns all that was measured. Ends the program with a message
   where the compiler fails; the folder goes then too, and where a signal ends the program. */
Tuning *tune_measure(const Graph *graph, Settings settings, const char *version);

#endif
