#include "packing.h"

#include "../base/arena.h"

static size_t round_up(int64_t n, int lanes)
{
    return (size_t)((n + lanes - 1) / lanes * lanes);
}

Packing packing_plain(const Node *parameter, int lanes)
{
    return (Packing){ .kind = "plain",
                      .parameter = parameter,
                      .lanes = lanes,
                      .count = round_up(shape_count(parameter->shape), lanes) };
}

Packing packing_winograd(const Node *parameter, int block, int lanes, int up, bool transposed)
{
    const int *d = parameter->shape.dim;
    int in = d[2], out = up * up * d[3];
    return (Packing){ .kind = "winograd",
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = transposed,
                      .up = up,
                      .count = 36
                               * (transposed ? (size_t)out * round_up(in, lanes)
                                             : (size_t)in * round_up(out, lanes)) };
}

Packing packing_columns(const Node *parameter, int block, int lanes)
{
    const int *d = parameter->shape.dim;
    return (Packing){ .kind = "columns",
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .count = 6 * (size_t)d[1] * (size_t)d[2] * (size_t)d[3] };
}

Packing packing_line(const Node *parameter, int block, int lanes)
{
    const int *d = parameter->shape.dim;
    return (Packing){ .kind = "line",
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .count = 18 * (size_t)d[2] * round_up(d[3], lanes) };
}

Packing packing_blocks(const Node *parameter, int block, int lanes, bool rotated, int stride)
{
    const int *d = parameter->shape.dim;
    int in = rotated ? d[3] : d[2], out = rotated ? d[2] : d[3];
    return (Packing){ .kind = "blocks",
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = rotated,
                      .stride = rotated ? stride : 1,
                      .count = (size_t)d[0] * (size_t)d[1] * (size_t)in * round_up(out, lanes) };
}

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
    return (Packing){ .kind = "folded",
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .up = f.up,
                      .stride = f.stride,
                      .pad_top = f.pad_top,
                      .pad_left = f.pad_left,
                      .count = (size_t)rows.phases * (size_t)rows.most * (size_t)columns.sum
                               * (size_t)d[2] * round_up(d[3], lanes) };
}
