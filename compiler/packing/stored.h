/* stored.h - packings as the numbers that a library with weights holds. */
#ifndef CAEC_STORED_H
#define CAEC_STORED_H

#include "packing.h"

#include <stdint.h>

/* bits[packing->count] of the packing of these parameters (packing_parameter()'s, in their own
   layout): those of float32, or, with `half`, of IEEE 754 binary16, rounded to nearest, ties to
   even. Ends the program where a number is not finite, or too large for a half. */
void packing_bits(const Packing *packing, const float *const *parameters, bool half,
                  uint32_t *bits);

#endif
