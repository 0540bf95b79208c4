#include "cae_kernels.h"

/* Row y of the input after the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 3584;
    row += 128;
    for (int i = 0; i < 3584; i++)
        row[i] = x[i];
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
    for (int tile = 0; tile < 7; tile++)
        for (int c = 0; c < 128; c += 8) {
            vec d[6][6];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i][j] = load(x[i] + (tile * 4 + j) * 128 + c);
                bt(&d[0][j], &d[1][j], &d[2][j], &d[3][j], &d[4][j], &d[5][j]);
            }
            float *out = v + tile * 128 + c;
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                bt(&d[i][0], &d[i][1], &d[i][2], &d[i][3], &d[i][4], &d[i][5]);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++)
                    store(out + (i * 6 + j) * 7056, d[i][j]);
            }
        }
}

/* Row y of the gradient at the convolution's output. */
static void read_dy(const float *dy, const float *value, int y, float *row)
{
    const int start = y * 896;
    dy += start;
    value += start;
    for (int i = 0; i < 896; i++) {
        const float d = dy[i];
        row[i] = value[i] > 0 ? d : 0;
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

/* A dY At of a row of tiles: four rows of gradients to the 36 matrices d. */
static void transform_gradient(const float *lines, float *d)
{
    for (int tile = 0; tile < 7; tile++)
        for (int c = 0; c < 64; c += 8) {
            vec t[6][4], z[6];
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                vec y[4];
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++)
                    y[i] = load(lines + i * 1808 + (tile * 4 + j) * 64 + c);
                a(&y[0], &y[1], &y[2], &y[3], z);
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    t[i][j] = z[i];
            }
            float *out = d + tile * 64 + c;
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                a(&t[i][0], &t[i][1], &t[i][2], &t[i][3], z);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++)
                    store(out + (i * 6 + j) * 3536, z[j]);
            }
        }
}

/* Which of the 64 channels of all phases have weights at point p: `run` from `from` on, again from
   `from` + `step`, and so on up to
   `to`. Row 0 of the points has none in the lower two phases,
       row 5 none in the upper two; columns alike. */
static inline void phases_at(int p, int *from, int *run, int *step, int *to)
{
    const int row = p / 6, column = p % 6;
    const int first_row = row == 5, last_row = row != 0;
    const int first_column = column == 5, last_column = column != 0;
    *from = (2 * first_row + first_column) * 16;
    *to = (2 * last_row + last_column + 1) * 16;
    *run = first_column == last_column ? 16 : first_row == last_row ? 32 : 64;
    *step = first_column == last_column ? 32 : 64;
}

/* Adds to sum, for 6 inputs and 16 outputs, v d over the tiles. */
static inline void sum_6x2(const float *v, const float *d, float *sum, int tiles)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
    vec a3 = {0}, b3 = {0};
    vec a4 = {0}, b4 = {0};
    vec a5 = {0}, b5 = {0};
#pragma GCC unroll 12
    for (int i = 0; i < 96; i += 8)
        __builtin_prefetch(sum + i, 1);
    for (int t = 0; t < tiles; t++) {
        float x;
        const vec g0 = load(d + t * 64),
                  g1 = load(d + t * 64 + 8);
        x = v[t * 128]; a0 += x * g0; b0 += x * g1;
        x = v[t * 128 + 1]; a1 += x * g0; b1 += x * g1;
        x = v[t * 128 + 2]; a2 += x * g0; b2 += x * g1;
        x = v[t * 128 + 3]; a3 += x * g0; b3 += x * g1;
        x = v[t * 128 + 4]; a4 += x * g0; b4 += x * g1;
        x = v[t * 128 + 5]; a5 += x * g0; b5 += x * g1;
    }
    add(sum, a0);
    add(sum + 8, b0);
    add(sum + 16, a1);
    add(sum + 24, b1);
    add(sum + 32, a2);
    add(sum + 40, b2);
    add(sum + 48, a3);
    add(sum + 56, b3);
    add(sum + 64, a4);
    add(sum + 72, b4);
    add(sum + 80, a5);
    add(sum + 88, b5);
}

