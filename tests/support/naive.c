#include "naive.h"

#include "cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Image image_new(int height, int width, int channels)
{
    Image image = { height, width, channels,
                    calloc((size_t)height * (size_t)width * (size_t)channels, sizeof(double)) };
    assert_non_null(image.data);
    return image;
}

void image_free(Image *image)
{
    free(image->data);
    *image = (Image){ 0 };
}

double *image_at(const Image *image, int row, int column, int channel)
{
    assert_in_range(row, 0, image->height - 1);
    assert_in_range(column, 0, image->width - 1);
    assert_in_range(channel, 0, image->channels - 1);
    return &image->data[((size_t)row * (size_t)image->width + (size_t)column)
                            * (size_t)image->channels
                        + (size_t)channel];
}

Window window_square(int size)
{
    return (Window){ size, size, size, size, .top = 0 };
}

static int windows(int in, int before, int after, int size, int stride)
{
    int count = 0;
    while (count * stride - before + size <= in + after)
        count++;
    return count;
}

/* One pixel a window. */
static Image pooled_image(const Image *x, const Window *w)
{
    return image_new(windows(x->height, w->top, w->bottom, w->height, w->stride_h),
                     windows(x->width, w->left, w->right, w->width, w->stride_w), x->channels);
}

/* The i-th pixel of a window, row by row; false: it lies on padding. */
static bool window_pixel(const Image *x, const Window *w, int row, int column, int i, int *r,
                         int *c)
{
    *r = row * w->stride_h - w->top + i / w->width;
    *c = column * w->stride_w - w->left + i % w->width;
    return *r >= 0 && *r < x->height && *c >= 0 && *c < x->width;
}

Image naive_avg_pool2d(const Image *x, const Window *w)
{
    Image y = pooled_image(x, w);
    for (int p = 0; p < y.height * y.width * y.channels; p++) {
        int pixel = p / y.channels, row, column, count = 0;
        for (int i = 0; i < w->height * w->width; i++)
            if (window_pixel(x, w, pixel / y.width, pixel % y.width, i, &row, &column)) {
                y.data[p] += *image_at(x, row, column, p % y.channels);
                count++;
            }
        y.data[p] /= count;
    }
    return y;
}

Image naive_global_pool2d(const Image *x, bool mean)
{
    Image y = image_new(1, 1, x->channels);
    int pixels = x->height * x->width;
    for (int k = 0; k < x->channels; k++) {
        y.data[k] = mean ? 0 : x->data[k];
        for (int i = 0; i < pixels; i++) {
            double v = x->data[i * x->channels + k];
            y.data[k] = mean ? y.data[k] + v / pixels : fmax(y.data[k], v);
        }
    }
    return y;
}

Image naive_group_norm(const Image *x, const double *gamma, const double *beta, int groups,
                       double eps)
{
    Image y = image_new(x->height, x->width, x->channels);
    int wide = x->channels / groups, count = x->height * x->width * wide;
    for (int g = 0; g < groups; g++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < count; i++)
            mean += x->data[i / wide * x->channels + g * wide + i % wide] / count;
        for (int i = 0; i < count; i++)
            variance += pow(x->data[i / wide * x->channels + g * wide + i % wide] - mean, 2)
                        / count;
        for (int i = 0; i < count; i++) {
            int channel = g * wide + i % wide, at = i / wide * x->channels + channel;
            y.data[at] = (x->data[at] - mean) / sqrt(variance + eps) * gamma[channel]
                         + beta[channel];
        }
    }
    return y;
}

Image naive_layer_norm(const Image *x, const double *gamma, const double *beta, double eps)
{
    Image y = image_new(x->height, x->width, x->channels);
    for (int i = 0; i < x->height * x->width; i++) {
        const double *from = x->data + i * x->channels;
        double mean = 0, variance = 0;
        for (int k = 0; k < x->channels; k++)
            mean += from[k] / x->channels;
        for (int k = 0; k < x->channels; k++)
            variance += pow(from[k] - mean, 2) / x->channels;
        for (int k = 0; k < x->channels; k++)
            y.data[i * x->channels + k] = (from[k] - mean) / sqrt(variance + eps) * gamma[k]
                                          + beta[k];
    }
    return y;
}

Image naive_prelu(const Image *x, const double *alpha)
{
    Image y = image_new(x->height, x->width, x->channels);
    for (int i = 0; i < x->height * x->width * x->channels; i++)
        y.data[i] = fmax(x->data[i], 0) + alpha[i % x->channels] * fmin(x->data[i], 0);
    return y;
}

