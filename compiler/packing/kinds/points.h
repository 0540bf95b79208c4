/* points.h - Winograd's transform of three taps in one dimension, F(4, 3). */
#ifndef CAEC_POINTS_H
#define CAEC_POINTS_H

#include <stddef.h>

/* Where F(4, 3) evaluates its polynomials: 0, +-POINT, +-FAR and infinity. Powers of these two near
   1 on either side keep the transforms' rounding low: half of what the usual 1 and 2 leave (see
   Barabasz et al. 2020, "Error analysis and improving the accuracy of Winograd convolution for deep
   neural networks", on the choice of points), and every factor made of them is still exact in
   binary. Texts have them from here, see points.c.in. */
#define WINOGRAD_POINT (5.0 / 8)
#define WINOGRAD_FAR (3.0 / 2)

/* G g: three taps to six points. */
void winograd_points(const double *g, double *u);

/* The same of taps that stand `apart`, to values that stand `distance`. */
void winograd_line(const float *tap, ptrdiff_t apart, float *to, size_t distance);

#endif
