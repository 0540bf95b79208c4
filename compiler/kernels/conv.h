/* conv.h - shared by the kernels that compute convolutions. */
#ifndef CAEC_CONV_H
#define CAEC_CONV_H

#include "../ops/ops.h"
#include "kernel.h"

/* Height and width of the layer's outputs that are computed (forward) or carry a gradient
   (backward): with a pool taken in, only what fills its windows. */
void conv_effective_size(const Step *step, const ConvShape *s, int *height, int *width);

/* Vector accumulators that fit into the target's registers beside a tile's operands. */
int conv_accumulators(const Settings *settings);

/* Vectors of channels in a tile: at most 4 of 32 registers, 2 of 16, spread evenly over the
   channels. */
int conv_vectors(int channels, const Settings *settings);

/* Pixels of a tile: the largest divisor of n that is at most `most`, or `most` itself where that
   one is under half of it (the rest is then a tile of its own). */
int conv_tile(int n, int most);

/* Of a padded row of a scattering convolution that makes `out_w` columns from `columns`: pixels,
   and zeros before the first. */
int conv_spread_row(const ConvShape *s, int out_w, int columns, int *left);

/* The order of taps for packing_blocks. */
Taps conv_taps(const ConvShape *s, bool turned);

/* Neither holes between the taps nor groups; a 3x3 kernel of stride 1 besides, with at most one
   zero on each side. */
bool conv_is_dense(const ConvShape *s);
bool conv_is_3x3(const ConvShape *s);

/* Whether the indices in so many rows of values are ints, be they as wide as the padded image and
   all outputs' windows. */
bool conv_rows_fit(const ConvShape *s, int rows);

/* The bias, from which a whole vector may be read at the last channels of any group. */
Packing conv_bias_packing(const Step *step, const ConvShape *s, const Settings *settings);

/* For kernels that mark the zeros of their input, see zero_windows.c.in: bytes of a row of marks
   for that many outputs, and the scratch, in reals, of `rows` such rows. */
int conv_marks_bytes(int outputs);
size_t conv_marks(int outputs, int rows, const Settings *settings);

#endif
