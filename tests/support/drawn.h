/* drawn.h - numbers drawn by counting, the same on every machine: no tables, no library, no
   state. */
#ifndef TEST_DRAWN_H
#define TEST_DRAWN_H

#include <stddef.h>
#include <stdint.h>

/* 24 bits of Weyl's sequence, mixed; in 0 .. 1. */
static inline double drawn(unsigned seed, size_t i)
{
    uint64_t z = (seed * UINT64_C(1000003) + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (double)((z ^ z >> 31) >> 40) * 0x1p-24;
}

/* Number i of the flat array, where fill and limit are those of its ModelParameter; what begins as
   `fill` alone is drawn too. */
static inline float drawn_parameter(double fill, double limit, unsigned seed, size_t i)
{
    return (float)(fill + (limit != 0 ? limit : 0.1) * (2 * drawn(seed, i) - 1));
}

static inline uint8_t drawn_pixel(unsigned seed, size_t i)
{
    return (uint8_t)(255 * drawn(seed + 77, i) + 0.5);
}

#endif
