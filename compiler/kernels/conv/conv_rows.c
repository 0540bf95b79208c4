/* conv_rows - direct convolution and its transpose for streams, one row a call: the tiles of
 * conv_direct, but no rows of its own.
 *
 * The rows of the input lie in a ring, padded with zeros, where the step before put them; the row
 * that comes out goes to its place in the next step's ring. A pool is taken in without a buffer:
 * the tile joins neighbouring pixels in registers and then, from the second row of a window on,
 * with what the rows before left in that place. An upsampled input stays small: outputs whose
 * windows lie alike on the repeated pixels, a phase, form a convolution of their own, whose taps
 * are sums of those that meet the same pixel (see packing_folded). */
#include "../conv.h"

enum { LARGEST_POOL = 4 }; /* windows that fit into the registers of a small tile */

static const char *text(const Node *core)
{
    (void)core;
    return "conv_rows.c.in";
}

/* Of several phases, neighbouring pixels are in different tiles. */
static bool takes_pool(const Node *core, const Node *pool)
{
    ConvShape s = conv_shape(core);
    bool phases = conv_scatters(core) ? s.stride_w > 1 : s.up_w > 1;
    return !phases && pool_side(pool) <= LARGEST_POOL;
}

/* Which rows of the input a row of the output reads, and how they are padded. */
static void plan_input(Step *step, const ConvShape *s, int width, int height, bool folds)
{
    bool scatters = conv_scatters(step->core);
    int in_c = scatters ? s->co : s->ci, in_w = scatters ? s->out_w : s->in_w;
    Rows rows = { .count = height,
                  .pool = step->pool ? pool_side(step->pool) : 1,
                  .left = s->pad_left,
                  .over = s->up_h,
                  .times = s->stride_h,
                  .from = -s->pad_top,
                  .to = s->window_h - 1 - s->pad_top };
    int columns;
    if (scatters) {
        rows = (Rows){ .count = height,
                       .pool = rows.pool,
                       .over = s->stride_h,
                       .times = 1,
                       .from = s->pad_top - s->window_h + s->stride_h,
                       .to = s->pad_top };
        columns = conv_spread_row(s, width, in_w, &rows.left);
    } else {
        rows.left = folds ? (s->pad_left + s->up_w - 1) / s->up_w : s->pad_left;
        columns = ((width - 1) * s->stride_w - s->pad_left + s->window_w - 1 + rows.left * s->up_w)
                      / s->up_w
                  + 1;
    }
    columns = columns > rows.left + in_w ? columns : rows.left + in_w;
    rows.room = columns * in_c;
    step->rows = rows;
}

static Folding conv_folding(const ConvShape *s)
{
    return (Folding){ .stride = { s->stride_h, s->stride_w },
                      .dilation = { s->dilation_h, s->dilation_w },
                      .up = { s->up_h, s->up_w },
                      .pad = { s->pad_top, s->pad_left },
                      .groups = s->groups };
}

/* After so many outputs the windows lie on the repeated pixels as before. */
static int fold_phases(int stride, int up)
{
    int n = 1;
    while (n * stride % up != 0)
        n++;
    return n;
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    bool scatters = conv_scatters(core), folds = !scatters && (s.up_h > 1 || s.up_w > 1);
    int lanes = settings_lanes(settings), out_c = (scatters ? s.ci : s.co) / s.groups, height,
        width;
    conv_effective_size(step, &s, &height, &width);
    plan_input(step, &s, width, height, folds);
    int pool = step->rows.pool, vectors = conv_vectors(out_c, settings),
        most = conv_accumulators(settings);
    if (vectors * pool > most)
        vectors = most / pool;
    int phases = scatters ? s.stride_w : fold_phases(s.stride_w, s.up_w);
    most = most / vectors > 14 ? 14 : most / vectors;
    step_number(step, "WIDTH", width);
    step_number(step, "PIXELS",
                pool * conv_tile((width / pool + phases - 1) / phases, most / pool));
    step_number(step, "VECTORS", vectors);
    step_number(step, "LEFT", step->rows.left);
    step_number(step, "DEPTH", rows_depth(&step->rows));
    step_node(step, "x", core->input[0]);
    step_node(step, "y",
              step->pool   ? step->pool
              : step->act  ? step->act
              : step->bias ? step->bias
                           : core);
    if (folds)
        step_packing(step, "w",
                     packing_folded(core->input[1], vectors * lanes, lanes, conv_folding(&s)));
    else
        step_packing(
            step, "w",
            packing_blocks(core->input[1], vectors * lanes, lanes, conv_taps(&s, scatters)));
    if (step->bias)
        step_packing(step, "b", conv_bias_packing(step, &s, settings));
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    ConvShape s = conv_shape(step->core);
    return conv_rows_fit(&s, 1);
}

static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings),
        wide = (conv_scatters(step->core) ? s.ci : s.co) / s.groups;
    double filled = (double)(wide + lanes - 1) / lanes * lanes / wide;
    return step->core->op->macs(step->core) / lanes / 2 * filled;
}

static const char *const ops[] = { "conv2d", "conv2d_transpose", NULL };

const Kernel kernel_conv_rows = {
    .name = "conv_rows",
    .about = "direct convolution of a stream, a row a call; upsampled input by summed taps",
    .rows = true,
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL,
    .takes_pool = takes_pool,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
