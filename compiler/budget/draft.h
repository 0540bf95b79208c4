/* draft.h - what a plan with some savings would take and cost, worked out without making it, for
 * the search, which tries thousands.
 *
 * A draft is a Plan whose programs have their steps, and as many bytes and packings as the plan
 * itself would; but no functions, no names, and steps that it shares with other drafts. What a
 * saving of kernels does to the steps of its fusion is worked out once (variants.h). */
#ifndef CAEC_DRAFT_H
#define CAEC_DRAFT_H

#include "savings.h"

/* What all drafts of a network share. */
typedef struct Drafts Drafts;

/* Drafts of the network that this plan is of, which has no savings. */
Drafts *drafts_open(const Plan *plain);

enum { DRAFT_SAVINGS = 257 }; /* as many as a draft may have */

/* A draft with some savings: its bytes and what it costs. */
typedef struct Draft {
    const Plan *plan; /* the steps of training and the microbatch, nothing else; it holds until the
                         next one is made */
    size_t bytes;     /* plan_training_bytes() on one thread */
    bool exact;       /* false: it takes so many bytes at least */
    double cost;      /* plan_training_cost() */
} Draft;

Draft draft_make(Drafts *drafts, const MemorySaving *savings, int count);

/* The same without the plan. Offsets are most of the work, so bytes are exact only where they can
   be fewer than `bound`. It takes no memory that stays. */
Draft draft_try(Drafts *drafts, const MemorySaving *savings, int count, size_t bound);

/* The work of all drafts so far: steps that they have, and some for each buffer that got an offset.
   The same on every machine. */
double drafts_work(const Drafts *drafts);

/* Whether the last saving, of a kernel, makes any difference to a draft with the savings before
   it. */
bool draft_differs(Drafts *drafts, const MemorySaving *savings, int count);

#endif
