#include "image.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The results must not depend on the machine: no a * b + c in one rounding. (gcc -std=c11 does not
   contract; clang has to be told.) */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* fixed-point weights that leave room for 8-bit values and a little overshoot */
enum { WEIGHT_BITS = 32 - 8 - 2 };

/* How one axis of the crop is made from the picture's: output i is the sum over t < length[i] of
   weights[i * taps + t] * input[first[i] + t]. */
typedef struct Axis {
    int count, taps;
    int *first, *length;
    int32_t *weights;
    int from, to; /* inputs that are used at all: from <= i < to */
} Axis;

static void free_axis(Axis *axis)
{
    free(axis->first);
    free(axis->length);
    free(axis->weights);
}

/* The weights of output `i` of the resized axis, a triangle around its centre, as Pillow computes
   them (Resample.c, precompute_coeffs and normalize_coeffs_8bpc): in double, normalised, then
   rounded to fixed point. */
static void make_weights(Axis *axis, int k, int64_t i, int in, double scale, double *w)
{
    double support = scale < 1.0 ? 1.0 : scale;
    double center = ((double)i + 0.5) * scale, inverse = 1.0 / support, sum = 0.0;
    int first = (int)(center - support + 0.5), last = (int)(center + support + 0.5);
    if (first < 0)
        first = 0;
    if (last > in)
        last = in;
    int length = last - first;
    for (int t = 0; t < length; t++) {
        double distance = fabs((t + first - center + 0.5) * inverse);
        w[t] = distance < 1.0 ? 1.0 - distance : 0.0;
        sum += w[t];
    }
    for (int t = 0; t < length; t++)
        axis->weights[(size_t)k * (size_t)axis->taps + (size_t)t] =
            (int32_t)(0.5 + w[t] / sum * (1 << WEIGHT_BITS));
    axis->first[k] = first;
    axis->length[k] = length;
    if (k == 0 || first < axis->from)
        axis->from = first;
    if (k == 0 || last > axis->to)
        axis->to = last;
}

/* An axis of `in` pixels resized to `full`, of which the `count` in the middle are wanted. */
static int plan_axis(Axis *axis, int in, int64_t full, int count)
{
    double scale = (double)in / (double)full;
    size_t taps = (size_t)ceil(scale < 1.0 ? 1.0 : scale) * 2 + 1, n = (size_t)count;
    *axis = (Axis){ .count = count, .taps = (int)taps };
    axis->first = malloc(n * sizeof *axis->first);
    axis->length = malloc(n * sizeof *axis->length);
    axis->weights = malloc(n * taps * sizeof *axis->weights);
    double *scratch = malloc(taps * sizeof *scratch);
    int status = axis->first && axis->length && axis->weights && scratch ? 0 : -1;
    if (status == 0)
        for (int k = 0; k < count; k++)
            make_weights(axis, k, (full - count) / 2 + k, in, scale, scratch);
    else
        free_axis(axis);
    free(scratch);
    return status;
}

static uint8_t clip(int32_t sum)
{
    sum >>= WEIGHT_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

static bool is_of_pictures(int channels)
{
    return channels == 1 || channels == 3;
}

int image_check_channels(const char *network, int channels, Error *error)
{
    if (is_of_pictures(channels))
        return 0;
    return error_set(error, EXIT_INPUT,
                     "the network %s takes images of %d channels; picture files have 1 or 3",
                     network, channels);
}

/* One row of the picture in the channels wanted: luma of RGB, or grey three times. Both counts are
   1 or 3. */
static const uint8_t *convert_row(const Image *image, int y, int channels, uint8_t *row)
{
    const uint8_t *from = image->pixels
                          + (size_t)y * (size_t)image->width * (size_t)image->channels;
    if (image->channels == channels)
        return from;
    for (int x = 0; x < image->width; x++) {
        if (channels == 1)
            row[x] = (uint8_t)((from[3 * x] * 19595 + from[3 * x + 1] * 38470
                                + from[3 * x + 2] * 7471 + 0x8000)
                               >> 16);
        else
            memset(row + 3 * (size_t)x, from[x], 3);
    }
    return row;
}

static void resize_row(const Axis *axis, const uint8_t *from, int channels, uint8_t *to)
{
    for (int x = 0; x < axis->count; x++) {
        const int32_t *weights = axis->weights + (size_t)x * (size_t)axis->taps;
        const uint8_t *pixel = from + (size_t)axis->first[x] * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            int32_t sum = 1 << (WEIGHT_BITS - 1);
            for (int t = 0; t < axis->length[x]; t++)
                sum += pixel[t * channels + c] * weights[t];
            *to++ = clip(sum);
        }
    }
}

