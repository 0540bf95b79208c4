#include "../packing.h"
#include "points.h"

#include <string.h>

Packing packing_line(const Node *parameter, int block, int lanes)
{
    const int *d = parameter->shape.dim;
    return (Packing){ .kind = &packing_kind_line,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .count = 18 * (size_t)d[2] * packing_round_up(d[3], lanes) };
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const float *parameter = parameters[0];
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3],
              room = (int)packing_round_up(out, packing->lanes);
    memset(values, 0, packing->count * sizeof *values);
    for (int block = 0; block < room; block += packing->block) {
        const int width = packing_smaller(packing->block, room - block);
        for (int i = 0; i < 3 * in; i++)
            for (int o = 0; o < packing_smaller(width, out - block); o++)
                winograd_line(parameter + (i / in * 3 * in + i % in) * out + block + o,
                              (size_t)(in * out), values + i * width + o, (size_t)(3 * in * width));
        values += 18 * in * width;
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
