#include "../packing.h"

#include <math.h>

/* In the order of the text: [count of the kernel], and a number a channel. */
static void compute_kernel(const Packing *packing, const float *const *parameters, float *values)
{
    const Node *made = packing->made;
    const double eps = node_real(made, "eps");
    const int last = node_number(made, "last"), shared = node_number(made, "shared"),
              filters = node_number(made, "filters"), channels = packing->folded[0]->shape.dim[0];
    const size_t count = (size_t)shape_count(made->shape);
    float *factor = values + count;
    for (int c = 0; c < channels; c++)
        factor[c] = (float)(parameters[1][c] / sqrt((double)parameters[2][c] + eps));
    for (size_t i = 0; i < count; i++)
        values[i] = parameters[0][i]
                    * factor[i % (size_t)last / (size_t)shared * (size_t)filters
                             + i / (size_t)last % (size_t)filters];
}

const PackingKind packing_kind_by_channel = {
    .name = "by_channel",
    .suffix = "",
    .parameters = { "kernel", "gamma", "variance" },
    .text = "packing_by_channel.c.in",
    .comment = "scaled by channel",
    .values = compute_kernel,
};

/* In the order of the text. bias NULL: 0. */
static void scale(const Packing *packing, const float *bias, const float *const *p, float *values)
{
    const float *beta = p[0], *gamma = p[1], *mean = p[2], *variance = p[3];
    const double eps = node_real(packing->made, "eps");
    for (int c = 0; c < packing->made->shape.dim[0]; c++) {
        const double factor = gamma[c] / sqrt((double)variance[c] + eps);
        values[c] = (float)(((bias ? (double)bias[c] : 0) - (double)mean[c]) * factor
                            + (double)beta[c]);
    }
}

static void compute_bias(const Packing *packing, const float *const *parameters, float *values)
{
    scale(packing, parameters[0], parameters + 1, values);
}

static void compute_offset(const Packing *packing, const float *const *parameters, float *values)
{
    scale(packing, NULL, parameters, values);
}

const PackingKind packing_kind_bias_by_channel = {
    .name = "bias_by_channel",
    .suffix = "",
    .parameters = { "bias", "beta", "gamma", "mean", "variance" },
    .text = "packing_by_channel.c.in",
    .comment = "scaled by channel",
    .values = compute_bias,
};

const PackingKind packing_kind_offset_by_channel = {
    .name = "offset_by_channel",
    .suffix = "",
    .parameters = { "beta", "gamma", "mean", "variance" },
    .text = "packing_by_channel.c.in",
    .comment = "and what is added after scaling by channel",
    .values = compute_offset,
};
