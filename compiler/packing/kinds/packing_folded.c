#include "../packing.h"

#include "../../base/arena.h"

FoldTaps packing_fold_taps(int kernel, int stride, int up, int pad)
{
    int *rests = ARENA_ARRAY(int, up), *taps = ARENA_ARRAY(int, up);
    FoldTaps all = { .rest = rests, .taps = taps };
    int rest = (up - pad % up) % up;
    do {
        rests[all.phases] = rest;
        taps[all.phases] = (rest + kernel - 1) / up + 1;
        all.sum += taps[all.phases];
        all.most = taps[all.phases] > all.most ? taps[all.phases] : all.most;
        all.phases++;
        rest = (rest + stride) % up;
    } while (rest != rests[0]);
    return all;
}

Packing packing_folded(const Node *parameter, int block, int lanes, Folding f)
{
    const int *d = parameter->shape.dim;
    FoldTaps rows = packing_fold_taps(d[0], f.stride, f.up, f.pad_top),
             columns = packing_fold_taps(d[1], f.stride, f.up, f.pad_left);
    return (Packing){ .kind = &packing_kind_folded,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .up = f.up,
                      .stride = f.stride,
                      .pad_top = f.pad_top,
                      .pad_left = f.pad_left,
                      .count = (size_t)rows.phases * (size_t)rows.most * (size_t)columns.sum
                               * (size_t)d[2] * packing_round_up(d[3], lanes) };
}

/* The sum of the taps of rows above ... above + up - 1 and columns left ... left + up - 1, of one
   input and output channel. */
static float sum_of_taps(const float *tap, int kernel, size_t apart, int up, int above, int left)
{
    float sum = 0;
    for (int k = above; k < above + up; k++)
        for (int l = left; l < left + up; l++)
            if (k >= 0 && k < kernel && l >= 0 && l < kernel)
                sum += tap[(size_t)(k * kernel + l) * apart];
    return sum;
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const float *parameter = parameters[0];
    const int *d = packing->parameter->shape.dim;
    const int kernel = d[0], in = d[2], out = d[3], up = packing->up,
              room = (int)packing_round_up(out, packing->lanes);
    const FoldTaps rows = packing_fold_taps(kernel, packing->stride, up, packing->pad_top),
                   columns = packing_fold_taps(kernel, packing->stride, up, packing->pad_left);
    for (int r = 0; r < rows.phases; r++)
        for (int block = 0; block < room; block += packing->block)
            for (int tap = 0; tap < rows.most * columns.sum; tap++) {
                int left = tap % columns.sum, c = 0;
                for (; left >= columns.taps[c]; c++)
                    left -= columns.taps[c];
                for (int i = 0; i < in; i++)
                    for (int o = block; o < packing_smaller(block + packing->block, room); o++)
                        *values++ = o < out ? sum_of_taps(parameter + i * out + o, kernel,
                                                          (size_t)(in * out), up,
                                                          tap / columns.sum * up - rows.rest[r],
                                                          left * up - columns.rest[c])
                                            : 0;
            }
}

const PackingKind packing_kind_folded = {
    .name = "folded",
    .suffix = "_folded",
    .parameters = { "parameter" },
    .text = "packing_folded.c.in",
    .comment = "taps summed that meet the same pixel before upsampling",
    .values = compute,
};
