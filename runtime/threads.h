/* threads.h - whether as many threads can be had as are wanted. */
#ifndef CAEC_THREADS_H
#define CAEC_THREADS_H

#include "error.h"

/* Starts `count` - 1 threads besides the caller's at once and lets them end. OpenMP's own library ends the program where it cannot start one; asked before, we
   can say what to do. A promise it is not: what takes memory afterwards may take theirs. */
int threads_try(int count, Error *error);

#endif
