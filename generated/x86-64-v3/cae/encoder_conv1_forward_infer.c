#include "cae_kernels.h"

/* Row y of the input after the zeros at the left. */
static void read_x(const uint8_t *x, int y, float *row)
{
    x += y * 672;
    row += 3;
    for (int i = 0; i < 672; i++)
        row[i] = x[i] / 255.0f;
}

/* Marks the pixels of row y of the input that are not 0 in every channel. */
static void mark_row(const uint8_t *x, int y, uint8_t *marks)
{
    x += y * 672;
    for (int i = 0; i < 224; i++) {
        int any = 0;
        for (int c = 0; c < 3; c++)
            any |= x[i * 3 + c] != 0;
        marks[i + 1] = (uint8_t)any;
    }
}

/* Which outputs of four rows see nothing but zeros; marks: the six rows of the input that they see.
   */
static void find_zero_windows(const uint8_t *const marks[6], uint16_t *zero_windows)
{
    uint8_t seen[4][224];
    int all = 1;
    for (int i = 0; i < 4; i++) {
        uint8_t tall[226];
        for (int j = 0; j < 226; j++)
            tall[j] = marks[i][j] | marks[i + 1][j] | marks[i + 2][j];
        for (int j = 0; j < 224; j++)
            all &= seen[i][j] = tall[j] | tall[j + 1] | tall[j + 2];
    }
    if (all) {
        __builtin_memset(zero_windows, 0, 112 * sizeof *zero_windows);
        return;
    }
    for (int k = 0; k < 112; k++) {
        const int row = 0, column = k * 2;
        int bits = 0;
        for (int place = 0; place < 8; place++)
            bits |= !seen[row + place / 2][column + place % 2] << place;
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

/* Bt d of six rows of the input, value by value. */
static void transform_rows(const float *const x[6], float *v)
{
    for (int i = 0; i < 688; i += 8) {
        vec d0 = load(x[0] + i), d1 = load(x[1] + i), d2 = load(x[2] + i), d3 = load(x[3] + i), d4
            = load(x[4] + i), d5 = load(x[5] + i);
        bt(&d0, &d1, &d2, &d3, &d4, &d5);
        store(v + i, d0);
        store(v + i + 688, d1);
        store(v + i + 1376, d2);
        store(v + i + 2064, d3);
        store(v + i + 2752, d4);
        store(v + i + 3440, d5);
    }
}

/* Two pixels, four rows and 8 channels of outputs; v: the first of the six transformed rows at the
   pixels. */
static inline void tile(const float *v, const float *w, vec z[4][2][1])
{
    vec m0a = {0}, m0b = {0};
    vec m1a = {0}, m1b = {0};
    vec m2a = {0}, m2b = {0};
    vec m3a = {0}, m3b = {0};
    vec m4a = {0}, m4b = {0};
    vec m5a = {0}, m5b = {0};
    for (int j = 0; j < 9; j++, v++, w += 48) {
        vec w0;
        float s;
        w0 = in_register(load(w));
        s = v[0]; m0a += s * w0;
        s = v[3]; m0b += s * w0;
        w0 = in_register(load(w + 8));
        s = v[688]; m1a += s * w0;
        s = v[691]; m1b += s * w0;
        w0 = in_register(load(w + 16));
        s = v[1376]; m2a += s * w0;
        s = v[1379]; m2b += s * w0;
        w0 = in_register(load(w + 24));
        s = v[2064]; m3a += s * w0;
        s = v[2067]; m3b += s * w0;
        w0 = in_register(load(w + 32));
        s = v[2752]; m4a += s * w0;
        s = v[2755]; m4b += s * w0;
        w0 = in_register(load(w + 40));
        s = v[3440]; m5a += s * w0;
        s = v[3443]; m5b += s * w0;
    }
    vec y[4];
    at(&m0a, &m1a, &m2a, &m3a, &m4a, &m5a, y);
    z[0][0][0] = y[0];
    z[1][0][0] = y[1];
    z[2][0][0] = y[2];
    z[3][0][0] = y[3];
    at(&m0b, &m1b, &m2b, &m3b, &m4b, &m5b, y);
    z[0][1][0] = y[0];
    z[1][1][0] = y[1];
    z[2][1][0] = y[2];
    z[3][1][0] = y[3];
}

/* Puts exactly 0 where an output saw nothing but zeros. */
static inline void clear_zero_windows(int bits, vec z[4][2][1])
{
#pragma GCC unroll 8
    for (int place = 0; place < 8; place++)
        if (bits >> place & 1)
#pragma GCC unroll 1
            for (int k = 0; k < 1; k++)
                z[place / 2][place % 2][k] = (vec){0};
}

/* encoder.conv1: 224x224x3 -> 112x112x32, conv2d 3x3 + bias_add + relu + max_pool2d (cae.lua:10) */
void encoder_conv1_forward_infer(const uint8_t *restrict x, const float *restrict w,
                                 const float *restrict b, float *restrict y,
                                 float *restrict scratch, int first, int last)
{
    float *ring = scratch, *points = scratch + 4816;
    uint8_t *ring_marks = (uint8_t *)(points + 4128);
    uint16_t zero_windows[112];
    __builtin_memset(ring_marks, 0, 1792);
    int next = 0;
    __builtin_memset(ring, 0, 4816 * sizeof *ring);
    for (int row = first * 4; row < last * 4; row += 4) {
        const float *window[6];
        const uint8_t *marks[6];
        for (int i = 0; i < 6; i++) {
            const int r = row - 1 + i, inside = r >= 0 && r < 224, slot = inside ? r % 6 : 6;
            if (inside && r >= next) {
                read_x(x, r, ring + slot * 688);
                mark_row(x, r, ring_marks + slot * 256);
                next = r + 1;
            }
            window[i] = ring + slot * 688;
            marks[i] = ring_marks + slot * 256;
        }
        find_zero_windows(marks, zero_windows);
        transform_rows(window, points);
        for (int c = 0; c < 32; c += 8)
            for (int p = 0; p < 224; p += 2) {
                vec z[4][2][1];
                tile(points + p * 3, w + c * 54, z);
                if (zero_windows[p / 2])
                    clear_zero_windows(zero_windows[p / 2], z);
                float *to = y + (row / 2 * 112 + p / 2) * 32 + c;
                const vec bias0 = load(b + c);
                vec v, best;
                best = z[0][0][0];
                v = z[0][1][0];
                best = larger(v, best);
                v = z[1][0][0];
                best = larger(v, best);
                v = z[1][1][0];
                best = larger(v, best);
                best += bias0;
                best = larger(best, (vec){0});
                store(to, best);
                best = z[2][0][0];
                v = z[2][1][0];
                best = larger(v, best);
                v = z[3][0][0];
                best = larger(v, best);
                v = z[3][1][0];
                best = larger(v, best);
                best += bias0;
                best = larger(best, (vec){0});
                store(to + 3584, best);
            }
    }
}
