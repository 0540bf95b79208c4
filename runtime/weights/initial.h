/* initial.h - parameters before training: kernels Glorot uniform (Glorot and Bengio 2010, eq. 16;
 * the limits stand in the model), biases zero.
 *
 * Drawn by a counter-based generator: a value depends on (seed, drawing, its place in the flat
 * array) alone, so every machine and every `real` (up to rounding) starts from the same network. */
#ifndef CAEC_INITIAL_H
#define CAEC_INITIAL_H

#include "model.h"

/* Fills parameters[model->parameter_reals]: drawing 0. */
void initial_draw(const Model *model, uint64_t seed, real *parameters);

/* Draws one parameter anew, as drawing 1, 2, ... */
void initial_redraw(const Model *model, int parameter, uint64_t seed, unsigned drawing,
                    real *parameters);

#endif
