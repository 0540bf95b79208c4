/* limit.h - what training gives up to stay within a limit of memory.
 *
 * It begins with the ordinary plan. While that takes too much, savings are kept, one by one
 * (search.h): a kernel for another, as Winograd's weights weigh four times theirs; a smaller
 * microbatch; a value that the forward half makes, dropped after its last reader there and
 * recomputed before a reader of the backward half (Chen et al., "Training deep nets with sublinear
 * memory cost", 2016, one value at a time); weights packed for dX before each call instead of once
 * an update. Then savings that turn out to be needless are taken back.
 *
 * The smallest limit that works is what the bottom takes: the smallest of all drafts that were
 * tried on the way to where nothing more is saved, and from there lower, by any one saving more or
 * one fewer, until neither helps. It is the same for every limit, and the way to a limit is the way
 * to the bottom up to the last saving; so a limit below the bottom is refused, and every other is
 * kept, by the bottom's plan if by no other.
 *
 * Where layers take something of a group of images, nothing is searched: values that cross phases
 * lie in memory of the group, once an image, which no saving here makes smaller. The ordinary plan
 * stays within the limit, or the limit is refused. */
#ifndef CAEC_LIMIT_H
#define CAEC_LIMIT_H

#include "savings.h"

/* The savings with which training, on one thread, stays within the memory limit of a plan that has
   none and takes more, each with its bytes and cost given those before it; returns how many. Ends
   the program with a message, which names the smallest limit that works, where there are none that
   do. */
int limit_savings(const Plan *plain, const MemorySaving **savings);

#endif
