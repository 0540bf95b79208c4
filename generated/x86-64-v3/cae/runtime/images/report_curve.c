#include "report_curve.h"

#include <string.h>

enum { MOST_WIDTH = 1024 };

int curve_width(int length)
{
    return length < MOST_WIDTH ? length : MOST_WIDTH;
}

size_t curve_bytes(int length)
{
    return (size_t)curve_width(length) * CURVE_HEIGHT * 3;
}

static int height_of(uint8_t value)
{
    return (CURVE_HEIGHT - 1) - value * (CURVE_HEIGHT - 1) / 255;
}

/* Column x: a line over all values of its samples, up to the first of the next column's. */
static void draw_column(const uint8_t *channel, int length, int channels, int x,
                        const uint8_t *colour, uint8_t *picture)
{
    int width = curve_width(length);
    int64_t from = (int64_t)x * length / width, to = (int64_t)(x + 1) * length / width;
    int low = 255, high = 0;
    for (int64_t t = from; t <= to && t < length; t++) {
        int value = channel[t * channels];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    for (int y = height_of((uint8_t)high); y <= height_of((uint8_t)low); y++)
        memcpy(picture + ((size_t)y * (size_t)width + (size_t)x) * 3, colour, 3);
}

const uint8_t *curve_draw(const uint8_t *signal, int length, int channels, uint8_t *picture)
{
    static const uint8_t colours[3][3] = { { 31, 95, 168 }, { 217, 102, 31 }, { 46, 125, 50 } };
    memset(picture, 243, curve_bytes(length));
    for (int c = 0; c < channels && c < 3; c++)
        for (int x = 0; x < curve_width(length); x++)
            draw_column(signal + c, length, channels, x, colours[c], picture);
    return picture;
}
