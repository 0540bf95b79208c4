/* limits.h - limits of memory for random graphs. */
#ifndef TEST_LIMITS_H
#define TEST_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* A limit within which the graph can be trained, by caec with these options: the smallest, or
   halfway from there to what training takes without one. */
size_t draw_limit(const char *graph, const char *options, uint64_t *state);

#endif
