/* conv_winograd_line - convolution along rows, kernels {1, 3} of stride 1, by Winograd's F(4, 3) in
 * one dimension (Lavin and Gray 2016, "Fast algorithms for convolutional neural networks"): six
 * products for four outputs of three taps, half of the multiply-adds, with the points of
 * points.c.in.
 *
 * A strip of tiles, four pixels each, at a time: Bt d; at each of the six points a matrix product,
 * which is a tile of conv_direct whose pixels are tiles and whose window is one column wide; then
 * At m, with bias and activation. dX is the same on the gradient, with the kernel turned. dW
 * differentiates the algorithm: with D = A dY, dU = sum over the tiles of (Bt d) D, and dg = Gt dU.
 *
 * Rounding: forward within 2e-6 of the largest value, gradients within 4e-6, in float
 * (tests/kernels/test_conv_winograd_line.c holds it there). */
#include "../conv.h"

enum { POINTS = 6, TILE = 4, TAPS = 3 };

static const char *text(const Node *core)
{
    return conv_is_dw(core) ? "conv_winograd_line_dw.c.in" : "conv_winograd_line.c.in";
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    ConvShape s = conv_shape(step->core);
    return s.kernel_h == 1 && s.kernel_w == TAPS && s.stride_h == 1 && s.stride_w == 1
           && s.up_h == 1 && s.up_w == 1 && conv_is_dense(&s) && s.pad_top == 0 && s.pad_left >= 0
           && s.pad_left < TAPS && s.out_h == s.in_h && s.out_w >= TILE && s.in_w >= TILE
           && s.in_w - s.out_w >= 0 - TAPS + 1 && s.in_w - s.out_w < TAPS;
}

static int padded(int channels, int lanes)
{
    return (channels + lanes - 1) / lanes * lanes;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void plan_rows(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    bool scatters = conv_scatters(core);
    int lanes = settings_lanes(settings), in = scatters ? s.co : s.ci, out = scatters ? s.ci : s.co;
    int tiles = ((scatters ? s.in_w : s.out_w) + TILE - 1) / TILE;
    int vectors = conv_vectors(out, settings), most = conv_accumulators(settings) / vectors;
    int strip = conv_tile(tiles, most > 14 ? 14 : most);
    int row = padded((strip * TILE + TAPS - 1) * in + lanes, 16);
    step_number(step, "TILES", tiles);
    step_number(step, "PIXELS", strip);
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_packing(step, "w", packing_line(core->input[1], vectors * lanes, lanes, scatters));
    step_scratch(step,
                 (size_t)row
                     + (size_t)(POINTS * strip) * (size_t)(padded(in, lanes) + vectors * lanes));
}

/* Tiles of a strip of dW: so many that adding the sums to memory costs little, and so few that the
   strip stays in the first caches. */
enum { STRIP_TILES = 32 };

static void plan_dw(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), tiles = (s.out_w + TILE - 1) / TILE;
    int vectors = conv_vectors(s.co, settings), most = conv_accumulators(settings) / vectors;
    int strip = smaller(STRIP_TILES, tiles), in = padded(s.ci, lanes), out = padded(s.co, lanes);
    int row = padded((strip * TILE + TAPS - 1) * s.ci + lanes, 16),
        line = padded(strip * TILE * s.co + lanes, 16);
    step_number(step, "TILES", tiles);
    step_number(step, "STRIP", strip);
    step_number(step, "TAPS", conv_tile(s.ci, smaller(most, 24)));
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_number(step, "LINE", line);
    step_scratch(step, (size_t)(row + line) + (size_t)(POINTS * strip) * (size_t)(in + out)
                           + (size_t)(POINTS * s.ci) * (size_t)out);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    if (conv_is_dw(core)) {
        step_node(step, "x", core->input[0]);
        step_dy(step, core->input[1]);
        step_node(step, "dw", core);
        step_node(step, "db", step->db);
        plan_dw(step, settings);
        return;
    }
    if (node_heads_fusion(core)) {
        step_node(step, "x", core->input[0]);
        step_node(step, "y", step->act ? step->act : step->bias ? step->bias : core);
        if (step->bias)
            step_packing(step, "b", packing_plain(step->bias->input[1], settings_lanes(settings)));
    } else {
        step_dy(step, core->input[0]);
        step_node(step, "dx", core);
    }
    plan_rows(step, settings);
}

enum { FLUSH = 16 }; /* what bringing the sums back costs, in additions to them; measured */

/* Half the products, and transforms; of dW also the sums, which each strip adds to and the end of
   the image brings back to the taps. */
static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), in = conv_scatters(step->core) ? s.co : s.ci,
        out = conv_scatters(step->core) ? s.ci : s.co;
    double tiles = (double)s.out_h * ((s.out_w + TILE - 1) / TILE);
    double products = tiles * POINTS * in * padded(out, lanes) / lanes / 2,
           transforms = tiles * (padded(in, lanes) * 20.0 + padded(out, lanes) * 24.0) / lanes;
    double sums = conv_is_dw(step->core) ? (double)POINTS * s.ci * padded(s.co, lanes)
                                               * (tiles / STRIP_TILES + FLUSH) / lanes
                                         : 0;
    return products * 1.15 + transforms + sums;
}

static const char *const ops[] = { "conv2d", "conv2d_dx", "conv2d_dw", NULL };

const Kernel kernel_conv_winograd_line = {
    .name = "conv_winograd_line",
    .about = "convolution along rows, kernels {1, 3} of stride 1, by Winograd's F(4, 3)",
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_DB,
    .large = true,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
