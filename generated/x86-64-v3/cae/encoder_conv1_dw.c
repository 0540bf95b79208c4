#include "cae_kernels.h"

/* Row y of the input after the zeros at the left. */
static void read_x(const uint8_t *x, int y, float *row)
{
    x += y * 672;
    row += 3;
    for (int i = 0; i < 672; i++)
        row[i] = x[i] / 255.0f;
}

/* One line of Bt d, in place. */
static inline void bt(vec *d0, vec *d1, vec *d2, vec *d3, vec *d4, vec *d5)
{
    const vec even = *d4 - 2.25f * *d2, odd = *d3 - 2.25f * *d1;
    const vec far_even = *d4 - 0.390625f * *d2, far_odd = *d3 - 0.390625f * *d1;
    const vec first = 0.87890625f * *d0 - 2.640625f * *d2 + *d4;
    const vec last = 0.87890625f * *d1 - 2.640625f * *d3 + *d5;
    *d0 = first;
    *d1 = even + 0.625f * odd;
    *d2 = even - 0.625f * odd;
    *d3 = far_even + 1.5f * far_odd;
    *d4 = far_even - 1.5f * far_odd;
    *d5 = last;
}

/* Bt d B of a row of tiles: x are its six rows of the input, zeros around; v the 36 matrices, from
   the row's first tile on. */
static void transform_input(const float *const x[6], float *v)
{
    for (int tile = 0; tile < 56; tile++)
        for (int c = 0; c < 8; c += 8) {
            vec d[6][6];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i][j] = load(x[i] + (tile * 4 + j) * 3 + c);
                bt(&d[0][j], &d[1][j], &d[2][j], &d[3][j], &d[4][j], &d[5][j]);
            }
            float *out = v + tile * 8 + c;
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                bt(&d[i][0], &d[i][1], &d[i][2], &d[i][3], &d[i][4], &d[i][5]);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++)
                    store(out + (i * 6 + j) * 560, d[i][j]);
            }
        }
}

/* One line of A y: four values to six points. */
static inline void a(const vec *y0, const vec *y1, const vec *y2, const vec *y3, vec *d)
{
    const vec even = *y0 + 0.390625f * *y2, odd = *y1 + 0.390625f * *y3;
    const vec far_even = *y0 + 2.25f * *y2, far_odd = *y1 + 2.25f * *y3;
    d[0] = *y0;
    d[1] = even + 0.625f * odd;
    d[2] = even - 0.625f * odd;
    d[3] = far_even + 1.5f * far_odd;
    d[4] = far_even - 1.5f * far_odd;
    d[5] = *y3;
}

/* A dY At of a row of tiles to the 36 matrices d; dY comes from rows `row` on of what arrives, each
   value at the place that won its window. */
static void transform_gradient(const float *dy, const float *value, const int32_t *codes, float *db,
    int row, float *d)
{
    const int start = row * 3584;
    for (int tile = 0; tile < 56; tile++)
        for (int c = 0; c < 32; c += 8) {
            vec y[4][4], t[6][4], z[6];
            const mask codes_of_tile = load_codes(codes + (row / 2 * 14 + tile * 2 / 8) * 32
                + c) >> (row % 2 * 16 + tile * 2 % 8 * 2);
            vec sum = {0};
#pragma GCC unroll 2
            for (int i = 0; i < 2; i++)
#pragma GCC unroll 2
                for (int j = 0; j < 2; j++) {
                    const int from = start + (i * 112 + tile * 2 + j) * 32 + c;
                    const vec v = pick(above(load(value + from), (vec){0}), load(dy + from),
                        (vec){0});
                    sum += v;
                    const mask code = codes_of_tile >> (i * 16 + j * 2) & 3;
                    y[i * 2][j * 2] = at_place(v, code, 0);
                    y[i * 2][j * 2 + 1] = at_place(v, code, 1);
                    y[i * 2 + 1][j * 2] = at_place(v, code, 2);
                    y[i * 2 + 1][j * 2 + 1] = at_place(v, code, 3);
                }
            add(db + c, sum);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                a(&y[0][j], &y[1][j], &y[2][j], &y[3][j], z);
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    t[i][j] = z[i];
            }
            float *out = d + tile * 32 + c;
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                a(&t[i][0], &t[i][1], &t[i][2], &t[i][3], z);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++)
                    store(out + (i * 6 + j) * 2192, z[j]);
            }
        }
}

