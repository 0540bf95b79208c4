/* pixels.h - what a network gives, as the bytes of a picture. */
#ifndef CAEC_PIXELS_H
#define CAEC_PIXELS_H

#include "model.h"

#include <stddef.h>

/* round(255 * clamp(y, 0, 1)) of each value; what is not a number becomes 0. */
void pixels_from_reals(const real *values, size_t count, uint8_t *pixels);

#endif
