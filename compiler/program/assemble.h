/* assemble.h - a plan is put together in three moves, so that a memory limit can come between them:
 * opened, given its steps, finished. */
#ifndef CAEC_ASSEMBLE_H
#define CAEC_ASSEMBLE_H

#include "plan.h"

/* A plan whose programs have no steps yet. Ends the program with a message where the measured times
   are of another target. */
Plan *plan_open(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning);

/* Gives all programs their steps. Requires a fused graph. Ends the program with a message where a
   forced kernel is unknown, fits nothing or names no fusion, or where a layer cannot work by
   rows. */
void plan_choose_steps(Plan *plan);

/* Functions, packings, microbatch and memory. After it the plan is final. */
void plan_finish(Plan *plan);

#endif