/* Adds to sum, for 5 inputs and 16 outputs, v d over the tiles. */
static inline void sum_5x2(const float *v, const float *d, float *sum, int tiles)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
    vec a3 = {0}, b3 = {0};
    vec a4 = {0}, b4 = {0};
#pragma GCC unroll 10
    for (int i = 0; i < 80; i += 8)
        __builtin_prefetch(sum + i, 1);
    for (int t = 0; t < tiles; t++) {
        float x;
        const vec g0 = load(d + t * 64),
                  g1 = load(d + t * 64 + 8);
        x = v[t * 128]; a0 += x * g0; b0 += x * g1;
        x = v[t * 128 + 1]; a1 += x * g0; b1 += x * g1;
        x = v[t * 128 + 2]; a2 += x * g0; b2 += x * g1;
        x = v[t * 128 + 3]; a3 += x * g0; b3 += x * g1;
        x = v[t * 128 + 4]; a4 += x * g0; b4 += x * g1;
    }
    add(sum, a0);
    add(sum + 8, b0);
    add(sum + 16, a1);
    add(sum + 24, b1);
    add(sum + 32, a2);
    add(sum + 40, b2);
    add(sum + 48, a3);
    add(sum + 56, b3);
    add(sum + 64, a4);
    add(sum + 72, b4);
}

/* sum[block][input][output in block] += v d, the product at one of the 36 points. */
static void sum_weights(const float *v, const float *d, float *sum, int tiles, int p)
{
    int from, run, step, to;
    phases_at(p, &from, &run, &step, &to);
    for (int n = 0; n < 64; n += 16) {
        if (n < from || n >= to || (n - from) % step >= run) {
            sum += 2048;
            continue;
        }
        for (int i = 0; i < 108; i += 6, sum += 96)
            sum_6x2(v + i, d + n, sum, tiles);
        for (int i = 108; i < 128; i += 5, sum += 80)
            sum_5x2(v + i, d + n, sum, tiles);
    }
}

/* 6 rows of 16 columns; brings a part of the next block of weights nearer, a line a step. */
static inline void multiply_6x2(const float *in, const float *w, const float *ahead, float *out,
    int from, int run, int step, int to)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
    vec a3 = {0}, b3 = {0};
    vec a4 = {0}, b4 = {0};
    vec a5 = {0}, b5 = {0};
    for (; from < to; from += step)
        for (int k = from; k < from + run; k++) {
            float v;
            const vec w0 = load(w + k * 16),
                      w1 = load(w + k * 16 + 8);
            __builtin_prefetch(ahead + k * 16);
            v = in[k]; a0 += v * w0; b0 += v * w1;
            v = in[k + 64]; a1 += v * w0; b1 += v * w1;
            v = in[k + 128]; a2 += v * w0; b2 += v * w1;
            v = in[k + 192]; a3 += v * w0; b3 += v * w1;
            v = in[k + 256]; a4 += v * w0; b4 += v * w1;
            v = in[k + 320]; a5 += v * w0; b5 += v * w1;
        }
    store(out, a0);
    store(out + 8, b0);
    store(out + 128, a1);
    store(out + 136, b1);
    store(out + 256, a2);
    store(out + 264, b2);
    store(out + 384, a3);
    store(out + 392, b3);
    store(out + 512, a4);
    store(out + 520, b4);
    store(out + 640, a5);
    store(out + 648, b5);
}

/* The product at one of the 36 points; the last rows of registers may run over into rows that
   nobody reads. */
static void multiply(const float *in, const float *w, float *out, int tiles, int p)
{
    int from, run, step, to;
    phases_at(p, &from, &run, &step, &to);
    for (int n = 0; n < 128; n += 16, w += 1024)
        for (int t = 0; t < tiles; t += 6)
            multiply_6x2(in + t * 64, w, w + 1024 + t / 6 * 1024, out + t * 128 + n, from, run,
                step, to);
}