/* rows[0] is row axis->from of the picture, already resized to `pitch` bytes. */
static void resize_columns(const Axis *axis, const uint8_t *rows, size_t pitch, int32_t *sums,
                           uint8_t *to)
{
    for (int y = 0; y < axis->count; y++, to += pitch) {
        for (size_t x = 0; x < pitch; x++)
            sums[x] = 1 << (WEIGHT_BITS - 1);
        for (int t = 0; t < axis->length[y]; t++) {
            const uint8_t *row = rows + (size_t)(axis->first[y] + t - axis->from) * pitch;
            int32_t weight = axis->weights[(size_t)y * (size_t)axis->taps + (size_t)t];
            for (size_t x = 0; x < pitch; x++)
                sums[x] += row[x] * weight;
        }
        for (size_t x = 0; x < pitch; x++)
            to[x] = clip(sums[x]);
    }
}

/* Both passes, over the rows and columns that the crop needs only. */
static int resize(const Image *image, const Axis *across, const Axis *down, int channels,
                  uint8_t *out)
{
    size_t pitch = (size_t)across->count * (size_t)channels;
    uint8_t *converted = malloc((size_t)image->width * (size_t)channels);
    uint8_t *rows = malloc((size_t)(down->to - down->from) * pitch);
    int32_t *sums = malloc(pitch * sizeof *sums);
    int status = converted && rows && sums ? 0 : -1;
    if (status == 0) {
        for (int y = down->from; y < down->to; y++)
            resize_row(across, convert_row(image, y, channels, converted), channels,
                       rows + (size_t)(y - down->from) * pitch);
        resize_columns(down, rows, pitch, sums, out);
    }
    free(converted);
    free(rows);
    free(sums);
    return status;
}

/* a * b / c, rounded half up, but at least `least`. */
static int64_t scaled(int64_t a, int64_t b, int64_t c, int64_t least)
{
    int64_t value = (2 * a * b + c) / (2 * c);
    return value < least ? least : value;
}

int image_fit(const Image *image, int width, int height, int channels, uint8_t *out, Error *error)
{
    int64_t w = image->width, h = image->height;
    int64_t full_width = width, full_height = height;
    if (!is_of_pictures(channels) || !is_of_pictures(image->channels))
        return error_set(error, EXIT_INPUT,
                         "a picture of %d channels is none of %d: pictures have 1 or 3",
                         image->channels, channels);
    if (width * h >= height * w)
        full_height = scaled(h, width, w, height);
    else
        full_width = scaled(w, height, h, width);
    if (full_width == w && full_height == h && w == width && h == height
        && image->channels == channels) {
        memcpy(out, image->pixels, (size_t)w * (size_t)h * (size_t)channels);
        return 0;
    }
    Axis across, down;
    int status = plan_axis(&across, image->width, full_width, width);
    if (status == 0) {
        status = plan_axis(&down, image->height, full_height, height);
        if (status == 0) {
            status = resize(image, &across, &down, channels, out);
            free_axis(&down);
        }
        free_axis(&across);
    }
    if (status != 0)
        return error_set_shortage(error, "not enough memory to scale a picture of %d x %d pixels",
                                  image->width, image->height);
    return 0;
}

void image_mirror(const uint8_t *from, int width, int height, int channels, uint8_t *to)
{
    for (int row = 0; row < height; row++, from += (size_t)width * (size_t)channels)
        for (int column = width - 1; column >= 0; column--)
            for (int c = 0; c < channels; c++)
                *to++ = from[column * channels + c];
}
