/* Normalisation of each channel over the pixels of several images, by its definition. */
#include "naive.h"

#include <math.h>

static double mean_of(const Image *const *images, int n, int channel, double around, int power)
{
    double sum = 0, count = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < images[i]->height * images[i]->width; k++, count++)
            sum += pow(images[i]->data[k * images[i]->channels + channel] - around, power);
    return sum / count;
}

void naive_moments(const Image *const *images, int n, double *mean, double *variance)
{
    for (int c = 0; c < images[0]->channels; c++) {
        mean[c] = mean_of(images, n, c, 0, 1);
        variance[c] = mean_of(images, n, c, mean[c], 2);
    }
}

Image naive_batch_norm(const Image *x, const double *gamma, const double *beta, const double *mean,
                       const double *variance, double eps)
{
    Image y = image_new(x->height, x->width, x->channels);
    for (int i = 0; i < x->height * x->width * x->channels; i++) {
        const int c = i % x->channels;
        y.data[i] = (x->data[i] - mean[c]) / sqrt(variance[c] + eps) * gamma[c] + beta[c];
    }
    return y;
}
