#include "cae_kernels.h"

/* Row y of the input behind the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y * 3584;
    row += 128;
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
    for (int k = 0; k < 3; k++, w += 6144) {
        if (!x[k])
            continue;
        const float *r = x[k] + at;
        for (int j = 0; j < 384; j++) {
            float v;
            const vec w0 = load(w + j * 16),
                      w1 = load(w + j * 16 + 8);
            v = r[j]; a0 += v * w0; b0 += v * w1;
            v = r[j + 128]; a1 += v * w0; b1 += v * w1;
            v = r[j + 256]; a2 += v * w0; b2 += v * w1;
            v = r[j + 384]; a3 += v * w0; b3 += v * w1;
        }
    }
    store(y, a0);
    store(y + 8, b0);
    store(y + 128, a1);
    store(y + 136, b1);
    store(y + 256, a2);
    store(y + 264, b2);
    store(y + 384, a3);
    store(y + 392, b3);
}

/* One row of 28 pixels. */
static void line(const float *const x[3], const float *w, const float *b, float *y)
{
    for (int c = 0; c < 128; c += 16) {
        for (int i = 0; i < 28; i += 4)
            tile_4x2(x, i * 128, w + c * 1152, b + c, y + i * 128 + c);
    }
}

/* decoder.conv1: 28x28x128 -> 28x28x128, conv2d 3x3 + bias_add + relu (cae.lua:16) */
void decoder_conv1_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last)
{
    float *ring = scratch;
    const float *window[3];
    int next = 0;
    __builtin_memset(ring, 0, 11520 * sizeof *ring);
    for (int r = first; r < last; r++) {
        for (int k = 0; k < 3; k++) {
            const int row = r - 1 + k;
            if (row < 0 || row >= 28) {
                window[k] = 0;
                continue;
            }
            float *slot = ring + row % 3 * 3840;
            if (row >= next) {
                read_x(x, row, slot);
                next = row + 1;
            }
            window[k] = slot;
        }
        float *l = y + r * 3584;
        line(window, w, b, l);
        for (int i = 0; i < 3584; i++)
            l[i] = l[i] > 0 ? l[i] : 0;
    }
}
