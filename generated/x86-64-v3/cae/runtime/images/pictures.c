#include "pictures.h"

#include "pictures_private.h"
#include "pictures_random.h"
#include "signal_draw.h"

#include <math.h>
#include <stddef.h>

/* cos = (1 - t^2) / (1 + t^2), sin = 2 t / (1 + t^2) for a rational t makes directions without
   tables; then a random quarter turn. */
static Direction direction(Random *random)
{
    int64_t t = random_between(random, 0, UNIT), one = UNIT;
    int x = (int)(one * (one * one - t * t) / (one * one + t * t));
    int y = (int)(2 * one * one * t / (one * one + t * t));
    switch (random_next(random) >> 30) {
    case 0: return (Direction){ x, y };
    case 1: return (Direction){ -y, x };
    case 2: return (Direction){ -x, -y };
    default: return (Direction){ y, -x };
    }
}

/* What all leaves of a picture have in common. */
enum { PALETTE = 6 };
typedef struct Scene {
    Random random;
    Canvas canvas;
    int64_t least, most;                                   /* radii */
    Direction light;                                       /* shadows fall this way */
    int hue[PALETTE], saturation[PALETTE], value[PALETTE]; /* hue 0..1535, the others 0..255 */
    int darkest, brightest;
} Scene;

/* Hue in sixths of a turn of 256 steps each. */
static void to_rgb(int hue, int saturation, int value, int *rgb)
{
    int sector = hue / 256, part = hue % 256;
    int low = value * (255 - saturation) / 255;
    int falling = value * (255 * 256 - saturation * part) / (255 * 256);
    int rising = value * (255 * 256 - saturation * (256 - part)) / (255 * 256);
    int table[6][3] = { { value, rising, low },  { falling, value, low }, { low, value, rising },
                        { low, falling, value }, { rising, low, value },  { value, low, falling } };
    for (int c = 0; c < 3; c++)
        rgb[c] = table[sector][c];
}

static int clamp(int64_t value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)value;
}

/* Colours that go together: most near one hue, one or two near its opposite, from dark to bright,
   few of them strong. */
static void choose_palette(Scene *scene)
{
    Random *random = &scene->random;
    int hue = (int)random_between(random, 0, 1535);
    scene->darkest = (int)random_between(random, 10, 60);
    scene->brightest = (int)random_between(random, 215, 255);
    for (int i = 0; i < PALETTE; i++) {
        int opposite = i >= 4 ? 768 : 0;
        scene->hue[i] = (int)((hue + opposite + random_between(random, 0, 400) + 1336) % 1536);
        scene->saturation[i] = (int)(i % 3 == 0 ? random_between(random, 110, 215)
                                                : random_between(random, 10, 120));
        scene->value[i] = (int)(scene->darkest
                                + (scene->brightest - scene->darkest) * i / (PALETTE - 1)
                                + random_between(random, -20, 20));
    }
}

static void choose_colour(Scene *scene, int *rgb)
{
    Random *random = &scene->random;
    int i = (int)random_between(random, 0, PALETTE - 1);
    int hue = (int)((scene->hue[i] + random_between(random, 0, 90) + 1491) % 1536);
    int saturation = clamp(scene->saturation[i] + random_between(random, -35, 35), 0, 255);
    int value = clamp(scene->value[i] + random_between(random, -30, 30), scene->darkest, 255);
    to_rgb(hue, saturation, value, rgb);
}

/* Shading and texture for a shape of this radius. */
static Paint choose_paint(Scene *scene, int64_t radius)
{
    Random *random = &scene->random;
    int pixels = (int)(radius / PIXEL) + 1;
    Paint paint = { .salt = random_next(random) };
    choose_colour(scene, paint.colour);
    int slope = (int)random_between(random, 0, 110) * 256 / pixels;
    Direction d = direction(random);
    paint.slope_x = slope * d.x / UNIT;
    paint.slope_y = slope * d.y / UNIT;
    if (random_between(random, 0, 2) == 0) {
        paint.bulge = (int)random_between(random, 30, 110);
        paint.fall = paint.bulge * INT64_C(65536) / ((int64_t)pixels * pixels);
        paint.glint_x = -scene->light.x * pixels / (3 * UNIT);
        paint.glint_y = -scene->light.y * pixels / (3 * UNIT);
    }
    if (pixels >= 5 && random_between(random, 0, 3) == 0) {
        /* waves from 4 pixels to the radius */
        int turns = (int)random_between(random, 65536 / pixels, 65536 / 4);
        d = direction(random);
        paint.wave = (int)random_between(random, 10, 70);
        paint.wave_x = turns * d.x / UNIT;
        paint.wave_y = turns * d.y / UNIT;
    }
    if (random_next(random) >> 31)
        paint.grain = (int)random_between(random, 4, 28);
    return paint;
}

