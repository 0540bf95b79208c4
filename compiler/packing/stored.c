#include "stored.h"

#include "../base/arena.h"
#include "../base/diag.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A value that rounds to more than 65504 is refused. */
static uint16_t half_of(float x, const Node *parameter)
{
    const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000;
    const int exponent = (int)(bits >> 23 & 0xff) - 112; /* as binary16 has it */
    uint32_t fraction = (bits & 0x7fffff) | 0x800000, half;
    /* below 2^-14 fewer bits are left */
    int shift = exponent > 0 ? 13 : 14 - exponent;
    if (shift > 25)
        return (uint16_t)sign;
    half = fraction >> shift;
    const uint32_t rest = fraction & ((1u << shift) - 1), tie = 1u << (shift - 1);
    half += rest > tie || (rest == tie && (half & 1));
    /* the leading bit counts as one of the exponent */
    if (exponent > 0)
        half += (uint32_t)(exponent - 1) << 10;
    if (half >= 0x7c00)
        fail_with(
            EXIT_INPUT,
            "--weights-type f16: %s holds %g in its kernel's packing, and 65504 is the largest "
            "half; use f32",
            parameter->name, (double)x);
    return (uint16_t)(sign | half);
}

/* Weights are finite, but a packing adds them up. */
static void check_finite(const Packing *packing, const float *values)
{
    for (size_t k = 0; k < packing->count; k++)
        if (!isfinite(values[k]))
            fail_with(
                EXIT_INPUT,
                "--weights: %s holds numbers too large for float32 in the packing that its kernel "
                "reads; use weights from before the training diverged",
                packing->parameter->name);
}

void packing_bits(const Packing *packing, const float *const *parameters, bool half, uint32_t *bits)
{
    float *values = ARENA_ARRAY(float, packing->count);
    if (packing->from) {
        float *made = ARENA_ARRAY(float, packing->from->count);
        packing->from->kind->values(packing->from, parameters, made);
        packing->kind->values(packing, (const float *const[]){ made }, values);
    } else {
        packing->kind->values(packing, parameters, values);
    }
    check_finite(packing, values);
    for (size_t i = 0; i < packing->count; i++)
        bits[i] = half ? half_of(values[i], packing->parameter) : bits_of(values[i]);
}
