/* naive.h: what moves the pixels of an image. */
#include "naive.h"

#include <math.h>

Image naive_zero_pad2d(const Image *x, const int pad[4])
{
    Image y = image_new(x->height + pad[0] + pad[2], x->width + pad[1] + pad[3], x->channels);
    for (int r = 0; r < x->height; r++)
        for (int c = 0; c < x->width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r + pad[0], c + pad[1], k) = *image_at(x, r, c, k);
    return y;
}

Image naive_crop2d(const Image *x, const int pad[4])
{
    Image y = image_new(x->height - pad[0] - pad[2], x->width - pad[1] - pad[3], x->channels);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r, c, k) = *image_at(x, r + pad[0], c + pad[1], k);
    return y;
}

Image naive_depth_to_space(const Image *x, int size)
{
    Image y = image_new(x->height * size, x->width * size, x->channels / (size * size));
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < y.channels; k++)
                *image_at(&y, r, c, k) = *image_at(x, r / size, c / size,
                                                   (r % size * size + c % size) * y.channels + k);
    return y;
}

Image naive_space_to_depth(const Image *x, int size)
{
    Image y = image_new(x->height / size, x->width / size, x->channels * size * size);
    for (int r = 0; r < x->height; r++)
        for (int c = 0; c < x->width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r / size, c / size,
                          (r % size * size + c % size) * x->channels + k) = *image_at(x, r, c, k);
    return y;
}

Image naive_upsample2d_pair(const Image *x, int size_h, int size_w)
{
    Image y = image_new(x->height * size_h, x->width * size_w, x->channels);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r, c, k) = *image_at(x, r / size_h, c / size_w, k);
    return y;
}

/* Linear between the pixels around a place, of which those outside count as the outermost. */
static double between(const Image *x, double row, double column, int channel)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const double r = floor(row) + i / 2, c = floor(column) + i % 2;
        sum += (1 - fabs(r - row)) * (1 - fabs(c - column))
               * *image_at(x, (int)fmin(fmax(r, 0), x->height - 1),
                           (int)fmin(fmax(c, 0), x->width - 1), channel);
    }
    return sum;
}

Image naive_upsample2d_bilinear(const Image *x, int size_h, int size_w)
{
    Image y = image_new(x->height * size_h, x->width * size_w, x->channels);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r, c, k) = between(x, (r + 0.5) / size_h - 0.5,
                                                 (c + 0.5) / size_w - 0.5, k);
    return y;
}

Image naive_rescale(const Image *x, const double *scale, const double *offset)
{
    Image y = image_new(x->height, x->width, x->channels);
    for (int i = 0; i < x->height * x->width * x->channels; i++)
        y.data[i] = x->data[i] * scale[i % x->channels] + offset[i % x->channels];
    return y;
}
