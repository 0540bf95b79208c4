/* pictures_private.h - shapes and their paint, for the built-in pictures.
 *
 * Every machine must draw the same bytes. So all of it is computed in integers, or in doubles by
 * single products, quotients and square roots, which IEEE 754 rounds in one way only (a product and
 * a sum might become one fused operation, or not). Lengths and positions are in 1/256 pixel,
 * directions are (cos, sin) * 4096, light and coverage are in 1/256. */
#ifndef CAEC_PICTURES_PRIVATE_H
#define CAEC_PICTURES_PRIVATE_H

#include "pictures.h"

enum { PIXEL = 256, UNIT = 4096, MAX_SIDES = 6 };
enum { MAX_RADIUS = 1000 * PIXEL }; /* keeps all products within 64 bits */

typedef struct Canvas {
    int height, width, channels;
    uint8_t *pixels;
} Canvas;

typedef struct Direction {
    int x, y;
} Direction;

/* A convex shape around (0, 0): an ellipse, or where sides > 0 the points p with p . normal[i] <=
   distance[i] for all sides. */
typedef struct Shape {
    int sides;
    Direction normal[MAX_SIDES];
    int64_t distance[MAX_SIDES];
    double inverse[MAX_SIDES]; /* 1 / normal.x; 0 where that is 0 */
    int64_t reach;             /* |y| of its points is at most this */
    int64_t reach2, slant;     /* ellipse: reach squared; shift in x per y, * 2^24 */
    double stretch;            /* ellipse: half width at y is stretch * sqrt(reach2 - y^2) */
} Shape;

/* Half axes a (along `along`) and b. */
Shape shape_ellipse(int64_t a, int64_t b, Direction along);
Shape shape_rectangle(int64_t a, int64_t b, Direction along);
/* 3, 5 or 6 sides with evenly turned normals, the first along `along`, at distance[i] from the
   centre. */
Shape shape_polygon(int sides, const int64_t *distance, Direction along);

/* What a shape looks like. The light at a pixel d pixels off the centre is 256 + slope . d / 2^8 +
   bulge - fall * |d - glint|^2 / 2^16 + wave + grain, and multiplies the colour. */
typedef struct Paint {
    int colour[3];               /* 0..255 */
    int slope_x, slope_y;        /* 1/256 of light a pixel */
    int bulge, glint_x, glint_y; /* light; pixels */
    int64_t fall;
    int wave, wave_x, wave_y; /* amplitude in light; phase steps per pixel in 1/65536 of a turn */
    int grain;                /* amplitude in light */
    uint32_t salt;            /* of the grain */
} Paint;

/* Paints a shape centred at (x, y), antialiased. */
void shape_paint(const Canvas *canvas, const Shape *shape, int64_t x, int64_t y,
                 const Paint *paint);
/* Darkens what is there by strength / 256. */
void shape_darken(const Canvas *canvas, const Shape *shape, int64_t x, int64_t y, int strength);

/* Paints the whole canvas, the centre being its own. */
void canvas_fill(const Canvas *canvas, const Paint *paint);

#endif
