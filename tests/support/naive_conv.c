/* Convolutions by their definitions. */
#include "naive.h"

#include <math.h>
#include <stddef.h>

/* How many zeros one side needs in all. */
static int padding(int size, int kernel, int stride)
{
    int outputs = (int)ceil((double)size / stride);
    int wanted = (outputs - 1) * stride + kernel;
    return wanted > size ? wanted - size : 0;
}

NaiveConv naive_same(const Image *x, int kernel, int stride)
{
    NaiveConv n = { .kernel = { kernel, kernel },
                    .stride = { stride, stride },
                    .dilation = { 1, 1 },
                    .groups = 1 };
    const int sizes[] = { x->height, x->width };
    for (int axis = 0; axis < 2; axis++) {
        n.pad[axis] = padding(sizes[axis], kernel, stride) / 2;
        n.out[axis] = (sizes[axis] + stride - 1) / stride;
    }
    return n;
}

/* What the tap of a place's window meets in the image along an axis. */
static int meets(const NaiveConv *n, int axis, int place, int tap)
{
    return place * n->stride[axis] + tap * n->dilation[axis] - n->pad[axis];
}

static bool is_inside(const Image *x, int row, int column)
{
    return row >= 0 && row < x->height && column >= 0 && column < x->width;
}

/* The window of the place (r, c), for one filter. */
static double window_sum(const Image *x, const double *weights, const NaiveConv *n, int filters,
                         int r, int c, int filter)
{
    int depth = x->channels / n->groups, first = filter / (filters / n->groups) * depth;
    double sum = 0;
    for (int i = 0; i < n->kernel[0]; i++)
        for (int j = 0; j < n->kernel[1]; j++)
            for (int k = 0; k < depth; k++) {
                int row = meets(n, 0, r, i), column = meets(n, 1, c, j);
                if (is_inside(x, row, column))
                    sum += *image_at(x, row, column, first + k)
                           * weights[((i * n->kernel[1] + j) * depth + k) * filters + filter];
            }
    return sum;
}

Image naive_convolve(const Image *x, const double *weights, const double *bias, int filters,
                     const NaiveConv *n)
{
    Image y = image_new(n->out[0], n->out[1], filters);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int f = 0; f < filters; f++)
                *image_at(&y, r, c, f) = window_sum(x, weights, n, filters, r, c, f)
                                         + (bias ? bias[f] : 0);
    return y;
}

Image naive_conv2d(const Image *x, const double *weights, const double *bias, int filters,
                   int kernel, int stride, bool same)
{
    NaiveConv n = naive_same(x, kernel, stride);
    if (!same) {
        n.pad[0] = n.pad[1] = 0;
        n.out[0] = (x->height - kernel) / stride + 1;
        n.out[1] = (x->width - kernel) / stride + 1;
    }
    return naive_convolve(x, weights, bias, filters, &n);
}

/* The value (r, c, k) of x to all that its window meets. */
static void spread(const Image *x, const double *weights, const NaiveConv *n, Image *y, int r,
                   int c, int k)
{
    int depth = y->channels / n->groups, first = k / (x->channels / n->groups) * depth;
    for (int i = 0; i < n->kernel[0]; i++)
        for (int j = 0; j < n->kernel[1]; j++)
            for (int f = 0; f < depth; f++) {
                int row = meets(n, 0, r, i), column = meets(n, 1, c, j);
                if (is_inside(y, row, column))
                    *image_at(y, row, column, first + f) +=
                        *image_at(x, r, c, k)
                        * weights[((i * n->kernel[1] + j) * depth + f) * x->channels + k];
            }
}

Image naive_transpose(const Image *x, const double *weights, const double *bias, int filters,
                      const NaiveConv *n)
{
    Image y = image_new(n->out[0], n->out[1], filters);
    for (int i = 0; i < y.height * y.width * filters && bias; i++)
        y.data[i] = bias[i % filters];
    for (int r = 0; r < x->height; r++)
        for (int c = 0; c < x->width; c++)
            for (int k = 0; k < x->channels; k++)
                spread(x, weights, n, &y, r, c, k);
    return y;
}

int naive_outputs(int in, const NaiveSide *s)
{
    int room = in + s->before + s->after - ((s->kernel - 1) * s->dilation + 1);
    return room < 0 ? 0 : room / s->stride + 1;
}

void naive_side_same(int in, NaiveSide *s)
{
    int zeros = padding(in, (s->kernel - 1) * s->dilation + 1, s->stride);
    s->before = zeros / 2;
    s->after = zeros - zeros / 2;
}

/* The value of x there; 0 outside. */
static double value_or_zero(const Image *x, int row, int column, int channel)
{
    bool inside = row >= 0 && row < x->height && column >= 0 && column < x->width;
    return inside ? *image_at(x, row, column, channel) : 0;
}

Image naive_depthwise_conv2d(const Image *x, const double *weights, const double *bias,
                             int multiplier, const NaiveSide sides[2])
{
    const NaiveSide *v = &sides[0], *h = &sides[1];
    const int filters = x->channels * multiplier;
    Image y = image_new(naive_outputs(x->height, v), naive_outputs(x->width, h), filters);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int f = 0; f < filters; f++) {
                double sum = bias ? bias[f] : 0;
                for (int i = 0; i < v->kernel; i++)
                    for (int j = 0; j < h->kernel; j++)
                        sum += value_or_zero(x, r * v->stride + i * v->dilation - v->before,
                                             c * h->stride + j * h->dilation - h->before,
                                             f / multiplier)
                               * weights[(i * h->kernel + j) * filters + f];
                *image_at(&y, r, c, f) = sum;
            }
    return y;
}
