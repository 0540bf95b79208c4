#include "cae_kernels.h"

/* loss: 112x112x3 -> 1, mse (cae.lua:31) */
void loss_forward(const float *restrict y, const uint8_t *restrict target, double *restrict loss,
                  float *restrict scratch)
{
    float *line = scratch;
    double sum = 0;
    for (int r = 0; r < 224; r++, target += 672) {
        const float *row = y + r / 2 * 336;
        for (int p = 0, i = 0; p < 112; p++)
            for (int u = 0; u < 2; u++)
                for (int c = 0; c < 3; c++, i++)
                    line[i] = row[p * 3 + c] - target[i] / 255.0f;
        float part[16] = {0};
        for (int i = 0; i < 672; i += 16)
            for (int l = 0; l < 16; l++)
                part[l] += line[i + l] * line[i + l];
        for (int l = 0; l < 16; l++)
            sum += part[l];
    }
    *loss = sum / 150528;
}