Image naive_dense(const Image *x, const double *weights, const double *bias, int units)
{
    Image y = image_new(1, 1, units);
    for (int o = 0; o < units; o++) {
        double sum = bias ? bias[o] : 0;
        for (int i = 0; i < x->height * x->width * x->channels; i++)
            sum += x->data[i] * weights[i * units + o];
        *image_at(&y, 0, 0, o) = sum;
    }
    return y;
}

Image naive_dense_transpose(const Image *x, const double *weights, const double *bias, int units)
{
    const int values = x->height * x->width * x->channels;
    Image y = image_new(1, 1, units);
    for (int u = 0; u < units; u++) {
        double sum = bias ? bias[u] : 0;
        for (int i = 0; i < values; i++)
            sum += x->data[i] * weights[u * values + i];
        *image_at(&y, 0, 0, u) = sum;
    }
    return y;
}

Image naive_reshape(const Image *x, int height, int width, int channels)
{
    Image y = image_new(height, width, channels);
    int count = height * width * channels;
    assert_int_equal(count, x->height * x->width * x->channels);
    for (int i = 0; i < count; i++)
        y.data[i] = x->data[i];
    return y;
}

Image naive_max_pool2d(const Image *x, const Window *w)
{
    Image y = pooled_image(x, w);
    for (int p = 0; p < y.height * y.width * y.channels; p++) {
        int pixel = p / y.channels, row, column;
        y.data[p] = -INFINITY;
        for (int i = 0; i < w->height * w->width; i++)
            if (window_pixel(x, w, pixel / y.width, pixel % y.width, i, &row, &column))
                y.data[p] = fmax(y.data[p], *image_at(x, row, column, p % y.channels));
    }
    return y;
}

Image naive_upsample2d(const Image *x, int size)
{
    Image y = image_new(x->height * size, x->width * size, x->channels);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < x->channels; k++)
                *image_at(&y, r, c, k) = *image_at(x, r / size, c / size, k);
    return y;
}

Image naive_max_unpool2d(const Image *x, const Image *pooled, const Window *w)
{
    Image y = image_new(pooled->height, pooled->width, pooled->channels);
    Image largest = naive_max_pool2d(pooled, w);
    assert_int_equal(x->height, largest.height);
    assert_int_equal(x->width, largest.width);
    assert_int_equal(x->channels, largest.channels);
    for (int p = 0; p < x->height * x->width * x->channels; p++) {
        int pixel = p / x->channels, k = p % x->channels, i = 0, row, column;
        while (!window_pixel(pooled, w, pixel / x->width, pixel % x->width, i, &row, &column)
               || *image_at(pooled, row, column, k) != largest.data[p])
            i++;
        *image_at(&y, row, column, k) = x->data[p];
    }
    image_free(&largest);
    return y;
}

/* The definitions of Keras 3, as they stand there. */
static double activate_newer(double x, const char *name, double sigmoid, double softplus)
{
    if (strcmp(name, "selu") == 0)
        return 1.05070098735548049342 * (x < 0 ? 1.67326324235437728481 * expm1(x) : x);
    if (strcmp(name, "relu6") == 0)
        return fmin(fmax(x, 0), 6);
    if (strcmp(name, "hard_sigmoid") == 0)
        return fmin(fmax(x / 6 + 0.5, 0), 1);
    if (strcmp(name, "hard_swish") == 0)
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    if (strcmp(name, "softsign") == 0)
        return x / (fabs(x) + 1);
    if (strcmp(name, "exponential") == 0)
        return exp(x);
    if (strcmp(name, "silu") == 0)
        return x * sigmoid;
    if (strcmp(name, "mish") == 0)
        return x * tanh(softplus);
    if (strcmp(name, "gelu_tanh") == 0)
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
    if (strcmp(name, "gelu") == 0)
        return x * erfc(-x / sqrt(2)) / 2;
    assert_string_equal(name, "linear");
    return x;
}

static double activate(double x, const char *name, double slope)
{
    const double sigmoid = x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)),
                 softplus = fmax(x, 0) + log1p(exp(-fabs(x)));
    if (strcmp(name, "relu") == 0)
        return fmax(x, 0);
    if (strcmp(name, "leaky_relu") == 0)
        return x < 0 ? slope * x : x;
    if (strcmp(name, "sigmoid") == 0)
        return sigmoid;
    if (strcmp(name, "tanh") == 0)
        return tanh(x);
    if (strcmp(name, "softplus") == 0)
        return softplus;
    if (strcmp(name, "elu") == 0)
        return x < 0 ? expm1(x) : x;
    return activate_newer(x, name, sigmoid, softplus);
}

