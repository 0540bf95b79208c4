/* The packings of weights computed here, one function a kind: each does what the text
   packing_<kind>.c.in does, in the same order. */
#include "packing.h"

#include "../base/arena.h"
#include "../base/diag.h"

#include <string.h>

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void plain(const Packing *packing, const float *parameter, float *values)
{
    size_t count = (size_t)shape_count(packing->parameter->shape);
    memcpy(values, parameter, count * sizeof *values);
    memset(values + count, 0, (packing->count - count) * sizeof *values);
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

static void blocks(const Packing *packing, const float *parameter, float *values)
{
    const int *d = packing->parameter->shape.dim;
    const int kernel = d[0], in = packing->rotated ? d[3] : d[2],
              out = packing->rotated ? d[2] : d[3];
    const int room = (out + packing->lanes - 1) / packing->lanes * packing->lanes,
              *order = taps_in_order(packing, kernel);
    for (int block = 0; block < room; block += packing->block)
        for (int k = 0; k < kernel * kernel; k++)
            for (int i = 0; i < in; i++)
                for (int o = block; o < smaller(block + packing->block, room); o++) {
                    size_t at = (size_t)order[k] * (size_t)(in * out)
                                + (size_t)(packing->rotated ? o * in + i : i * out + o);
                    *values++ = o < out ? parameter[at] : 0;
                }
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

static void folded(const Packing *packing, const float *parameter, float *values)
{
    const int *d = packing->parameter->shape.dim;
    const int kernel = d[0], in = d[2], out = d[3], up = packing->up,
              room = (out + packing->lanes - 1) / packing->lanes * packing->lanes;
    const FoldTaps rows = packing_fold_taps(kernel, packing->stride, up, packing->pad_top),
                   columns = packing_fold_taps(kernel, packing->stride, up, packing->pad_left);
    for (int r = 0; r < rows.phases; r++)
        for (int block = 0; block < room; block += packing->block)
            for (int tap = 0; tap < rows.most * columns.sum; tap++) {
                int left = tap % columns.sum, c = 0;
                for (; left >= columns.taps[c]; c++)
                    left -= columns.taps[c];
                for (int i = 0; i < in; i++)
                    for (int o = block; o < smaller(block + packing->block, room); o++)
                        *values++ = o < out ? sum_of_taps(parameter + i * out + o, kernel,
                                                          (size_t)(in * out), up,
                                                          tap / columns.sum * up - rows.rest[r],
                                                          left * up - columns.rest[c])
                                            : 0;
            }
}

/* Three taps to six points: 0, +-5/8, +-3/2 and infinity, as points.c.in has them. */
static void six_points(const double *g, double *u)
{
    const double point = 5.0 / 8, far = 3.0 / 2, p = point * point, f = far * far;
    const double even = g[0] + p * g[2], odd = point * g[1], far_even = g[0] + f * g[2],
                 far_odd = far * g[1];
    u[0] = g[0] / (p * f);
    u[1] = (even + odd) / (2 * p * (p - f));
    u[2] = (even - odd) / (2 * p * (p - f));
    u[3] = (far_even + far_odd) / (2 * f * (f - p));
    u[4] = (far_even - far_odd) / (2 * f * (f - p));
    u[5] = g[2];
}

/* Three taps that stand `apart` to six values that stand `distance`. */
static void transform_line(const float *tap, size_t apart, float *to, size_t distance)
{
    const double g[3] = { (double)tap[0], (double)tap[apart], (double)tap[2 * apart] };
    double u[6];
    six_points(g, u);
    for (int point = 0; point < 6; point++)
        to[(size_t)point * distance] = (float)u[point];
}

static void columns(const Packing *packing, const float *parameter, float *values)
{
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3];
    for (int block = 0; block < out; block += packing->block)
        for (int j = 0; j < 3 * in; j++, values += 6 * packing->block)
            for (int o = 0; o < packing->block; o++)
                transform_line(parameter + j * out + block + o, (size_t)(3 * in * out), values + o,
                               (size_t)packing->block);
}

static void line(const Packing *packing, const float *parameter, float *values)
{
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3],
              room = (out + packing->lanes - 1) / packing->lanes * packing->lanes;
    memset(values, 0, packing->count * sizeof *values);
    for (int block = 0; block < room; block += packing->block) {
        const int width = smaller(packing->block, room - block);
        for (int i = 0; i < 3 * in; i++)
            for (int o = 0; o < smaller(width, out - block); o++)
                transform_line(parameter + (i / in * 3 * in + i % in) * out + block + o,
                               (size_t)(in * out), values + i * width + o,
                               (size_t)(3 * in * width));
        values += 18 * in * width;
    }
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
        six_points(column, half[j]);
    }
    for (int p = 0; p < 6; p++) {
        for (int j = 0; j < 3; j++)
            column[j] = half[j][p];
        six_points(column, u);
        for (int q = 0; q < 6; q++)
            to[(size_t)(p * 6 + q) * distance] = (float)u[q];
    }
}

static void winograd(const Packing *packing, const float *parameter, float *values)
{
    const int *d = packing->parameter->shape.dim, in = d[2], out = d[3],
              wide = packing->up * packing->up * out;
    const int room = (wide + packing->lanes - 1) / packing->lanes * packing->lanes;
    if (packing->rotated)
        bug("packing %s for dX has no values", packing->kind);
    memset(values, 0, packing->count * sizeof *values);
    for (int block = 0; block < room; block += packing->block) {
        const int width = smaller(packing->block, room - block);
        for (int i = 0; i < in; i++)
            for (int o = block; o < smaller(block + width, wide); o++) {
                double g[3][3];
                winograd_taps(parameter + i * out + o % out, (size_t)(in * out), packing->up,
                              o / out, g);
                transform_kernel(
                    g, values + (size_t)block * (size_t)in + (size_t)(i * width + o - block),
                    (size_t)in * (size_t)room);
            }
    }
}

void packing_values(const Packing *packing, const float *parameter, float *values)
{
    static const struct {
        const char *kind;
        void (*compute)(const Packing *packing, const float *parameter, float *values);
    } kinds[] = { { "plain", plain },     { "blocks", blocks }, { "folded", folded },
                  { "columns", columns }, { "line", line },     { "winograd", winograd } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, packing->kind) == 0) {
            kinds[i].compute(packing, parameter, values);
            return;
        }
    bug("packing %s has no values", packing->kind);
}
