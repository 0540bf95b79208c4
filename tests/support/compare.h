/* compare.h - a faster convolution kernel against conv_plain, the loops of the definition: latent,
 * output, losses and every gradient of three images, summed onto numbers that were there before.
 * conv_plain itself is held against an independent sum and finite differences in ops/. */
#ifndef TEST_COMPARE_H
#define TEST_COMPARE_H

#include "net.h"

#include <stdbool.h>
#include <stddef.h>

/* A convolution `in` -> `out` channels, of an image height x width that is first enlarged `up`
   times, and a pool after it (0: none). In front stands a 1x1 convolution that makes its input (in
   = 0: none, it reads the pixels of three channels; up must be 1), after it what brings the shape
   back. */
typedef struct ConvCase {
    int height, width, in, out, kernel, stride, up, pool;
    bool valid;
} ConvCase;

/* One whose kernel has that many columns, strides and holes along the row; each 0: as along the
   height. */
typedef struct LineCase {
    ConvCase conv;
    int kernel_w, stride_w, dilation_w;
} LineCase;

/* Differences relative to the largest value, in either type of arithmetic. */
typedef struct Tolerance {
    double forward, backward;
} Tolerance;

/* Every case in double, every second in float. Skips the rest of the test where the machine lacks
   the target. */
void compare_with_plain(const ConvCase *cases, size_t count, const char *target, const char *kernel,
                        Tolerance tolerance);

void compare_lines_with_plain(const LineCase *cases, size_t count, const char *target,
                              const char *kernel, Tolerance tolerance);

/* A whole network, every convolution of it by that kernel. */
void compare_net_with_plain(const Net *net, const char *target, const char *kernel,
                            Tolerance tolerance);

/* The same without biases, on images with black borders: what is exactly 0 by the definition must
   then be exactly 0. */
void compare_in_black_borders(const ConvCase *cases, size_t count, const char *target,
                              const char *kernel, Tolerance tolerance);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#endif
