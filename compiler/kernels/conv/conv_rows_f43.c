/* conv_rows_f43 - 3x3 convolution of a stream by Winograd's F(4, 3) along the row (Lavin and Gray
 * 2016, "Fast Algorithms for Convolutional Neural Networks", in one dimension): six products for
 * four outputs of three taps, half of the multiply-adds, and no row more than the direct way.
 *
 * A strip of tiles, four pixels each, at a time: Bt d of its three rows; at each of the six points
 * a matrix product, which is a tile of conv_direct whose pixels are tiles and whose window is one
 * column wide; then At m, with bias, activation and pool as in conv_rows. */
#include "../conv.h"

enum { POINTS = 6, TILE = 4, TAPS = 3 };

static const char *text(const Node *core)
{
    (void)core;
    return "conv_rows_f43.c.in";
}

static bool takes_pool(const Node *core, const Node *pool)
{
    (void)core;
    return TILE % pool_side(pool) == 0;
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    ConvShape s = conv_shape(step->core);
    return conv_is_3x3(&s) && s.up_h == 1 && s.up_w == 1;
}

static int padded(int channels, int lanes)
{
    return (channels + lanes - 1) / lanes * lanes;
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    int lanes = settings_lanes(settings), height, width;
    conv_effective_size(step, &s, &height, &width);
    int tiles = (width + TILE - 1) / TILE, vectors = conv_vectors(s.co, settings),
        most = conv_accumulators(settings) / vectors;
    int strip = conv_tile(tiles, most > 14 ? 14 : most), columns = tiles * TILE + TAPS - 1;
    strip = strip > tiles ? tiles : strip;
    columns = columns > s.pad_left + s.in_w ? columns : s.pad_left + s.in_w;
    step->rows = (Rows){ .times = 1,
                         .from = -s.pad_top,
                         .to = TAPS - 1 - s.pad_top,
                         .over = 1,
                         .count = height,
                         .left = s.pad_left,
                         .room = columns * s.ci,
                         .pool = step->pool ? pool_side(step->pool) : 1 };
    step_number(step, "WIDTH", width);
    step_number(step, "TILES", tiles);
    step_number(step, "PIXELS", strip);
    step_number(step, "VECTORS", vectors);
    step_number(step, "DEPTH", TAPS);
    step_node(step, "x", core->input[0]);
    step_node(step, "y",
              step->pool   ? step->pool
              : step->act  ? step->act
              : step->bias ? step->bias
                           : core);
    step_packing(step, "w", packing_line(core->input[1], vectors * lanes, lanes, false));
    if (step->bias)
        step_packing(step, "b", packing_plain(step->bias->input[1], lanes));
    step_scratch(step,
                 (size_t)(POINTS * strip) * (size_t)(TAPS * padded(s.ci, lanes) + vectors * lanes));
}

/* Half the products; transforms; and, where the weights do not fit into the second cache beside
   other layers', bringing them in for each row. */
static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), out = padded(s.co, lanes);
    double tiles = (double)s.out_h * ((s.out_w + TILE - 1) / TILE),
           weights = (double)POINTS * TAPS * s.ci * out * settings_real_bytes(settings);
    double products = tiles * POINTS * TAPS * s.ci * out / lanes / 2,
           transforms = tiles * (TAPS * padded(s.ci, lanes) * 20.0 + out * 24.0) / lanes;
    return products + transforms
           + (weights > settings->target->l2_bytes ? weights / 16 * s.out_h : 0);
}

static const char *const ops[] = { "conv2d", NULL };

const Kernel kernel_conv_rows_f43 = {
    .name = "conv_rows_f43",
    .about = "3x3 convolution of a stream by F(4, 3) along the row, a row a call",
    .rows = true,
    .large = true,
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL,
    .takes_pool = takes_pool,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
