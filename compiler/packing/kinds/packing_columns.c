#include "../packing.h"
#include "points.h"

Packing packing_columns(const Node *parameter, int block, int lanes)
{
    const int *d = parameter->shape.dim;
    return (Packing){ .kind = &packing_kind_columns,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .count = 6 * (size_t)d[1] * (size_t)d[2] * (size_t)d[3] };
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const float *parameter = parameters[0];
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3];
    for (int block = 0; block < out; block += packing->block)
        for (int j = 0; j < 3 * in; j++, values += 6 * packing->block)
            for (int o = 0; o < packing->block; o++)
                winograd_line(parameter + j * out + block + o, 3 * in * out, values + o,
                              (size_t)packing->block);
}

const PackingKind packing_kind_columns = {
    .name = "columns",
    .suffix = "_columns",
    .parameters = { "parameter" },
    .text = "packing_columns.c.in",
    .comment = "transformed",
    .values = compute,
};
