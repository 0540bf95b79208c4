/* pictures_random.h - the numbers from which built-in pictures and signals are drawn. */
#ifndef CAEC_PICTURES_RANDOM_H
#define CAEC_PICTURES_RANDOM_H

#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014, "Fast Splittable Pseudorandom Number Generators"): a counter
   and a hash, so any picture can be drawn without the ones before it. */
typedef struct Random {
    uint64_t counter;
} Random;

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint32_t random_next(Random *random)
{
    return (uint32_t)(random_mix(random->counter += 0x9E3779B97F4A7C15u) >> 32);
}

/* from <= result <= to */
static inline int64_t random_between(Random *random, int64_t from, int64_t to)
{
    return from + (int64_t)((uint64_t)random_next(random) * (uint64_t)(to - from + 1) >> 32);
}

/* The start for item `index` of `seed`. */
static inline Random random_of(uint64_t seed, uint64_t index)
{
    return (Random){ random_mix(random_mix(seed + 0x9E3779B97F4A7C15u) ^ index) };
}

#endif
