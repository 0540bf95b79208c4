/* savings.h - what may be given up for a memory limit, and what that does to a plan: kernels are
 * forced, steps swapped and recomputed, weights packed on use. */
#ifndef CAEC_SAVINGS_H
#define CAEC_SAVINGS_H

#include "../program/plan.h"

/* One thing given up to stay within --memory-limit. Lists are in the order in which the search
   chose, and their order counts: the later ones add to the earlier. */
typedef struct MemorySaving {
    enum {
        SAVING_ORDER,
        SAVING_IN_PLACE,
        SAVING_MICROBATCH,
        SAVING_KERNEL,
        SAVING_RECOMPUTE,
        SAVING_ON_USE
    } kind;
    int microbatch;     /* MICROBATCH: images at once */
    const char *fusion; /* KERNEL: takes the place of another in ... */
    bool backward;      /* ... dX and dW, or the forward half, of this fusion */
    const Kernel *kernel;
    const Node *core, *reader; /* RECOMPUTE: the step with this core is computed again before the
                                  step with that one. KERNEL: the fusion's core */
    const Node *parameter;     /* ON_USE: its turned packing is made before each dX instead of once
                                  an update */
    size_t bytes;              /* saved by it, after those before it */
    double cost;               /* estimated cycles (microseconds where kernels were measured) an
                                  image that it adds */
} MemorySaving;

/* The same plan as this one, which has none, with these savings. */
Plan *plan_with_savings(const Plan *plain, const MemorySaving *savings, int count);

/* What they do, part by part. A plan that has no steps yet: other kernels are forced after the
   user's forces; microbatches become smaller, gradients accumulate in place. */
void savings_force(Plan *plan, const MemorySaving *savings, int count);
void savings_set(Plan *plan, const MemorySaving *savings, int count);

/* Among a training program's steps, none of which is changed: dW comes before dX, and what
   `recomputed` makes of a step stands once more before those that read its values. */
void savings_order(const Graph *graph, Program *program, const MemorySaving *savings, int count,
                   const Step *(*recomputed)(const Step *step));

/* The step as one that recomputes its values. */
const Step *saving_recomputed(const Step *step);

/* By node, which parameters are to be turned on use; NULL: none. */
const bool *savings_on_use(const Graph *graph, const MemorySaving *savings, int count);

/* The packing that the step could make on use: blocks turned for dX, where the step has scratch
   memory for them; NULL: none. */
const Packing *saving_turned_packing(const Step *step);

#endif
