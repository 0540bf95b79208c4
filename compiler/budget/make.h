/* make.h - a plan, whatever its limit of memory. */
#ifndef CAEC_MAKE_H
#define CAEC_MAKE_H

#include "../program/plan.h"

/* Requires a fused graph. Ends the program with a message where a forced kernel is unknown, fits
   nothing or names no fusion, where the measured times are of another target, where a layer cannot
   work by rows, or where training does not fit into settings.memory_limit. */
Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning);

#endif
