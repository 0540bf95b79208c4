/* naive.h - every operator by its definition, in double precision, one image, layout HWC: the
 * reference that compiled code is held against. Nothing here is fast, and nothing here is shared
 * with the compiler. */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include <stdbool.h>

typedef struct Image {
    int height, width, channels;
    double *data;
} Image;

Image image_new(int height, int width, int channels); /* zeros */
void image_free(Image *image);
double *image_at(const Image *image, int row, int column, int channel);

/* How windows lie on an image, along height and width: `pad` zeros before it, `out` the size of
   what comes out, whatever that is; groups of channels that meet no others. */
typedef struct NaiveConv {
    int kernel[2], stride[2], dilation[2], pad[2], out[2], groups;
} NaiveConv;

/* Of a square kernel, so that windows moved by `stride` give ceil(size / stride) outputs; of an odd
   number of zeros the larger half comes after (TensorFlow's "SAME"). */
NaiveConv naive_same(const Image *x, int kernel, int stride);

/* Correlation of x with kernel[row][column][in of a group][out] (HWIO), plus bias[out] (NULL:
   none). naive_conv2d: by a square kernel, x padded as naive_same() says or not at all. */
Image naive_convolve(const Image *x, const double *weights, const double *bias, int filters,
                     const NaiveConv *conv);
Image naive_conv2d(const Image *x, const double *weights, const double *bias, int filters,
                   int kernel, int stride, bool same);

/* Each pixel of x adds its values times kernel[row][column][out of a group][in] (HWOI) to a window
   of the output; what reaches over its borders is cut off. `pad`: how much of the first window is,
   above and at the left. */
Image naive_transpose(const Image *x, const double *weights, const double *bias, int filters,
                      const NaiveConv *conv);

/* One side of a depthwise convolution's windows; `before`, `after`: zeros. */
typedef struct NaiveSide {
    int kernel, stride, dilation, before, after;
} NaiveSide;

/* 0: no window fits. */
int naive_outputs(int in, const NaiveSide *side);
/* The zeros of TensorFlow's "SAME". */
void naive_side_same(int in, NaiveSide *side);

/* Each channel of x with kernel[row][column][channel][filter], `multiplier` filters a channel,
   whose outputs stand side by side, plus bias (NULL: none). */
Image naive_depthwise_conv2d(const Image *x, const double *weights, const double *bias,
                             int multiplier, const NaiveSide sides[2]);

/* x as one flat list, its values from the first row on, times weights[in][out], plus bias[out]
   (NULL: none): an image of one pixel. */
Image naive_dense(const Image *x, const double *weights, const double *bias, int units);
/* by the transpose: weights[unit][value of x] */
Image naive_dense_transpose(const Image *x, const double *weights, const double *bias, int units);

Image naive_reshape(const Image *x, int height, int width, int channels);

/* The windows of a pool: their sides, from one to the next, and what is padded around the image.
   Only those that end within that count. */
typedef struct Window {
    int height, width, stride_h, stride_w, top, left, bottom, right;
} Window;

Window window_square(int size); /* side by side */

/* The largest, and the mean, of the pixels of each window; padding is none of them. */
Image naive_max_pool2d(const Image *x, const Window *window);
Image naive_avg_pool2d(const Image *x, const Window *window);

/* The same of the whole image: one pixel. */
Image naive_global_pool2d(const Image *x, bool mean);

Image naive_upsample2d(const Image *x, int size); /* nearest neighbour */

/* pad: top, left, bottom, right */
Image naive_zero_pad2d(const Image *x, const int pad[4]);
Image naive_crop2d(const Image *x, const int pad[4]);
/* TensorFlow's, "NHWC" */
Image naive_depth_to_space(const Image *x, int size);
Image naive_space_to_depth(const Image *x, int size);
Image naive_upsample2d_pair(const Image *x, int size_h, int size_w);
Image naive_upsample2d_bilinear(const Image *x, int size_h, int size_w); /* half-pixel centres */
/* scale, offset: one a channel */
Image naive_rescale(const Image *x, const double *scale, const double *offset);

/* Each value of x where the max-pool of `pooled` finds its maximum (the first of equals), zeros
   elsewhere. */
Image naive_max_unpool2d(const Image *x, const Image *pooled, const Window *window);

/* relu, leaky_relu, sigmoid, tanh, softplus, elu, linear, in place. */
/* name: a word of the language, "softmax" among them, or "gelu_tanh" for gelu's approximation */
void naive_activation(Image *x, const char *name, double slope);

/* Every group of neighbouring channels brought to mean 0 and variance 1 (but for eps), then times
   gamma[channel] plus beta[channel]. */
Image naive_group_norm(const Image *x, const double *gamma, const double *beta, int groups,
                       double eps);

/* The channels of every pixel brought to mean 0 and variance 1 (but for eps), likewise. */
Image naive_layer_norm(const Image *x, const double *gamma, const double *beta, double eps);

/* The first half of the channels, or the second. */
Image naive_half(const Image *x, int second);

/* The divergence of normal distributions, the first half of the channels their means, the second
   the logarithms of their variances, from the standard normal one, summed. */
double naive_kl(const Image *x);

/* Mean and variance of each channel over all pixels of n images. */
void naive_moments(const Image *const *images, int n, double *mean, double *variance);
/* By such, one a channel, likewise. */
Image naive_batch_norm(const Image *x, const double *gamma, const double *beta, const double *mean,
                       const double *variance, double eps);

/* What lies below 0 times alpha[channel]. */
Image naive_prelu(const Image *x, const double *alpha);

/* The losses there are, in the language's order; NULL from their number on. */
const char *naive_loss_name(int i);

/* Whether it takes images of that size. */
bool naive_loss_fits(int i, int height, int width);

/* The mean over the values; of bce the logarithms are not below -100. */
double naive_loss(const char *name, const Image *y, const Image *target);

#endif
