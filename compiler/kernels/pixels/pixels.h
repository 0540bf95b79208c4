/* pixels.h - what the kernels of operators that work on the channels of each pixel share. */
#ifndef CAEC_PIXELS_H
#define CAEC_PIXELS_H

#include "../kernel.h"

/* Sets the numbers PIXEL_ROWS, PIXEL_COLUMNS and CHANNELS of a value: rows that threads may share,
   pixels of a row. Of a signal of one row each of its samples is a row; a flat value is one
   pixel. */
void step_pixels(Step *step, Shape shape);

/* Sets BLOCK: how many values of a row, pixel after pixel, one loop takes at once. It is the number
   of channels or, where they are few, a multiple of it: a compiler takes a loop of up to 16 values
   apart before it looks for vectors. */
void step_block(Step *step, int channels);

/* Scratch memory of `reals` of the arithmetic's type, then `doubles` of double precision, which
   begin at the next even place. */
void step_sums(Step *step, int reals, int doubles, const Settings *settings);

#endif