/* One line of B d, in place. */
static inline void b(vec *d0, vec *d1, vec *d2, vec *d3, vec *d4, vec *d5)
{
    const vec sum = *d1 + *d2, difference = 0.625f * (*d1 - *d2);
    const vec far_sum = *d3 + *d4, far_difference = 1.5f * (*d3 - *d4);
    const vec first = 0.87890625f * *d0;
    const vec second = 0.87890625f * *d5 - 2.25f * difference - 0.390625f * far_difference;
    const vec third = -2.640625f * *d0 - 2.25f * sum - 0.390625f * far_sum;
    const vec fourth = difference + far_difference - 2.640625f * *d5;
    const vec fifth = *d0 + sum + far_sum;
    *d0 = first;
    *d1 = second;
    *d2 = third;
    *d3 = fourth;
    *d4 = fifth;
}

/* B v Bt of a row of tiles, added up where they overlap: edge holds six rows of 30 pixels, the
   first two with what the tiles above left. */
static void transform_dx(const float *v, float *edge)
{
    for (int c = 0; c < 128; c += 8) {
        vec left[6][2];
        __builtin_memset(left, 0, sizeof left);
        for (int tile = 0; tile < 7; tile++) {
            const float *in = v + tile * 128 + c;
            float *out = edge + tile * 512 + c;
            vec d[6][6];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i][j] = load(in + (i * 6 + j) * 7056);
                b(&d[0][j], &d[1][j], &d[2][j], &d[3][j], &d[4][j], &d[5][j]);
            }
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                b(&d[i][0], &d[i][1], &d[i][2], &d[i][3], &d[i][4], &d[i][5]);
                d[i][0] += left[i][0];
                d[i][1] += left[i][1];
                left[i][0] = d[i][4];
                left[i][1] = d[i][5];
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++)
                    if (i < 2)
                        add(out + i * 3840 + j * 128, d[i][j]);
                    else
                        store(out + i * 3840 + j * 128, d[i][j]);
            }
        }
        float *out = edge + 3584 + c;
#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
#pragma GCC unroll 2
            for (int j = 0; j < 2; j++)
                if (i < 2)
                    add(out + i * 3840 + j * 128, left[i][j]);
                else
                    store(out + i * 3840 + j * 128, left[i][j]);
    }
}

/* The finished rows of edge, from row `top` of the gradient on, to their places. */
static void write_rows(const float *edge, float *dx, int top, int count)
{
    for (int i = 0; i < count; i++) {
        const int row = top + i;
        if (row < 0 || row >= 28)
            continue;
        const float *from = edge + i * 3840 + 128;
        float *to = dx + row * 3584;
        for (int j = 0; j < 3584; j++)
            to[j] = from[j];
    }
}

/* decoder.conv2.dw: 28x28x128 and 56x56x16 -> 3x3x128x16, relu_dx + conv2d_dw 3x3 on 2x upsampled +
   bias_add_db + conv2d_dx (cae.lua:21) */
