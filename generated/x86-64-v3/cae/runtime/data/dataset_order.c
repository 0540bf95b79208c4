#include "dataset.h"

/* SplitMix64's hash (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void dataset_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch)
{
    uint64_t key = mix(mix(seed) ^ epoch);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        /* the upper 32 bits scaled to 0 .. i-1: uneven by at most i / 2^32 */
        size_t j = (size_t)((mix(key + i) >> 32) * (uint64_t)i >> 32);
        uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

uint64_t dataset_number(uint64_t seed, uint64_t epoch, uint32_t picture)
{
    return mix(mix(mix(~seed) ^ epoch) ^ picture) | 1;
}
