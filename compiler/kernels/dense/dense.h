/* dense.h - shared by the kernels that compute dense layers, of a microbatch at once: x[n][IN],
   y[n][OUT], w[IN][OUT]; and their transposes, of the same w: x[n][OUT], y[n][IN]. */
#ifndef CAEC_DENSE_H
#define CAEC_DENSE_H

#include "../kernel.h"

/* Sets the numbers IN and OUT and binds x, w, b, y (forward), dy, w, dx (dX), or x, dy, dw, db
   (dW). */
void dense_bind(Step *step);

extern const char *const dense_ops[]; /* those of both, NULL-ended */

#endif
