#include "../packing.h"

#include "../../base/arena.h"

FoldTaps packing_fold_taps(int window, int stride, int up, int pad)
{
    int *rests = ARENA_ARRAY(int, up), *taps = ARENA_ARRAY(int, up);
    FoldTaps all = { .rest = rests, .taps = taps };
    int rest = (up - pad % up) % up;
    do {
        rests[all.phases] = rest;
        taps[all.phases] = (rest + window - 1) / up + 1;
        all.sum += taps[all.phases];
        all.most = taps[all.phases] > all.most ? taps[all.phases] : all.most;
        all.phases++;
        rest = (rest + stride) % up;
    } while (rest != rests[0]);
    return all;
}

/* Along the rows (0) or the columns (1). */
static FoldTaps fold_side(const Packing *p, int axis)
{
    const int kernel = p->parameter->shape.dim[axis];
    return axis == 0 ? packing_fold_taps((kernel - 1) * p->dilation_h + 1, p->stride_h, p->up_h,
                                         p->pad_top)
                     : packing_fold_taps((kernel - 1) * p->dilation_w + 1, p->stride_w, p->up_w,
                                         p->pad_left);
}

Packing packing_folded(const Node *parameter, int block, int lanes, Folding f)
{
    const int *d = parameter->shape.dim;
    Packing p = { .kind = &packing_kind_folded,
                  .parameter = parameter,
                  .block = block,
                  .lanes = lanes,
                  .up_h = f.up[0],
                  .up_w = f.up[1],
                  .stride_h = f.stride[0],
                  .stride_w = f.stride[1],
                  .dilation_h = f.dilation[0],
                  .dilation_w = f.dilation[1],
                  .pad_top = f.pad[0],
                  .pad_left = f.pad[1],
                  .groups = f.groups };
    FoldTaps rows = fold_side(&p, 0), columns = fold_side(&p, 1);
    p.count = (size_t)rows.phases * (size_t)rows.most * (size_t)columns.sum * (size_t)d[2]
              * (size_t)f.groups * packing_round_up(d[3] / f.groups, lanes);
    return p;
}

/* The sum of the taps of one input and output channel that lie in a repeated pixel, whose first row
   and column are `above` and `left` in the window. */
static float sum_of_taps(const Packing *p, const float *tap, int above, int left)
{
    const int *d = p->parameter->shape.dim;
    float sum = 0;
    for (int k = 0; k < d[0]; k++)
        for (int l = 0; l < d[1]; l++) {
            int row = k * p->dilation_h - above, column = l * p->dilation_w - left;
            if (row >= 0 && row < p->up_h && column >= 0 && column < p->up_w)
                sum += tap[(size_t)(k * d[1] + l) * (size_t)(d[2] * d[3])];
        }
    return sum;
}

/* One block of channels of one phase of the rows. `first`: the parameter's value of the group's
   first channel. */
static float *compute_block(const Packing *p, const float *first, int block, int rest,
                            float *values)
{
    const FoldTaps rows = fold_side(p, 0), columns = fold_side(p, 1);
    const int *d = p->parameter->shape.dim, out = d[3] / p->groups,
              room = (int)packing_round_up(out, p->lanes);
    for (int tap = 0; tap < rows.most * columns.sum; tap++) {
        int left = tap % columns.sum, c = 0;
        for (; left >= columns.taps[c]; c++)
            left -= columns.taps[c];
        for (int i = 0; i < d[2]; i++)
            for (int o = block; o < packing_smaller(block + p->block, room); o++)
                *values++ = o < out ? sum_of_taps(p, first + i * d[3] + o,
                                                  tap / columns.sum * p->up_h - rest,
                                                  left * p->up_w - columns.rest[c])
                                    : 0;
    }
    return values;
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const FoldTaps rows = fold_side(packing, 0);
    const int out = packing->parameter->shape.dim[3] / packing->groups,
              room = (int)packing_round_up(out, packing->lanes);
    for (int r = 0; r < rows.phases; r++)
        for (int g = 0; g < packing->groups; g++)
            for (int block = 0; block < room; block += packing->block)
                values = compute_block(packing, parameters[0] + g * out, block, rows.rest[r],
                                       values);
}

const PackingKind packing_kind_folded = {
    .name = "folded",
    .suffix = "_folded",
    .parameters = { "parameter" },
    .text = "packing_folded.c.in",
    .comment = "taps summed that meet the same pixel before upsampling",
    .values = compute,
};