void decoder_conv2_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const float *restrict w,
                            float *restrict dx, float *restrict sum, float *restrict db,
                            float *restrict scratch)
{
    float *v = scratch, *d = v + 254016, *lines = d + 127296;
    float *edge = scratch + 431936;
    __builtin_memset(edge, 0, 23040 * sizeof *edge);
    float *wide = scratch + 454976;
    float *ring = scratch + 455872;
    const float *window[30];
    int next = 0;
    __builtin_memset(ring, 0, 119536 * sizeof *ring);
    __builtin_memset(lines, 0, 50624 * sizeof *lines);
    for (int strip = 0; strip < 7; strip += 7) {
        const int top = strip * 4 - 1;
        for (int i = 0; i < 30; i++) {
            const int row = top + i, inside = row >= 0 && row < 28;
            const int slot = inside ? row % 30 : 30;
            if (inside && row >= next) {
                read_x(x, row, ring + slot * 3856);
                next = row + 1;
            }
            window[i] = ring + slot * 3856;
        }
        for (int i = 0; i < 28; i++) {
            const int row = strip * 4 + i;
            float *line = lines + i * 1808;
            for (int half = 0; half < 2; half++) {
                read_dy(dy, value, row * 2 + half, wide);
                for (int p = 0; p < 28; p++)
                    for (int o = 0; o < 32; o++)
                        line[p * 64 + half * 32 + o] = wide[p * 32 + o];
            }
            for (int p = 0; p < 112; p++)
                for (int c = 0; c < 16; c++)
                    db[c] += line[p * 16 + c];
        }
        for (int r = 0; r < 7; r++) {
            transform_input(window + 4 * r, v + r * 896);
            transform_gradient(lines + r * 7232, d + r * 448);
        }
        for (int p = 0; p < 36; p++) {
            float *vp = v + p * 7056, *dp = d + p * 3536;
            sum_weights(vp, dp, sum + p * 8192, 49, p);
            multiply(dp, w + p * 8192, vp, 49, p);
        }
        for (int r = 0; r < 7; r++) {
            transform_dx(v + r * 896, edge);
            write_rows(edge, dx, (strip + r) * 4 - 1, 4);
            __builtin_memcpy(edge, edge + 15360, 7680 * sizeof *edge);
        }
    }
    write_rows(edge, dx, 27, 2);
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

/* The end of a chunk: adds the sum over its images to the gradient of decoder.conv2. */
void decoder_conv2_backward_flush(const float *restrict sum, float *restrict dw)
{
    for (int i = 0; i < 128; i++)
        for (int o = 0; o < 64; o += 8) {
            const int block = o / 16 * 16;
            const int width = 16;
            const float *from = sum + block * 128 + i * width + o - block;
            vec t[3][6], u[6], g[3], k[3][3];
            for (int q = 0; q < 6; q++) {
                for (int p = 0; p < 6; p++)
                    u[p] = load(from + (p * 6 + q) * 8192);
                gt(u, g);
                for (int r = 0; r < 3; r++)
                    t[r][q] = g[r];
            }
            for (int r = 0; r < 3; r++)
                gt(t[r], k[r]);
            float *to = dw + i * 16 + o % 16;
            switch (o / 16) {
            case 0:
                add(to, k[0][0]);
                add(to + 2048, k[0][1]);
                add(to + 4096, k[0][1]);
                add(to + 6144, k[1][0]);
                add(to + 8192, k[1][1]);
                add(to + 10240, k[1][1]);
                add(to + 12288, k[1][0]);
                add(to + 14336, k[1][1]);
                add(to + 16384, k[1][1]);
                break;
            case 1:
                add(to, k[0][1]);
                add(to + 2048, k[0][1]);
                add(to + 4096, k[0][2]);
                add(to + 6144, k[1][1]);
                add(to + 8192, k[1][1]);
                add(to + 10240, k[1][2]);
                add(to + 12288, k[1][1]);
                add(to + 14336, k[1][1]);
                add(to + 16384, k[1][2]);
                break;
            case 2:
                add(to, k[1][0]);
                add(to + 2048, k[1][1]);
                add(to + 4096, k[1][1]);
                add(to + 6144, k[1][0]);
                add(to + 8192, k[1][1]);
                add(to + 10240, k[1][1]);
                add(to + 12288, k[2][0]);
                add(to + 14336, k[2][1]);
                add(to + 16384, k[2][1]);
                break;
            case 3:
                add(to, k[1][1]);
                add(to + 2048, k[1][1]);
                add(to + 4096, k[1][2]);
                add(to + 6144, k[1][1]);
                add(to + 8192, k[1][1]);
                add(to + 10240, k[1][2]);
                add(to + 12288, k[2][1]);
                add(to + 14336, k[2][1]);
                add(to + 16384, k[2][2]);
                break;
            }
        }
}
