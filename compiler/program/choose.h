/* choose.h - the steps of a program: which kernel computes each fusion in each direction, and how
 * much of the fusion around its core it takes in. */
#ifndef CAEC_CHOOSE_H
#define CAEC_CHOOSE_H

#include "plan.h"

/* Gives the program the steps that compute `roots`, in the order of their cores in the graph;
   program->given is not computed but handed in. The cheapest kernel that fits is taken, by measured
   times where there are some, or the one that is forced. */
void plan_steps(const Plan *plan, Program *program, Node *const *roots, int root_count);

/* What plan_steps knows on its way through the nodes, from the last to the first, and what it does
   at one of them: for drafts (budget/), which plan some nodes again. By node: */
typedef struct StepWalk {
    bool *needed, *computed; /* whether any step reads it, or a root is; whether a step leaves it
                                behind */
    const Step **at;         /* the step with it at its core */
} StepWalk;

void plan_step_at(const Plan *plan, const Program *program, const Node *node, StepWalk *walk);

#endif
