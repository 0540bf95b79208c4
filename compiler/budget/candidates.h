/* candidates.h - the savings that there are, given those that a draft has already. */
#ifndef CAEC_CANDIDATES_H
#define CAEC_CANDIDATES_H

#include "savings.h"

typedef struct Candidate {
    MemorySaving saving; /* bytes and cost are for the search to set, bytes 0: it saves nothing */
    bool exact;          /* likewise: it saves so many bytes, not just so many at most */
    int place;           /* RECOMPUTE: of the reader */
} Candidate;

typedef struct Candidates {
    Candidate *candidate;
    int count, room;
    const Plan *plain; /* has no savings; fusions whose kernels it was forced to take keep them */
    const Kernel **kernel_of; /* by node: the kernel of the training step of that core */
    int *maker; /* of a program, by node: the step of the forward half that makes it, counted from
                   1 */
} Candidates;

Candidates *candidates_open(const Plan *plain);

/* Those for the plan of a draft, in an order that depends on the network alone. */
void candidates_find(Candidates *candidates, const Plan *plan);

#endif
