#include "pictures_private.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct Span {
    int64_t left, right; /* empty where left >= right */
} Span;

/* An ellipse is a circle sheared and stretched: its middle line is x = slant * y, its half width a
   * b / reach^2 * sqrt(reach^2 - y^2). */
Shape shape_ellipse(int64_t a, int64_t b, Direction along)
{
    int64_t ss = (int64_t)along.y * along.y, cc = (int64_t)along.x * along.x;
    Shape shape = { 0 };
    shape.reach2 = (a * a * ss + b * b * cc) / ((int64_t)UNIT * UNIT);
    if (shape.reach2 < 1)
        shape.reach2 = 1;
    shape.reach = (int64_t)sqrt((double)shape.reach2) + 1;
    shape.stretch = (double)(a * b) / (double)shape.reach2;
    shape.slant = (a * a - b * b) * ((int64_t)along.x * along.y) / shape.reach2;
    return shape;
}

static Direction turned(Direction a, Direction b)
{
    return (Direction){ (a.x * b.x - a.y * b.y) / UNIT, (a.x * b.y + a.y * b.x) / UNIT };
}

static void add_side(Shape *shape, Direction normal, int64_t distance)
{
    int i = shape->sides++;
    shape->normal[i] = normal;
    shape->distance[i] = distance;
    shape->inverse[i] = normal.x ? 1.0 / normal.x : 0.0;
}

Shape shape_rectangle(int64_t a, int64_t b, Direction along)
{
    Shape shape = { 0 };
    shape.reach = (a * abs(along.y) + b * abs(along.x)) / UNIT + 1;
    Direction normal = along, quarter = { 0, UNIT };
    for (int i = 0; i < 4; i++) {
        add_side(&shape, normal, i % 2 == 0 ? a : b);
        normal = turned(normal, quarter);
    }
    return shape;
}

Shape shape_polygon(int sides, const int64_t *distance, Direction along)
{
    static const Direction steps[MAX_SIDES + 1] = {
        [3] = { -2048, 3547 }, [5] = { 1266, 3896 }, [6] = { 2048, 3547 }
    };
    Shape shape = { 0 };
    Direction normal = along;
    for (int i = 0; i < sides; i++) {
        add_side(&shape, normal, distance[i]);
        /* a regular triangle's corners are twice as far off as its sides */
        if (2 * distance[i] > shape.reach)
            shape.reach = 2 * distance[i];
        normal = turned(normal, steps[sides]);
    }
    return shape;
}

static Span span_at(const Shape *shape, int64_t y)
{
    Span span = { 0, 0 };
    if (y <= -shape->reach || y >= shape->reach)
        return span;
    if (shape->sides == 0) {
        int64_t left = shape->reach2 - y * y;
        int64_t half = left > 0 ? (int64_t)(sqrt((double)left) * shape->stretch) : 0;
        int64_t middle = shape->slant * y / (1 << 24);
        return (Span){ middle - half, middle + half };
    }
    span = (Span){ -4 * MAX_RADIUS, 4 * MAX_RADIUS };
    for (int i = 0; i < shape->sides; i++) {
        Direction n = shape->normal[i];
        int64_t rest = shape->distance[i] * UNIT - n.y * y;
        int64_t x = (int64_t)((double)rest * shape->inverse[i]);
        if (n.x > 0 && x < span.right)
            span.right = x;
        else if (n.x < 0 && x > span.left)
            span.left = x;
        else if (n.x == 0 && rest < 0)
            return (Span){ 0, 0 };
    }
    return span;
}

static int64_t floor_pixel(int64_t v)
{
    return v >= 0 ? v / PIXEL : -((PIXEL - 1 - v) / PIXEL);
}

/* A row of pixels under a shape: spans on a few lines across it. Pixels from <= x < to are touched,
   those in solid_from <= x < solid_to wholly covered. */
enum { MAX_LINES = 4 };
typedef struct Row {
    int lines; /* 1 or MAX_LINES */
    Span line[MAX_LINES];
    int64_t from, to, solid_from, solid_to;
} Row;

static void cut_row(Row *row, const Shape *shape, int64_t x, int64_t y, int row_y, int width)
{
    int64_t from = width, to = 0, solid_from = 0, solid_to = width;
    for (int i = 0; i < row->lines; i++) {
        int64_t line_y = (int64_t)row_y * PIXEL + (2 * i + 1) * PIXEL / (2 * row->lines);
        Span span = span_at(shape, line_y - y);
        row->line[i] = (Span){ 0, 0 };
        if (span.left >= span.right) {
            solid_to = 0;
            continue;
        }
        row->line[i].left = span.left += x;
        row->line[i].right = span.right += x;
        int64_t first = floor_pixel(span.left), last = floor_pixel(span.right);
        from = first < from ? first : from;
        to = last + 1 > to ? last + 1 : to;
        solid_from = first + 1 > solid_from ? first + 1 : solid_from;
        solid_to = last < solid_to ? last : solid_to;
    }
    row->from = from < 0 ? 0 : from;
    row->to = to > width ? width : to;
    row->solid_from = solid_from;
    row->solid_to = solid_to;
}

