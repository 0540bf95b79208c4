#include "cae_kernels.h"

/* Row y of the input after the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 896;
    row += 16;
    for (int i = 0; i < 896; i++)
        row[i] = x[i];
}

/* Marks the pixels of row y of the input that are not 0 in every channel. */
static void mark_row(const float *x, int y, uint8_t *marks)
{
    x += y * 896;
    for (int i = 0; i < 56; i++) {
        uint64_t any = 0;
        for (int c = 0; c < 16 && !any; c += 16) {
            uint64_t bits[8];
            __builtin_memcpy(bits, x + i * 16 + c, 64);
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
    uint8_t seen[5][57];
    int all = 1;
    for (int i = 0; i < 5; i++) {
        uint8_t tall[58];
        for (int j = 0; j < 58; j++)
            tall[j] = marks[i][j] | marks[i + 1][j];
        for (int j = 0; j < 57; j++)
            all &= seen[i][j] = tall[j] | tall[j + 1];
    }
    if (all) {
        __builtin_memset(zero_windows, 0, 56 * sizeof *zero_windows);
        return;
    }
    for (int k = 0; k < 56; k++) {
        const int row = k % 4 / 2, column = k / 4 * 4 + k % 2;
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
                    store(out + (i * 6 + j) * 560, d[i][j]);
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

/* The product at one of the 36 points; the last rows of registers may run over into rows that
   nobody reads. */
static void multiply(const float *in, const float *w, float *out, int tiles)
{
    for (int t = 0; t < tiles; t += 6)
        multiply_6x2(in + t * 16, w, w + 256 + t / 6 * 256, out + t * 16);
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
                    d[i] = load(in + (i * 6 + j) * 560);
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

/* Puts exactly 0 where an output saw nothing but zeros. */
static void clear_zero_windows(const uint16_t *zero_windows, float *lines)
{
    for (int k = 0; k < 56; k++)
        for (int place = 0; place < 16; place++)
            if (zero_windows[k] >> place & 1)
                for (int c = 0; c < 3; c++)
                    lines[place / 4 * 688 + (k / 4 * 4 + place % 4) * 12 + k % 4 * 3 + c] = 0;
}

/* decoder.conv3: 56x56x16 -> 112x112x3, conv2d 3x3 on 2x upsampled + bias_add + relu (cae.lua:23)
   */
void decoder_conv3_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last)
{
    float *ring = scratch, *v = ring + 10384, *m = v + 20160, *lines = m + 20160;
    const float *window[10];
    uint8_t *ring_marks = (uint8_t *)(m + 22912);
    const uint8_t *marks[10];
    uint16_t zero_windows[56];
    __builtin_memset(ring_marks, 0, 704);
    int next = 0;
    __builtin_memset(ring, 0, 10384 * sizeof *ring);
    for (int strip = first; strip < last; strip += 2) {
        const int rows = last - strip < 2 ? last - strip : 2;
        const int top = strip * 4 - 1;
        for (int i = 0; i < 4 * rows + 2; i++) {
            const int row = top + i, inside = row >= 0 && row < 56;
            const int slot = inside ? row % 10 : 10;
            if (inside && row >= next) {
                read_x(x, row, ring + slot * 944);
                mark_row(x, row, ring_marks + slot * 64);
                next = row + 1;
            }
            window[i] = ring + slot * 944;
            marks[i] = ring_marks + slot * 64;
        }
        for (int r = 0; r < rows; r++)
            transform_input(window + 4 * r, v + r * 224);
        for (int p = 0; p < 36; p++)
            multiply(v + p * 560, w + p * 256, m + p * 560, rows * 14);
        for (int r = 0; r < rows; r++) {
            transform_output(m + r * 224, lines);
            find_zero_windows(marks + 4 * r, zero_windows);
            clear_zero_windows(zero_windows, lines);
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
