#include "../packing.h"

#include <string.h>

Packing packing_plain(const Node *parameter, int lanes)
{
    return (Packing){ .kind = &packing_kind_plain,
                      .parameter = parameter,
                      .lanes = lanes,
                      .count = packing_round_up(shape_count(parameter->shape), lanes) };
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const float *parameter = parameters[0];
    size_t count = (size_t)shape_count(packing->parameter->shape);
    memcpy(values, parameter, count * sizeof *values);
    memset(values + count, 0, (packing->count - count) * sizeof *values);
}

const PackingKind packing_kind_plain = {
    .name = "plain",
    .suffix = "",
    .parameters = { "parameter" },
    .text = "packing_plain.c.in",
    .comment = "as it is",
    .values = compute,
};
