/* libraries.h - libraries of random graphs: what a limit of memory does to them, and streams. */
#ifndef TEST_LIBRARIES_H
#define TEST_LIBRARIES_H

#include "net.h"

#include <stdbool.h>
#include <stdint.h>

/* Builds two libraries of the net: an ordinary one, and one whose training keeps to a limit of
   memory and which may infer by rows where it can. Both must infer what the naive operators do.
   With all kernels forced, the limit only changes when values are computed and how often, so their
   gradients must be the same to the bit. Graph and options are put in the place of *graph and
   *options, for messages; returns whether it infers by rows. */
bool check_libraries(const Net *net, const char *target, uint64_t *state, char **graph,
                     char **options);

#endif
