#include "cae_kernels.h"

/* decoder.up3: 112x112x3 -> 224x224x3, upsample2d (cae.lua:24) */
void decoder_up3_forward_infer(const float *restrict x, float *restrict y, int first, int last)
{
    y += first * 672;
    for (int r = first; r < last; r++)
        for (int p = 0; p < 112; p++)
            for (int u = 0; u < 2; u++)
                for (int c = 0; c < 3; c++)
                    *y++ = x[(r / 2 * 112 + p) * 3 + c];
}
