/* conv_winograd - 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): Y = At [(G g Gt) . (Bt d
 * B)] A for tiles of 4x4 outputs, with the points of points.c.in (Lavin and Gray 2016, "Fast
 * algorithms for convolutional neural networks", section 4.3).
 *
 * The image is taken in strips of tile rows. Bt d B of all its tiles gives V, 36 matrices tiles x
 * channels; 36 products with the prepared weights U give M; At M A gives rows of outputs, which
 * then go through activation and pool.
 *
 * The gradients differentiate this algorithm instead of being convolutions of their own: with D = A
 * dY At, dU = sum over the tiles of V D and dX = B (D U) Bt, both on the same D; dU is summed over
 * the images of a chunk and becomes dg = Gt dU G once, at its end.
 *
 * Rounding: forward within 2e-6 of the largest value, gradients within 4e-6, in float
 * (tests/kernels/test_conv_winograd.c holds it there); and exactly 0 where a whole patch of the
 * input is 0, see zero_windows.c.in.
 *
 * Upsampling by 2 before the convolution is undone: each of the four places in a 2x2 cell is a
 * convolution of the small image with sums of the taps, so the layer is one of 4 times the channels
 * on the small image. The sums have two taps a side, not three, so on each side their transform is
 * 0 at one of the points, 0 or infinity: of 36 products of each of the four, 11 are left out, for
 * dX always, else where skips() lets them (phases_at in winograd.c.in). */
#include "../conv.h"

enum { TILE = 4, POINTS = 36, POINTS_OF_A_PHASE = 25, STRIP_TILES = 28 };

enum { SKIPS_NOTHING, SKIPS_BLOCKS, SKIPS_VECTORS };

static bool is_forward(const Node *core)
{
    return core->op == &op_conv2d;
}

static const char *text(const Node *core)
{
    return is_forward(core) ? "conv_winograd.c.in" : "conv_winograd_backward.c.in";
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    ConvShape s = conv_shape(step->core);
    bool same = s.pad_top == 1 && s.pad_left == 1 && s.out_h == s.in_h * s.up_h
                && s.out_w == s.in_w * s.up_w;
    bool folded = s.up_h == s.up_w && (s.up_h == 1 || (s.up_h == 2 && same));
    return conv_is_3x3(&s) && folded && s.out_h >= TILE && s.out_w >= TILE;
}

/* With upsampling a finished row of the image comes from two phases, too late for a pool. */
static bool takes_pool(const Node *core, const Node *pool)
{
    return node_takes_maximum(pool) && node_number(core, "up_h") == 1
           && TILE % pool_side(pool) == 0;
}

static int round_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

/* Tile rows in a strip: enough tiles to fill the registers' rows, and where the weights do not stay
   in the second cache, as many as do. */
static int strip_rows(int tile_rows, int tile_columns, double weight_bytes,
                      const Settings *settings)
{
    int most = weight_bytes > settings->target->l2_bytes ? 2 * STRIP_TILES : STRIP_TILES;
    int rows = (STRIP_TILES + tile_columns - 1) / tile_columns;
    while ((rows + 1) * tile_columns <= most)
        rows++;
    /* one that divides, where it is near */
    for (int r = rows; r <= tile_rows && r * tile_columns <= most + STRIP_TILES; r++)
        if (tile_rows % r == 0)
            return r;
    return rows < tile_rows ? rows : tile_rows;
}

/* From one of the 36 matrices to the next. A transform stores to all of them at once: at a distance
   of whole pages they would share one set of the first cache. */
static int plane_reals(int rows, int columns, const Settings *settings)
{
    int line = 64 / settings_real_bytes(settings),
        reals = (rows * columns + line - 1) / line * line;
    return reals / line % 2 == 0 ? reals + line : reals;
}

/* What products over the columns of all phases leave out: whole blocks, where each lies in one
   phase; or vectors, where the one block is a vector of each. */
static int skips(const ConvShape *s, const Settings *settings)
{
    int lanes = settings_lanes(settings),
        block = conv_vectors(s->up_h * s->up_h * s->co, settings) * lanes;
    if (s->up_h == 1)
        return SKIPS_NOTHING;
    return s->co % block == 0                     ? SKIPS_BLOCKS
           : s->co == lanes && block == 4 * lanes ? SKIPS_VECTORS
                                                  : SKIPS_NOTHING;
}

