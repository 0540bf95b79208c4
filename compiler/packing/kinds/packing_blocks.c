#include "../packing.h"

#include "../../base/arena.h"

Packing packing_blocks(const Node *parameter, int block, int lanes, bool rotated, int stride)
{
    const int *d = parameter->shape.dim;
    int in = rotated ? d[3] : d[2], out = rotated ? d[2] : d[3];
    return (Packing){ .kind = &packing_kind_blocks,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = rotated,
                      .stride = rotated ? stride : 1,
                      .count = (size_t)d[0] * (size_t)d[1] * (size_t)in
                               * packing_round_up(out, lanes) };
}

/* The taps of a kernel in the order of packing_blocks; of a turned one backwards, with a stride
   those together that meet the same outputs. */
static int *taps_in_order(const Packing *packing, int kernel)
{
    int *order = ARENA_ARRAY(int, kernel *kernel), count = 0;
    for (int row = 0; row < kernel; row++) {
        if (!packing->rotated) {
            for (int tap = 0; tap < kernel; tap++)
                order[count++] = row * kernel + tap;
            continue;
        }
        for (int class = 0; class < packing->stride && class < kernel; class ++)
            for (int tap = class + (kernel - 1 - class) / packing->stride * packing->stride;
                 tap >= class; tap -= packing->stride)
                order[count++] = (kernel - 1 - row) * kernel + tap;
    }
    return order;
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const float *parameter = parameters[0];
    const int *d = packing->parameter->shape.dim;
    const int kernel = d[0], in = packing->rotated ? d[3] : d[2],
              out = packing->rotated ? d[2] : d[3];
    const int room = (int)packing_round_up(out, packing->lanes),
              *order = taps_in_order(packing, kernel);
    for (int block = 0; block < room; block += packing->block)
        for (int k = 0; k < kernel * kernel; k++)
            for (int i = 0; i < in; i++)
                for (int o = block; o < packing_smaller(block + packing->block, room); o++) {
                    size_t at = (size_t)order[k] * (size_t)(in * out)
                                + (size_t)(packing->rotated ? o * in + i : i * out + o);
                    *values++ = o < out ? parameter[at] : 0;
                }
}

const PackingKind packing_kind_blocks = {
    .name = "blocks",
    .suffix = "",
    .parameters = { "parameter" },
    .text = "packing_blocks.c.in",
    .comment = "in blocks of",
    .unit = "channels",
    .values = compute,
};