/* Adds to sum, for 3 inputs and 16 outputs, v d over the tiles. */
static inline void sum_3x2(const float *v, const float *d, float *sum, int tiles)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
#pragma GCC unroll 6
    for (int i = 0; i < 48; i += 8)
        __builtin_prefetch(sum + i, 1);
    for (int t = 0; t < tiles; t++) {
        float x;
        const vec g0 = load(d + t * 32),
                  g1 = load(d + t * 32 + 8);
        x = v[t * 8]; a0 += x * g0; b0 += x * g1;
        x = v[t * 8 + 1]; a1 += x * g0; b1 += x * g1;
        x = v[t * 8 + 2]; a2 += x * g0; b2 += x * g1;
    }
    add(sum, a0);
    add(sum + 8, b0);
    add(sum + 16, a1);
    add(sum + 24, b1);
    add(sum + 32, a2);
    add(sum + 40, b2);
}

/* sum[block][input][output in block] += v d, the product at one of the 36 points. */
static void sum_weights(const float *v, const float *d, float *sum, int tiles)
{
    for (int n = 0; n < 32; n += 16) {
        for (int i = 0; i < 3; i += 3, sum += 48)
            sum_3x2(v + i, d + n, sum, tiles);
    }
}

/* encoder.conv1.dw: 224x224x3 and 224x224x32 -> 3x3x3x32, relu_dx + max_pool2d_dx + conv2d_dw 3x3 +
   bias_add_db (cae.lua:10) */
void encoder_conv1_dw(const uint8_t *restrict x, const float *restrict dy,
                      const float *restrict value, const int32_t *restrict codes,
                      float *restrict sum, float *restrict db, float *restrict scratch)
{
    float *v = scratch, *d = v + 20160;
    float *ring = scratch + 127808;
    const float *window[6];
    int next = 0;
    __builtin_memset(ring, 0, 4816 * sizeof *ring);
    for (int strip = 0; strip < 56; strip++) {
        const int top = strip * 4 - 1;
        for (int i = 0; i < 6; i++) {
            const int row = top + i, inside = row >= 0 && row < 224;
            const int slot = inside ? row % 6 : 6;
            if (inside && row >= next) {
                read_x(x, row, ring + slot * 688);
                next = row + 1;
            }
            window[i] = ring + slot * 688;
        }
        transform_input(window, v);
        transform_gradient(dy, value, codes, db, strip * 2, d);
        for (int p = 0; p < 36; p++) {
            float *vp = v + p * 560, *dp = d + p * 2192;
            sum_weights(vp, dp, sum + p * 96, 56);
        }
    }
}

/* One line of Gt u: six points to three taps. */
static inline void gt(const vec *u, vec *g)
{
    const vec sum = -0.688403361f * (u[1] + u[2]), difference = -0.688403361f * (u[1] - u[2]);
    const vec far_sum = 0.119514472f * (u[3] + u[4]), far_difference = 0.119514472f * (u[3] - u[4]);
    g[0] = u[0] * 1.13777778f + sum + far_sum;
    g[1] = 0.625f * difference + 1.5f * far_difference;
    g[2] = 0.390625f * sum + 2.25f * far_sum + u[5];
}

/* The end of a chunk: adds the sum over its images to the gradient of encoder.conv1. */
void encoder_conv1_dw_flush(const float *restrict sum, float *restrict dw)
{
    for (int i = 0; i < 3; i++)
        for (int o = 0; o < 32; o += 8) {
            const int block = o / 16 * 16;
            const int width = 16;
            const float *from = sum + block * 3 + i * width + o - block;
            vec t[3][6], u[6], g[3], k[3][3];
            for (int q = 0; q < 6; q++) {
                for (int p = 0; p < 6; p++)
                    u[p] = load(from + (p * 6 + q) * 96);
                gt(u, g);
                for (int r = 0; r < 3; r++)
                    t[r][q] = g[r];
            }
            for (int r = 0; r < 3; r++)
                gt(t[r], k[r]);
            float *to = dw + i * 32 + o;
            add(to, k[0][0]);
            add(to + 96, k[0][1]);
            add(to + 192, k[0][2]);
            add(to + 288, k[1][0]);
            add(to + 384, k[1][1]);
            add(to + 480, k[1][2]);
            add(to + 576, k[2][0]);
            add(to + 672, k[2][1]);
            add(to + 768, k[2][2]);
        }
}
