#include "cae_kernels.h"

/* loss.dx: 112x112x3 -> 112x112x3, mse_dx (cae.lua:31) */
void loss_dx(const float *restrict y, const uint8_t *restrict target, float *restrict dy)
{
    for (int r = 0; r < 112; r++)
        for (int p = 0; p < 112; p++)
            for (int c = 0; c < 3; c++) {
                const uint8_t *t = target + (r * 448 + p * 2) * 3 + c;
                int sum = 0;
                for (int i = 0; i < 2; i++)
                    for (int j = 0; j < 2; j++)
                        sum += t[(i * 224 + j) * 3];
                const int at = (r * 112 + p) * 3 + c;
                dy[at] = (4 * y[at] - sum / 255.0f) * 1.32865646e-05f;
            }
}