/* y[k] = 1 / sum of exp(x[j] - x[k]): however far from zero the values are. */
static void softmax(Image *x)
{
    Image y = image_new(x->height, x->width, x->channels);
    for (int i = 0; i < x->height * x->width * x->channels; i++) {
        const double *pixel = x->data + i - i % x->channels;
        for (int j = 0; j < x->channels; j++)
            y.data[i] += exp(pixel[j] - x->data[i]);
        y.data[i] = 1 / y.data[i];
    }
    image_free(x);
    *x = y;
}

void naive_activation(Image *x, const char *name, double slope)
{
    if (strcmp(name, "softmax") == 0) {
        softmax(x);
        return;
    }
    for (int i = 0; i < x->height * x->width * x->channels; i++)
        x->data[i] = activate(x->data[i], name, slope);
}

static double mse(double y, double t)
{
    return (y - t) * (y - t);
}

static double mae(double y, double t)
{
    return fabs(y - t);
}

static double bce(double y, double t)
{
    return -t * fmax(log(y), -100) - (1 - t) * fmax(log(1 - y), -100);
}

static double log_cosh(double y, double t)
{
    return log(cosh(y - t));
}

/* with delta 1 */
static double huber(double y, double t)
{
    const double a = fabs(y - t);
    return a <= 1 ? a * a / 2 : a - 0.5;
}

/* ---- structural similarity: every window by itself ---- */

enum { SSIM_WINDOW = 11 };

typedef struct Moments {
    double y, t, yy, tt, yt;
} Moments;

static void add_moments(Moments *m, double weight, double y, double t)
{
    m->y += weight * y;
    m->t += weight * t;
    m->yy += weight * y * y;
    m->tt += weight * t * t;
    m->yt += weight * y * t;
}

static double window_similarity(const Image *y, const Image *t, int row, int column, int channel)
{
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    double weights = 0;
    Moments m = { 0 };
    for (int i = 0; i < SSIM_WINDOW * SSIM_WINDOW; i++) {
        const int r = i / SSIM_WINDOW, c = i % SSIM_WINDOW;
        const double weight = exp(-((r - 5) * (r - 5) + (c - 5) * (c - 5)) / (2 * 1.5 * 1.5));
        weights += weight;
        add_moments(&m, weight, *image_at(y, row + r, column + c, channel),
                    *image_at(t, row + r, column + c, channel));
    }
    const double a = m.y / weights, b = m.t / weights, va = m.yy / weights - a * a,
                 vb = m.tt / weights - b * b, vab = m.yt / weights - a * b;
    return (2 * a * b + c1) * (2 * vab + c2) / ((a * a + b * b + c1) * (va + vb + c2));
}

static double ssim(const Image *y, const Image *t)
{
    const int rows = y->height - SSIM_WINDOW + 1, columns = y->width - SSIM_WINDOW + 1;
    double sum = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            for (int k = 0; k < y->channels; k++)
                sum += window_similarity(y, t, r, c, k);
    return 1 - sum / (rows * columns * y->channels);
}

static const struct {
    const char *name;
    double (*of)(double y, double t); /* the mean of it is the loss; NULL: */
    double (*whole)(const Image *y, const Image *t);
    int least; /* pixels of a side */
} losses[] = {
    { "mse", mse, NULL, 0 },     { "mae", mae, NULL, 0 },
    { "bce", bce, NULL, 0 },     { "log_cosh", log_cosh, NULL, 0 },
    { "huber", huber, NULL, 0 }, { "ssim", NULL, ssim, SSIM_WINDOW },
};

const char *naive_loss_name(int i)
{
    return i < (int)(sizeof losses / sizeof *losses) ? losses[i].name : NULL;
}

/* Of "{ mse = 0.8, mae = 0.2 }". */
static double weighted_losses(const char *text, const Image *y, const Image *target)
{
    double sum = 0;
    for (int i = 0; naive_loss_name(i); i++) {
        char name[32];
        snprintf(name, sizeof name, " %s = ", naive_loss_name(i));
        const char *at = strstr(text, name);
        if (at)
            sum += strtod(at + strlen(name), NULL) * naive_loss(naive_loss_name(i), y, target);
    }
    return sum;
}

bool naive_loss_fits(int i, int height, int width)
{
    return height >= losses[i].least && width >= losses[i].least;
}

double naive_loss(const char *name, const Image *y, const Image *target)
{
    if (*name == '{')
        return weighted_losses(name, y, target);
    double sum = 0;
    int count = y->height * y->width * y->channels, loss = 0;
    assert_int_equal(count, target->height * target->width * target->channels);
    while (naive_loss_name(loss) && strcmp(naive_loss_name(loss), name) != 0)
        loss++;
    assert_non_null(naive_loss_name(loss));
    if (losses[loss].whole)
        return losses[loss].whole(y, target);
    for (int i = 0; i < count; i++)
        sum += losses[loss].of(y->data[i], target->data[i]);
    return sum / count;
}
