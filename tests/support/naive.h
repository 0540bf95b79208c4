/* naive.h - every operator by its definition, in double precision, one image, layout HWC: the reference that compiled code is held against.
 * Nothing here is fast, and nothing here is shared with the compiler. */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include <stdbool.h>

typedef struct Image {
    int height, width, channels;
    double *data;
} Image;

Image image_new(int height, int width, int channels);   /* zeros */
void image_free(Image *image);
double *image_at(const Image *image, int row, int column, int channel);

/* Zeros around x so that a window of `kernel` moved by `stride` gives ceil(size / stride) outputs; of an odd number of them the larger half comes
   after (TensorFlow's "SAME"). */
Image naive_pad_same(const Image *x, int kernel, int stride);

/* Correlation of x, padded or not, with kernel[row][column][in][out] (HWIO), plus bias[out] (NULL: none). */
Image naive_conv2d(const Image *x, const double *weights, const double *bias, int filters, int kernel, int stride, bool same);

Image naive_max_pool2d(const Image *x, int size);       /* windows side by side; an incomplete one is dropped */
Image naive_upsample2d(const Image *x, int size);       /* nearest neighbour */

/* Each value of x where the max-pool of `pooled` by `size` finds its maximum (the first of equals), zeros elsewhere. */
Image naive_max_unpool2d(const Image *x, const Image *pooled, int size);

Image naive_concat(const Image *a, const Image *b);      /* channels of a, then of b */
Image naive_add(const Image *a, const Image *b);

/* relu, leaky_relu, sigmoid, tanh, softplus, elu, linear, in place. */
void naive_activation(Image *x, const char *name, double slope);

double naive_mse(const Image *y, const Image *target);

#endif
