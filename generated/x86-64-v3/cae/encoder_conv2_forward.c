#include "cae_kernels.h"

/* Row y of the input behind the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 3584;
    row += 32;
    for (int i = 0; i < 3584; i++)
        row[i] = x[i];
}

/* 4 pixels of 16 channels; x: the rows of the window, NULL where it leaves the image; at: where in
   them it starts. */
static void tile_4x2(const float *const x[3], int at, const float *w, const float *b, float *y)
{
    vec a0 = load(b), b0 = load(b + 8);
    vec a1 = load(b), b1 = load(b + 8);
    vec a2 = load(b), b2 = load(b + 8);
    vec a3 = load(b), b3 = load(b + 8);
    for (int k = 0; k < 3; k++, w += 1536) {
        if (!x[k])
            continue;
        const float *r = x[k] + at;
        for (int j = 0; j < 96; j++) {
            float v;
            const vec w0 = load(w + j * 16),
                      w1 = load(w + j * 16 + 8);
            v = r[j]; a0 += v * w0; b0 += v * w1;
            v = r[j + 32]; a1 += v * w0; b1 += v * w1;
            v = r[j + 64]; a2 += v * w0; b2 += v * w1;
            v = r[j + 96]; a3 += v * w0; b3 += v * w1;
        }
    }
    store(y, a0);
    store(y + 8, b0);
    store(y + 64, a1);
    store(y + 72, b1);
    store(y + 128, a2);
    store(y + 136, b2);
    store(y + 192, a3);
    store(y + 200, b3);
}

/* One row of 112 pixels. */
static void line(const float *const x[3], const float *w, const float *b, float *y)
{
    for (int c = 0; c < 64; c += 16) {
        for (int i = 0; i < 112; i += 4)
            tile_4x2(x, i * 32, w + c * 288, b + c, y + i * 64 + c);
    }
}

/* 2 rows, 7168 values apart, to one: the largest of each window, and the place of the first such.
   */
static void pool_rows(const float *x, float *y, uint8_t *codes)
{
    for (int p = 0; p < 56; p++, x += 128, y += 64, codes += 64)
        for (int c = 0; c < 64; c += 8) {
            vec v = load(x + c);
            vec best = pick(above(v, (vec){0}), v, (vec){0});
            mask code = {0};
            v = load(x + c + 64);
            v = pick(above(v, (vec){0}), v, (vec){0});
            code = pick_place(above(v, best), 1, code);
            best = pick(above(v, best), v, best);
            v = load(x + c + 7168);
            v = pick(above(v, (vec){0}), v, (vec){0});
            code = pick_place(above(v, best), 2, code);
            best = pick(above(v, best), v, best);
            v = load(x + c + 7232);
            v = pick(above(v, (vec){0}), v, (vec){0});
            code = pick_place(above(v, best), 3, code);
            best = pick(above(v, best), v, best);
            store(y + c, best);
            store_codes(codes + c, code, 8);
        }
}

/* encoder.conv2: 112x112x32 -> 56x56x64, conv2d 3x3 + bias_add + relu + max_pool2d +
   max_pool2d_argmax (cae.lua:9) */
void encoder_conv2_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, uint8_t *restrict codes,
                           float *restrict scratch, int first, int last)
{
    float *ring = scratch;
    float *lines = scratch + 10944;
    const float *window[3];
    int next = 0;
    __builtin_memset(ring, 0, 10944 * sizeof *ring);
    for (int r = first * 2; r < last * 2; r++) {
        for (int k = 0; k < 3; k++) {
            const int row = r - 1 + k;
            if (row < 0 || row >= 112) {
                window[k] = 0;
                continue;
            }
            float *slot = ring + row % 3 * 3648;
            if (row >= next) {
                read_x(x, row, slot);
                next = row + 1;
            }
            window[k] = slot;
        }
        float *l = lines + r % 2 * 7168;
        line(window, w, b, l);
        if (r % 2 == 1)
            pool_rows(lines, y + r / 2 * 3584, codes + r / 2 * 3584);
    }
}
