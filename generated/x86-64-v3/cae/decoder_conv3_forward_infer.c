#include "cae_kernels.h"

/* Row y of the input behind the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 896;
    row += 16;
    for (int i = 0; i < 896; i++)
        row[i] = x[i];
}

/* One line of Bt d, in place. */
static inline void bt(vec *d0, vec *d1, vec *d2, vec *d3, vec *d4, vec *d5)
{
    const vec even = *d4 - 4 * *d2, odd = *d3 - 4 * *d1, far = 2 * (*d3 - *d1), near = *d4 - *d2;
    const vec first = 4 * *d0 - 5 * *d2 + *d4, last = 4 * *d1 - 5 * *d3 + *d5;
    *d0 = first;
    *d1 = even + odd;
    *d2 = even - odd;
    *d3 = near + far;
    *d4 = near - far;
    *d5 = last;
}

/* One line of At m: four outputs. */
static inline void at(const vec *m0, const vec *m1, const vec *m2, const vec *m3, const vec *m4,
    const vec *m5, vec *y)
{
    const vec sum = *m1 + *m2, difference = *m1 - *m2, far_sum = *m3 + *m4, far_difference = *m3
        - *m4;
    y[0] = *m0 + sum + far_sum;
    y[1] = difference + 2 * far_difference;
    y[2] = sum + 4 * far_sum;
    y[3] = difference + 8 * far_difference + *m5;
}

/* Bt d B of a row of tiles: x are its six rows of the input, zeros around; v the 36 matrices, from
   the row's first tile on. */
static void transform_input(const float *const x[6], float *v)
{
    for (int tile = 0; tile < 14; tile++)
        for (int c = 0; c < 16; c += 8) {
            vec d[6][6];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i][j] = load(x[i] + (tile * 4 + j) * 16 + c);
                bt(&d[0][j], &d[1][j], &d[2][j], &d[3][j], &d[4][j], &d[5][j]);
            }
            float *out = v + tile * 16 + c;
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                bt(&d[i][0], &d[i][1], &d[i][2], &d[i][3], &d[i][4], &d[i][5]);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++)
                    store(out + (i * 6 + j) * 544, d[i][j]);
            }
        }
}

/* 6 rows of 16 columns; brings a part of the next block of weights nearer, a line a step. */
static inline void multiply_6x2(const float *in, const float *w, const float *ahead, float *out)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
    vec a3 = {0}, b3 = {0};
    vec a4 = {0}, b4 = {0};
    vec a5 = {0}, b5 = {0};
    for (int k = 0; k < 16; k++) {
        float v;
        const vec w0 = load(w + k * 16),
                  w1 = load(w + k * 16 + 8);
        __builtin_prefetch(ahead + k * 16);
        v = in[k]; a0 += v * w0; b0 += v * w1;
        v = in[k + 16]; a1 += v * w0; b1 += v * w1;
        v = in[k + 32]; a2 += v * w0; b2 += v * w1;
        v = in[k + 48]; a3 += v * w0; b3 += v * w1;
        v = in[k + 64]; a4 += v * w0; b4 += v * w1;
        v = in[k + 80]; a5 += v * w0; b5 += v * w1;
    }
    store(out, a0);
    store(out + 8, b0);
    store(out + 16, a1);
    store(out + 24, b1);
    store(out + 32, a2);
    store(out + 40, b2);
    store(out + 48, a3);
    store(out + 56, b3);
    store(out + 64, a4);
    store(out + 72, b4);
    store(out + 80, a5);
    store(out + 88, b5);
}

/* All 36 products of a strip; the last rows of registers may run over into rows that nobody reads.
   */
static void multiply(const float *in, const float *w, float *out, int tiles)
{
    for (int p = 0; p < 36; p++, in += 544, out += 544) {
        for (int t = 0; t < tiles; t += 6)
            multiply_6x2(in + t * 16, w, w + 256 + t / 6 * 256, out + t * 16);
        w += 256;
    }
}

/* At m A of a row of tiles: four rows of outputs. */
static void transform_output(const float *m, float *lines)
{
    for (int tile = 0; tile < 14; tile++)
        for (int c = 0; c < 16; c += 8) {
            const float *in = m + tile * 16 + c;
            vec y[4][6], z[4];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
                vec d[6];
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i] = load(in + (i * 6 + j) * 544);
                at(&d[0], &d[1], &d[2], &d[3], &d[4], &d[5], z);
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++)
                    y[i][j] = z[i];
            }
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                at(&y[i][0], &y[i][1], &y[i][2], &y[i][3], &y[i][4], &y[i][5], z);
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++)
                    store_part(lines + i * 688 + (tile * 4 + j) * 12 + c, z[j],
                               c < 8 ? 8 : 4);
            }
        }
}

/* decoder.conv3: 56x56x16 -> 112x112x3, conv2d 3x3 on 2x upsampled + bias_add + relu (cae.lua:20)
   */
void decoder_conv3_forward_infer(const float *restrict x, const float *restrict w,
                                 const float *restrict b, float *restrict y,
                                 float *restrict scratch, int first, int last)
{
    float *ring = scratch, *v = ring + 10384, *m = v + 19584, *lines = m + 19584;
    const float *window[10];
    int next = 0;
    __builtin_memset(ring, 0, 10384 * sizeof *ring);
    for (int strip = first; strip < last; strip += 2) {
        const int rows = last - strip < 2 ? last - strip : 2;
        const int top = strip * 4 - 1;
        for (int i = 0; i < 4 * rows + 2; i++) {
            const int row = top + i;
            if (row < 0 || row >= 56) {
                window[i] = ring + 9440;
                continue;
            }
            float *slot = ring + row % 10 * 944;
            if (row >= next) {
                read_x(x, row, slot);
                next = row + 1;
            }
            window[i] = slot;
        }
        for (int r = 0; r < rows; r++)
            transform_input(window + 4 * r, v + r * 224);
        multiply(v, w, m, rows * 14);
        for (int r = 0; r < rows; r++) {
            transform_output(m + r * 224, lines);
            const int done = (strip + r) * 4;
            for (int i = 0; i < 4; i++) {
                float *line = lines + i * 688;
                for (int half = 0; half < 2; half++) {
                    float *out = y + ((done + i) * 2 + half) * 336;
                    for (int p = 0; p < 56; p++)
                        for (int o = 0; o < 6; o++) {
                            const float value = line[p * 12 + half * 6 + o] + b[o % 3];
                            out[p * 6 + o] = value > 0 ? value : 0;
                        }
                }
            }
        }
    }
}
