/* The naive operators of gaussian_sample. */
#include "naive.h"

#include <math.h>

Image naive_half(const Image *x, int second)
{
    const int channels = x->channels / 2;
    Image y = image_new(x->height, x->width, channels);
    for (int i = 0; i < x->height * x->width * channels; i++)
        y.data[i] = x->data[i / channels * x->channels + second * channels + i % channels];
    return y;
}

double naive_kl(const Image *x)
{
    Image means = naive_half(x, 0), logs = naive_half(x, 1);
    double sum = 0;
    for (int i = 0; i < x->height * x->width * means.channels; i++) {
        const double variance = exp(logs.data[i]);
        sum += (variance + means.data[i] * means.data[i] - 1 - log(variance)) / 2;
    }
    image_free(&means);
    image_free(&logs);
    return sum;
}
