#include "../packing.h"
#include "points.h"

#include <string.h>

Packing packing_winograd(const Node *parameter, int block, int lanes, int up, bool transposed)
{
    const int *d = parameter->shape.dim;
    int in = d[2], out = up * up * d[3];
    return (Packing){ .kind = &packing_kind_winograd,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = transposed,
                      .up_h = up,
                      .up_w = up,
                      .count = 36
                               * (transposed ? (size_t)out * packing_round_up(in, lanes)
                                             : (size_t)in * packing_round_up(out, lanes)) };
}

/* The 3x3 taps that phase `phase` of an upsampled image has: tap[a][b] goes to its row and column
   there. Of an image that is not upsampled, the taps themselves. */
static void winograd_taps(const float *tap, size_t apart, int up, int phase, double g[3][3])
{
    static const int to[2][3] = { { 0, 1, 1 }, { 1, 1, 2 } };
    memset(g, 0, 9 * sizeof(double));
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            g[up == 1 ? a : to[phase / 2][a]][up == 1 ? b : to[phase % 2][b]] += (double)
                tap[(size_t)(a * 3 + b) * apart];
}

/* G g Gt to 36 values that stand `distance`. */
static void transform_kernel(double g[3][3], float *to, size_t distance)
{
    double half[3][6], column[3], u[6];
    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++)
            column[i] = g[i][j];
        winograd_points(column, half[j]);
    }
    for (int p = 0; p < 6; p++) {
        for (int j = 0; j < 3; j++)
            column[j] = half[j][p];
        winograd_points(column, u);
        for (int q = 0; q < 6; q++)
            to[(size_t)(p * 6 + q) * distance] = (float)u[q];
    }
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3],
              wide = packing->up_h * packing->up_w * out, columns = packing->rotated ? in : wide,
              depth = packing->rotated ? wide : in,
              room = (int)packing_round_up(columns, packing->lanes);
    memset(values, 0, packing->count * sizeof *values);
    for (int block = 0; block < room; block += packing->block) {
        const int width = packing_smaller(packing->block, room - block);
        for (int row = 0; row < depth; row++)
            for (int c = block; c < packing_smaller(block + width, columns); c++) {
                const int i = packing->rotated ? c : row, o = packing->rotated ? row : c;
                double g[3][3];
                winograd_taps(parameters[0] + i * out + o % out, (size_t)(in * out), packing->up_h,
                              o / out, g);
                transform_kernel(g, values + block * depth + row * width + c - block,
                                 (size_t)depth * (size_t)room);
            }
    }
}

const PackingKind packing_kind_winograd = {
    .name = "winograd",
    .suffix = "_winograd",
    .parameters = { "parameter" },
    .text = "packing_winograd.c.in",
    .comment = "transformed",
    .values = compute,
};
