#include "cae_kernels.h"

/* Row y of the input after the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 3584;
    row += 128;
    for (int i = 0; i < 3584; i++)
        row[i] = x[i];
}

/* Marks the pixels of row y of the input that are not 0 in every channel. */
static void mark_row(const float *x, int y, uint8_t *marks)
{
    x += y * 3584;
    for (int i = 0; i < 28; i++) {
        uint64_t any = 0;
        for (int c = 0; c < 128 && !any; c += 16) {
            uint64_t bits[8];
            __builtin_memcpy(bits, x + i * 128 + c, 64);
            any = (bits[0] | bits[1] | bits[2] | bits[3] | bits[4] | bits[5] | bits[6] | bits[7])
                & 0x7fffffff7fffffff;
        }
        marks[i + 1] = any != 0;
    }
}

/* Which outputs of four rows see nothing but zeros; marks: the six rows of the input that they see.
   */
static void find_zero_windows(const uint8_t *const marks[6], uint16_t *zero_windows)
{
    uint8_t seen[4][28];
    int all = 1;
    for (int i = 0; i < 4; i++) {
        uint8_t tall[30];
        for (int j = 0; j < 30; j++)
            tall[j] = marks[i][j] | marks[i + 1][j] | marks[i + 2][j];
        for (int j = 0; j < 28; j++)
            all &= seen[i][j] = tall[j] | tall[j + 1] | tall[j + 2];
    }
    if (all) {
        __builtin_memset(zero_windows, 0, 7 * sizeof *zero_windows);
        return;
    }
    for (int k = 0; k < 7; k++) {
        const int row = 0, column = k * 4;
        int bits = 0;
        for (int place = 0; place < 16; place++)
            bits |= !seen[row + place / 4][column + place % 4] << place;
        zero_windows[k] = (uint16_t)bits;
    }
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

/* One line of At m: four outputs. */
static inline void at(const vec *m0, const vec *m1, const vec *m2, const vec *m3, const vec *m4,
    const vec *m5, vec *y)
{
    const vec sum = *m1 + *m2, difference = *m1 - *m2;
    const vec far_sum = *m3 + *m4, far_difference = *m3 - *m4;
    y[0] = *m0 + sum + far_sum;
    y[1] = 0.625f * difference + 1.5f * far_difference;
    y[2] = 0.390625f * sum + 2.25f * far_sum;
    y[3] = 0.244140625f * difference + 3.375f * far_difference + *m5;
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

/* 6 rows of 16 columns; brings a part of the next block of weights nearer, a line a step. */
static inline void multiply_6x2(const float *in, const float *w, const float *ahead, float *out)
{
    vec a0 = {0}, b0 = {0};
    vec a1 = {0}, b1 = {0};
    vec a2 = {0}, b2 = {0};
    vec a3 = {0}, b3 = {0};
    vec a4 = {0}, b4 = {0};
    vec a5 = {0}, b5 = {0};
    for (int k = 0; k < 128; k++) {
        float v;
        const vec w0 = load(w + k * 16),
                  w1 = load(w + k * 16 + 8);
        __builtin_prefetch(ahead + k * 16);
        v = in[k]; a0 += v * w0; b0 += v * w1;
        v = in[k + 128]; a1 += v * w0; b1 += v * w1;
        v = in[k + 256]; a2 += v * w0; b2 += v * w1;
        v = in[k + 384]; a3 += v * w0; b3 += v * w1;
        v = in[k + 512]; a4 += v * w0; b4 += v * w1;
        v = in[k + 640]; a5 += v * w0; b5 += v * w1;
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
static void multiply(const float *in, const float *w, float *out, int tiles)
{
    for (int n = 0; n < 128; n += 16, w += 2048)
        for (int t = 0; t < tiles; t += 6)
            multiply_6x2(in + t * 128, w, w + 2048 + t / 6 * 2048, out + t * 128 + n);
}

/* At m A of a row of tiles, bias, activation: rows `row` on of y. */
static void transform_output(const float *m, const float *b, float *y, const uint16_t *zero_windows,
    int row)
{
    y += row * 3584;
    for (int tile = 0; tile < 7; tile++)
        for (int c = 0; c < 128; c += 8) {
            const float *in = m + tile * 128 + c;
            vec t[4][6], z[4][4];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) {
                vec d[6], column[4];
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++)
                    d[i] = load(in + (i * 6 + j) * 7056);
                at(&d[0], &d[1], &d[2], &d[3], &d[4], &d[5], column);
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++)
                    t[i][j] = column[i];
            }
            const vec bias = load(b + c);
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                at(&t[i][0], &t[i][1], &t[i][2], &t[i][3], &t[i][4], &t[i][5], z[i]);
                if (zero_windows[tile] >> (i * 4) & 15)
#pragma GCC unroll 4
                    for (int j = 0; j < 4; j++)
                        if (zero_windows[tile] >> (i * 4 + j) & 1)
                            z[i][j] = (vec){0};
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++) {
                    const vec v = z[i][j] + bias;
                    z[i][j] = larger(v, (vec){0});
                }
            }
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++) {
                    const int to = (i * 28 + tile * 4 + j) * 128 + c;
                    store(y + to, z[i][j]);
                }
        }
}

/* decoder.conv1: 28x28x128 -> 28x28x128, conv2d 3x3 + bias_add + relu (cae.lua:19) */
void decoder_conv1_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last)
{
    float *ring = scratch, *v = ring + 119536, *m = v + 254016;
    const float *window[30];
    uint8_t *ring_marks = (uint8_t *)(m + 268416);
    const uint8_t *marks[30];
    uint16_t zero_windows[7];
    __builtin_memset(ring_marks, 0, 1984);
    int next = 0;
    __builtin_memset(ring, 0, 119536 * sizeof *ring);
    for (int strip = first; strip < last; strip += 7) {
        const int rows = last - strip < 7 ? last - strip : 7;
        const int top = strip * 4 - 1;
        for (int i = 0; i < 4 * rows + 2; i++) {
            const int row = top + i, inside = row >= 0 && row < 28;
            const int slot = inside ? row % 30 : 30;
            if (inside && row >= next) {
                read_x(x, row, ring + slot * 3856);
                mark_row(x, row, ring_marks + slot * 64);
                next = row + 1;
            }
            window[i] = ring + slot * 3856;
            marks[i] = ring_marks + slot * 64;
        }
        for (int r = 0; r < rows; r++)
            transform_input(window + 4 * r, v + r * 896);
        for (int p = 0; p < 36; p++)
            multiply(v + p * 7056, w + p * 16384, m + p * 7056, rows * 7);
        for (int r = 0; r < rows; r++) {
            find_zero_windows(marks + 4 * r, zero_windows);
            transform_output(m + r * 896, b, y, zero_windows, (strip + r) * 4);
        }
    }
}
