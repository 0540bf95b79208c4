#include "initial.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void initial_redraw(const Model *model, int parameter, uint64_t seed, unsigned drawing,
                    real *parameters)
{
    const ModelParameter *p = &model->parameters[parameter];
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t stream = mix(mix(seed + golden) + golden * ((uint64_t)drawing + 1));

    /* 24 bits, so that the largest value stays below the limit after rounding to float. */
    for (size_t i = p->offset; i < p->offset + p->count; i++) {
        int32_t k = (int32_t)(mix(stream + golden * ((uint64_t)i + 1)) >> 40) - (1 << 23);
        parameters[i] = (real)(p->limit != 0 ? p->limit * (k * 0x1p-23) : p->fill);
    }
}

void initial_draw(const Model *model, uint64_t seed, real *parameters)
{
    for (int i = 0; i < model->parameter_count; i++)
        initial_redraw(model, i, seed, 0, parameters);
}
