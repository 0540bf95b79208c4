#include "../packing.h"
#include "points.h"

#include <string.h>

Packing packing_line(const Node *parameter, int block, int lanes, bool rotated)
{
    const int *d = parameter->shape.dim;
    int in = rotated ? d[3] : d[2], out = rotated ? d[2] : d[3];
    return (Packing){ .kind = &packing_kind_line,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = rotated,
                      .count = (size_t)(6 * d[0]) * (size_t)in * packing_round_up(out, lanes) };
}

/* Where the taps of a row begin for input i and output o; of a rotated kernel the last one is the
   first. */
static const float *taps_of(const Packing *packing, const float *parameter, int row, int i, int o)
{
    const int *d = packing->parameter->shape.dim;
    return packing->rotated ? parameter + (((d[0] - row) * 3 - 1) * d[2] + o) * d[3] + i
                            : parameter + (row * 3 * d[2] + i) * d[3] + o;
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const int *d = packing->parameter->shape.dim, in = packing->rotated ? d[3] : d[2],
              out = packing->rotated ? d[2] : d[3], rows = d[0],
              room = (int)packing_round_up(out, packing->lanes);
    const ptrdiff_t apart = (ptrdiff_t)(packing->rotated ? -1 : 1) * d[2] * d[3];
    memset(values, 0, packing->count * sizeof *values);
    for (int block = 0; block < room; block += packing->block) {
        const int width = packing_smaller(packing->block, room - block);
        for (int i = 0; i < rows * in; i++)
            for (int o = 0; o < packing_smaller(width, out - block); o++)
                winograd_line(taps_of(packing, parameters[0], i / in, i % in, block + o), apart,
                              values + i * width + o, (size_t)(rows * in * width));
        values += 6 * rows * in * width;
    }
}

const PackingKind packing_kind_line = {
    .name = "line",
    .suffix = "_line",
    .parameters = { "parameter" },
    .text = "packing_line.c.in",
    .comment = "transformed",
    .values = compute,
};
