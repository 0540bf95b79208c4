#include "cae_kernels.h"

/* Row y of the input, each of its pixels 2 times, behind the zeros at the left. */
static void read_x(const float *x, int y, float *row)
{
    x += y / 2 * 896;
    row += 16;
    for (int i = 0; i < 56; i++)
        for (int u = 0; u < 2; u++, row += 16)
            for (int c = 0; c < 16; c++)
                row[c] = x[i * 16 + c];
}

/* 8 pixels of 3 channels; x: the rows of the window, NULL where it leaves the image; at: where in
   them it starts. */
static void tile_8x1_tail(const float *const x[3], int at, const float *w, const float *b, float *y)
{
    vec a0 = load(b);
    vec a1 = load(b);
    vec a2 = load(b);
    vec a3 = load(b);
    vec a4 = load(b);
    vec a5 = load(b);
    vec a6 = load(b);
    vec a7 = load(b);
    for (int k = 0; k < 3; k++, w += 384) {
        if (!x[k])
            continue;
        const float *r = x[k] + at;
        for (int j = 0; j < 48; j++) {
            float v;
            const vec w0 = load(w + j * 8);
            v = r[j]; a0 += v * w0;
            v = r[j + 16]; a1 += v * w0;
            v = r[j + 32]; a2 += v * w0;
            v = r[j + 48]; a3 += v * w0;
            v = r[j + 64]; a4 += v * w0;
            v = r[j + 80]; a5 += v * w0;
            v = r[j + 96]; a6 += v * w0;
            v = r[j + 112]; a7 += v * w0;
        }
    }
    store_part(y, a0, 3);
    store_part(y + 3, a1, 3);
    store_part(y + 6, a2, 3);
    store_part(y + 9, a3, 3);
    store_part(y + 12, a4, 3);
    store_part(y + 15, a5, 3);
    store_part(y + 18, a6, 3);
    store_part(y + 21, a7, 3);
}

/* One row of 112 pixels. */
static void line(const float *const x[3], const float *w, const float *b, float *y)
{
    for (int i = 0; i < 112; i += 8)
        tile_8x1_tail(x, i * 16, w, b, y + i * 3);
}

/* decoder.conv3: 56x56x16 -> 112x112x3, conv2d 3x3 on 2x upsampled + bias_add + relu (cae.lua:20)
   */
void decoder_conv3_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last)
{
    float *ring = scratch;
    const float *window[3];
    int next = 0;
    __builtin_memset(ring, 0, 5520 * sizeof *ring);
    for (int r = first; r < last; r++) {
        for (int k = 0; k < 3; k++) {
            const int row = r - 1 + k;
            if (row < 0 || row >= 112) {
                window[k] = 0;
                continue;
            }
            float *slot = ring + row % 3 * 1840;
            if (row >= next) {
                read_x(x, row, slot);
                next = row + 1;
            }
            window[k] = slot;
        }
        float *l = y + r * 336;
        line(window, w, b, l);
        for (int i = 0; i < 336; i++)
            l[i] = l[i] > 0 ? l[i] : 0;
    }
}
