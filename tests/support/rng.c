#include "rng.h"

/* Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" (splitmix64). */
uint64_t rng_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double rng_uniform(uint64_t *state)
{
    return (double)(int64_t)(rng_bits(state) >> 11) / 4503599627370496.0 - 1;
}

int rng_below(uint64_t *state, int n)
{
    return (int)((rng_bits(state) >> 32) % (uint64_t)n);
}

int rng_between(uint64_t *state, int low, int high)
{
    return low + rng_below(state, high - low + 1);
}

bool rng_chance(uint64_t *state, int percent)
{
    return rng_below(state, 100) < percent;
}