/* 0..256 */
static inline int coverage(const Row *row, int64_t x)
{
    if (x >= row->solid_from && x < row->solid_to)
        return PIXEL;
    int64_t left = x * PIXEL, right = left + PIXEL, sum = 0;
    for (int i = 0; i < row->lines; i++) {
        int64_t from = row->line[i].left > left ? row->line[i].left : left;
        int64_t to = row->line[i].right < right ? row->line[i].right : right;
        sum += to > from ? to - from : 0;
    }
    return (int)(row->lines == 1 ? sum : sum / MAX_LINES);
}

/* A wave of period 65536 and amplitude 256 made of parabolas, within 6 % of the sine. */
static int wave(uint32_t phase)
{
    int t = (int)(phase >> 7 & 511) - 256; /* -256..255 is one turn */
    return t * (256 - (t < 0 ? -t : t)) / 64;
}

static int grain(uint32_t x, uint32_t y, uint32_t salt)
{
    uint32_t h = (x * 0x9E3779B1u) ^ (y * 0x85EBCA77u) ^ salt;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    return (int)(h >> 23 & 255) - 128;
}

/* Light at (x, y) for a shape centred on the pixel (cx, cy). */
static int light_at(const Paint *paint, int x, int y, int cx, int cy)
{
    int dx = x - cx, dy = y - cy;
    int light = 256 + (paint->slope_x * dx + paint->slope_y * dy) / 256;
    if (paint->bulge) {
        int64_t gx = dx - paint->glint_x, gy = dy - paint->glint_y;
        light += paint->bulge - (int)((gx * gx + gy * gy) * paint->fall >> 16);
    }
    if (paint->wave)
        light += paint->wave * wave((uint32_t)(paint->wave_x * dx) + (uint32_t)(paint->wave_y * dy))
                 / 256;
    if (paint->grain)
        light += paint->grain * grain((uint32_t)x, (uint32_t)y, paint->salt) / 128;
    return light < 0 ? 0 : light > 4 * 256 ? 4 * 256 : light;
}

static void blend(uint8_t *pixel, const int *colour, int channels, int light, int cover)
{
    for (int c = 0, k = 0; c < channels; c++, k = k == 2 ? 0 : k + 1) {
        int value = colour[k] * light / 256;
        value = value > 255 ? 255 : value;
        pixel[c] = (uint8_t)(pixel[c] + (value - pixel[c]) * cover / 256);
    }
}

/* The colour as the canvas has it: one channel takes the luma of RGB. */
static Paint suited(const Paint *paint, const Canvas *canvas)
{
    Paint result = *paint;
    if (canvas->channels == 1)
        result.colour[0] = (paint->colour[0] * 19595 + paint->colour[1] * 38470
                            + paint->colour[2] * 7471 + 0x8000)
                           >> 16;
    return result;
}

static uint8_t *pixel_at(const Canvas *canvas, int64_t x, int y)
{
    return canvas->pixels
           + ((size_t)y * (size_t)canvas->width + (size_t)x) * (size_t)canvas->channels;
}

static void rows_of(const Canvas *canvas, const Shape *shape, int64_t y, int *first, int *last)
{
    int64_t top = floor_pixel(y - shape->reach), bottom = floor_pixel(y + shape->reach);
    *first = top < 0 ? 0 : (int)top;
    *last = bottom >= canvas->height ? canvas->height - 1 : (int)bottom;
}

void shape_paint(const Canvas *canvas, const Shape *shape, int64_t x, int64_t y, const Paint *paint)
{
    int first, last, cx = (int)floor_pixel(x), cy = (int)floor_pixel(y);
    Paint own = suited(paint, canvas);
    Row row = { .lines = MAX_LINES };
    rows_of(canvas, shape, y, &first, &last);
    for (int py = first; py <= last; py++) {
        cut_row(&row, shape, x, y, py, canvas->width);
        for (int64_t px = row.from; px < row.to; px++)
            blend(pixel_at(canvas, px, py), own.colour, canvas->channels,
                  light_at(&own, (int)px, py, cx, cy), coverage(&row, px));
    }
}

void shape_darken(const Canvas *canvas, const Shape *shape, int64_t x, int64_t y, int strength)
{
    int first, last;
    Row row = { .lines = 1 }; /* a shadow's edge is soft anyway */
    rows_of(canvas, shape, y, &first, &last);
    for (int py = first; py <= last; py++) {
        cut_row(&row, shape, x, y, py, canvas->width);
        for (int64_t px = row.from; px < row.to; px++) {
            uint8_t *pixel = pixel_at(canvas, px, py);
            int keep = 65536 - strength * coverage(&row, px);
            for (int c = 0; c < canvas->channels; c++)
                pixel[c] = (uint8_t)(pixel[c] * keep >> 16);
        }
    }
}

void canvas_fill(const Canvas *canvas, const Paint *paint)
{
    Paint own = suited(paint, canvas);
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++)
            blend(pixel_at(canvas, x, y), own.colour, canvas->channels,
                  light_at(&own, x, y, canvas->width / 2, canvas->height / 2), 256);
}
