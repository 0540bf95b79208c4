/* threads.h - how many threads there should be, and whether as many can be had. */
#ifndef CAEC_THREADS_H
#define CAEC_THREADS_H

#include "error.h"

/* Starts OpenMP's `count` - 1 threads besides the caller's, which then wait for work. Call it
   before other threads are started, which might take their places, and ask for no other number
   later: OpenMP's own library ends the program with its own words if it cannot start a thread. So
   threads of ours are started first, all at once, and if that fails the error says what to do.
   (Only another process can come between the two.) */
int threads_start(int count, Error *error);

/* As many threads as there are processors for this process: those it may run on
   (sched_getaffinity), or what its control groups' quotas of time amount to, rounded up, whichever
   is less, and no more than OMP_NUM_THREADS; 1 in a program built without OpenMP. */
int threads_default(void);

/* `threads`, or as many as the quota below `root` (container.h) gives work to, if that is less. */
int threads_within_quota(int threads, const char *root);

#endif
