#include "pixels.h"

void pixels_from_reals(const real *values, size_t count, uint8_t *pixels)
{
    for (size_t i = 0; i < count; i++) {
        const real y = values[i];
        pixels[i] = !(y > 0) ? 0 : y >= 1 ? 255 : (uint8_t)(255 * (double)y + 0.5);
    }
}