/* from..to hundredths of the radius. (Numbers are drawn one a statement: the order in which a
   call's arguments are computed is the compiler's choice.) */
static int64_t portion(Random *random, int64_t radius, int from, int to)
{
    return radius * random_between(random, from, to) / 100;
}

static Shape choose_polygon(Random *random, int64_t radius, Direction along)
{
    static const int choices[] = { 3, 5, 6 };
    int64_t distance[MAX_SIDES];
    int sides = choices[random_between(random, 0, 2)];
    for (int i = 0; i < sides; i++)
        distance[i] = portion(random, radius, 60, 90);
    return shape_polygon(sides, distance, along);
}

static Shape choose_shape(Random *random, int64_t radius)
{
    int64_t kind = random_between(random, 0, 9), a, b;
    Direction along = direction(random);
    if (kind < 3)
        return shape_ellipse(radius, radius, along);
    if (kind < 6) {
        a = portion(random, radius, 100, 150);
        b = portion(random, radius, 40, 90);
        return shape_ellipse(a, b, along);
    }
    if (kind < 8) {
        a = portion(random, radius, 70, 120);
        b = portion(random, radius, 50, 90);
        return shape_rectangle(a, b, along);
    }
    if (kind < 9) { /* a stripe */
        a = portion(random, radius, 200, 350);
        b = portion(random, radius, 15, 30);
        return shape_rectangle(a, b, along);
    }
    return choose_polygon(random, radius, along);
}

/* A density of r^-3 between least and most makes 1 / r^2 uniform between their inverse squares. */
static int64_t choose_radius(Scene *scene)
{
    int64_t u = random_between(&scene->random, 0, (1 << 20) - 1);
    int64_t least2 = scene->least * scene->least, most2 = scene->most * scene->most;
    int64_t inverse = (u * most2 + ((1 << 20) - u) * least2) >> 20;
    return (int64_t)sqrt((double)(least2 / 16 * most2 / inverse * 16));
}

/* Two faint copies at growing distances look like one soft shadow. */
static void cast_shadow(const Scene *scene, const Shape *shape, int64_t x, int64_t y,
                        int64_t radius)
{
    int64_t step = PIXEL * 3 / 4 + radius / 16;
    for (int i = 1; i <= 2; i++)
        shape_darken(&scene->canvas, shape, x + scene->light.x * step * i / UNIT,
                     y + scene->light.y * step * i / UNIT, 46);
}

/* Drops one leaf anywhere it may touch the canvas; returns about how many pixels of the canvas such
   a leaf covers on average. */
static int64_t drop_leaf(Scene *scene)
{
    const Canvas *canvas = &scene->canvas;
    int64_t radius = choose_radius(scene), width = (int64_t)canvas->width * PIXEL,
            height = (int64_t)canvas->height * PIXEL;
    int64_t x = random_between(&scene->random, -radius, width + radius),
            y = random_between(&scene->random, -radius, height + radius);
    Shape shape = choose_shape(&scene->random, radius);
    Paint paint = choose_paint(scene, radius);
    if (radius >= 5 * PIXEL)
        cast_shadow(scene, &shape, x, y, radius);
    shape_paint(canvas, &shape, x, y, &paint);
    int64_t r = radius / 16; /* keeps the products within 64 bits */
    return 3 * r * r * canvas->width / (canvas->width + 2 * radius / PIXEL) * canvas->height
           / (canvas->height + 2 * radius / PIXEL);
}

static void draw_leaves(uint64_t seed, uint64_t index, int height, int width, int channels,
                        uint8_t *out)
{
    Scene scene = { .random = random_of(seed, index), .canvas = { height, width, channels, out } };
    int64_t side = height < width ? height : width;
    /* some pictures are calmer than others */
    int64_t finest = random_between(&scene.random, 36, 90);
    scene.least = clamp(side * PIXEL / finest, PIXEL, MAX_RADIUS / 100);
    scene.most = clamp(side * PIXEL / 3, 2 * PIXEL, MAX_RADIUS);
    scene.light = direction(&scene.random);
    choose_palette(&scene);
    Paint ground = choose_paint(&scene, side * PIXEL);
    canvas_fill(&scene.canvas, &ground);

    /* On average each pixel ends up under this many leaves: few see the ground, and the oldest no
       longer matter. */
    enum { LAYERS = 4 };
    int64_t wanted = (int64_t)LAYERS * height * width * (PIXEL / 16) * (PIXEL / 16);
    for (int64_t covered = 0; covered < wanted;)
        covered += drop_leaf(&scene) + 1;
}

void picture_draw(uint64_t seed, uint64_t index, int height, int width, int channels, uint8_t *out)
{
    int length = signal_length(height, width);
    if (length)
        signal_draw(seed, index, length, channels, out);
    else
        draw_leaves(seed, index, height, width, channels, out);
}
