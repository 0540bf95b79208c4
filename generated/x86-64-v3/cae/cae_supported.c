/* Whether this processor has what cae was compiled for (x86-64-v3). Made for any x86-64
 * processor, whatever flags the rest has. */
#include "cae.h"

#include <stdint.h>

#define ANYWHERE \
    __attribute__((target("arch=x86-64,no-sse3,no-popcnt,no-bmi,no-bmi2,no-lzcnt,no-movbe")))

typedef struct Answer {
    uint32_t a, b, c, d;
} Answer;

ANYWHERE static Answer cpuid(uint32_t leaf)
{
    Answer r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

/* Which registers the system keeps for every program (XCR0). */
ANYWHERE static uint32_t kept_registers(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

ANYWHERE static int has(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

/* sse3 ssse3 sse4.1 sse4.2 popcnt avx avx2 bmi1 bmi2 f16c fma lzcnt movbe osxsave */
ANYWHERE int cae_supported(void)
{
    if (cpuid(0).a < 7 || cpuid(0x80000000u).a < 0x80000001u)
        return 0;
    return has(cpuid(1).c, 0x38d81201u) && has(cpuid(7).b, 0x00000128u)
           && has(cpuid(0x80000001u).c, 0x00000020u) && has(kept_registers(), 0x06u);
}