static void plan_numbers(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), height, width;
    conv_effective_size(step, &s, &height, &width);
    int phases = s.up_h * s.up_h, rows = (height / s.up_h + TILE - 1) / TILE,
        columns = (width / s.up_h + TILE - 1) / TILE;
    int in = round_up(s.ci, lanes), out = round_up(phases * s.co, lanes);
    int vectors = conv_vectors(phases * s.co, settings), in_vectors = conv_vectors(s.ci, settings);
    int accumulators = conv_accumulators(settings);
    int strip = strip_rows(rows, columns, 4.0 * POINTS * in * out, settings);
    int tiles = strip * columns;
    int pixels = accumulators / vectors < 14 ? accumulators / vectors : 14,
        in_pixels = accumulators / in_vectors < 14 ? accumulators / in_vectors : 14;
    int most = pixels > in_pixels ? pixels : in_pixels;
    const Node *pool = step->pool ? step->pool : step->d_pool;
    bool fused = s.up_h == 1 && s.co % lanes == 0 && (!pool || pool_side(pool) == 2);
    /* activation and pool in the registers of the transform, where the activation has vectors */
    step_number(step, "FUSED", fused);
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "TILE_ROWS", rows);
    step_number(step, "TILE_COLUMNS", columns);
    step_number(step, "STRIP", strip);
    step_number(step, "PHASES", phases);
    step_number(step, "SKIPS", skips(&s, settings));
    step_number(step, "IN", in);
    step_number(step, "OUT", out);
    step_number(step, "VECTORS", vectors);
    step_number(step, "IN_VECTORS", in_vectors);
    step_number(step, "PIXELS", pixels);
    step_number(step, "IN_PIXELS", in_pixels);
    /* the last tile of registers may run over */
    step_number(step, "IN_PLANE", plane_reals(tiles + most, in, settings));
    step_number(step, "OUT_PLANE", plane_reals(tiles + most, out, settings));
    step_number(step, "ROW", round_up((columns * TILE + 2) * s.ci + lanes, 16));
    step_number(step, "LINE", round_up(columns * TILE * phases * s.co + lanes, 16));
    step_number(step, "EDGE", (columns * TILE + 2) * in);
    step_number(step, "WIDE", round_up(width * s.co, 16));
    if (is_forward(step->core))
        step_number(step, "MARKS", conv_marks_bytes(columns * TILE));
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    int lanes = settings_lanes(settings);
    plan_numbers(step, settings);
    size_t out = (size_t)step_get(step, "OUT");
    size_t ring = (size_t)(TILE * step_get(step, "STRIP") + 3) * (size_t)step_get(step, "ROW");
    size_t line = (size_t)step_get(step, "LINE"), strip = (size_t)step_get(step, "STRIP");
    size_t matrices = POINTS * (size_t)(step_get(step, "IN_PLANE") + step_get(step, "OUT_PLANE"));
    if (is_forward(core)) {
        step_node(step, "x", core->input[0]);
        step_node(step, "y",
                  step->pool   ? step->pool
                  : step->act  ? step->act
                  : step->bias ? step->bias
                               : core);
        step_node(step, "codes", step->codes);
        step_packing(step, "w",
                     packing_winograd(core->input[1], step_get(step, "VECTORS") * lanes, lanes,
                                      s.up_h, false));
        if (step->bias)
            step_packing(step, "b", packing_plain(step->bias->input[1], lanes));
        step_scratch(step, ring + matrices + TILE * line
                               + conv_marks(TILE * step_get(step, "TILE_COLUMNS"),
                                            TILE * step_get(step, "STRIP") + 3, settings));
        return;
    }
    bool dw = core->op == &op_conv2d_dw;
    const Node *dx = dw ? step->dx : core;
    if (dw)
        step_node(step, "x", core->input[0]);
    step_dy(step, core->input[dw ? 1 : 0]);
    if (dx) {
        step_node(step, "dx", dx);
        step_packing(step, "w",
                     packing_winograd(dx->input[1], step_get(step, "IN_VECTORS") * lanes, lanes,
                                      s.up_h, true));
    }
    if (dw) {
        step_sum(step, POINTS * (size_t)s.ci * out);
        step_node(step, "db", step->db);
        step_node(step, "dw", core);
    }
    step_scratch(step, (dw ? ring : 0) + matrices + TILE * strip * line
                           + (dx ? 6 * (size_t)step_get(step, "EDGE") : 0)
                           + (s.up_h > 1 ? (size_t)step_get(step, "WIDE") : 0));
}

/* A quarter of the multiplications, as the tiles are filled, and transforms of 36 values a tile and
   channel on both sides. */
static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), phases = s.up_h * s.up_h;
    double tiles = (double)((s.out_h / s.up_h + TILE - 1) / TILE)
                   * ((s.out_w / s.up_h + TILE - 1) / TILE);
    double in = (double)round_up(s.ci, lanes), out = (double)round_up(phases * s.co, lanes);
    /* of channels, one side in whole vectors */
    double pairs = step->core->op == &op_conv2d_dx ? phases * s.co * in : s.ci * out;
    bool fewer = s.up_h > 1
                 && (step->core->op == &op_conv2d_dx || skips(&s, settings) != SKIPS_NOTHING);
    double products = tiles * (fewer ? POINTS_OF_A_PHASE : POINTS) * pairs / lanes / 2;
    return products * 1.1 + tiles * (in + out) / lanes * 180;
}

static const char *const ops[] = { "conv2d", "conv2d_dx", "conv2d_dw", NULL };

const Kernel kernel_conv_winograd = {
    .name = "conv_winograd",
    .about = "3x3 convolution of stride 1 by Winograd's F(4x4, 3x3), and its derivative",
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL | TAKES_DB | TAKES_DX,
    .takes_pool = takes_pool,
    .large = true,
    .text = text,
    .flush_text = "conv_winograd_flush.c.in",
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
