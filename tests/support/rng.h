/* rng.h - numbers drawn from a seed, the same on every machine. */
#ifndef TEST_RNG_H
#define TEST_RNG_H

#include <stdbool.h>
#include <stdint.h>

uint64_t rng_bits(uint64_t *state);
double rng_uniform(uint64_t *state);                 /* in [-1, 1) */
int rng_below(uint64_t *state, int n);               /* 0 .. n - 1 */
int rng_between(uint64_t *state, int low, int high); /* both included */
bool rng_chance(uint64_t *state, int percent);

#endif
