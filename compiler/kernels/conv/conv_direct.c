/* conv_direct - direct convolution and its transpose, any kernel size and stride, by rows of the
 * image.
 *
 * Gathering (conv2d, and dX of conv2d_transpose): for a row of outputs, each window row is one run
 * of kernel * channels values that starts stride * channels further for the next pixel; so a tile
 * of PIXELS x VECTORS accumulators stays in registers over the whole sum, as in a matrix product.
 *
 * Scattering (conv2d_transpose, and dX of conv2d) is the same with the kernel turned, on an image
 * spread out by the stride with zeros between. These are left out: outputs whose columns leave the
 * same rest by the stride, a phase, meet the same taps, every stride-th of a row, and form a
 * convolution of stride 1 of their own; of the rows of the window only every stride-th exists.
 *
 * Rows are first brought into a ring of padded rows: there pixels become reals, upsampling is
 * undone, and the gradient comes back through pool and activation, so none of these exists as a
 * whole image.
 *
 * With dilation or groups what a row of the window meets does not lie side by side: the sum then
 * goes tap by tap (APART in conv_phases.c.in), and a group's channels have tiles of their own. The
 * ring holds all rows that a window spans, those between its taps too.
 *
 * A signal, which is one row, is taken in segments of a row, as if they were rows: they are what
 * threads share, and what a first cache holds. A segment brings its own zeros, so that no ring has
 * to be cleared for the one row that it would hold.
 *
 * dW: a tile of TAPS x VECTORS accumulators is summed over a strip of rows and then added to the
 * gradient. Of conv2d_transpose the arriving gradient is the image whose windows meet, pixel by
 * pixel, the input. */
#include "../conv.h"

static bool is_forward(const Node *core)
{
    return node_heads_fusion(core);
}

enum { SEGMENT_PIXELS = 64 }; /* a segment has so many outputs, or some more */

/* dW has segments where the taps of a row are one run. */
static bool has_segments(const Node *core)
{
    ConvShape s = conv_shape(core);
    bool one_row = s.in_h == 1 && s.out_h == 1 && s.kernel_h == 1 && s.up_h == 1 && s.pad_top == 0;
    int width = conv_scatters(core) ? s.in_w : s.out_w;
    return one_row && width >= SEGMENT_PIXELS && (s.up_w == 1 || !conv_scatters(core))
           && (!conv_is_dw(core) || (conv_is_dense(&s) && s.pad_left >= 0));
}

static const char *text(const Node *core)
{
    if (has_segments(core))
        return conv_is_dw(core) ? "conv_direct_dw_segments.c.in" : "conv_direct_segments.c.in";
    return conv_is_dw(core) ? "conv_direct_dw.c.in" : "conv_direct.c.in";
}

static bool takes_pool(const Node *core, const Node *pool)
{
    (void)pool;
    return !has_segments(core);
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

static int smallest(int a, int b)
{
    return a < b ? a : b;
}

static void plan_rows(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    bool scatters = conv_scatters(core), forward = is_forward(core);
    int lanes = settings_lanes(settings), height, width, left = s.pad_left, row;
    conv_effective_size(step, &s, &height, &width);
    int in_c = scatters ? s.co : s.ci, out_c = scatters ? s.ci : s.co;
    int out_w = forward ? width : scatters ? s.in_w * s.up_w : s.out_w, depth = s.window_h;
    int vectors = conv_vectors(out_c / s.groups, settings),
        most = conv_accumulators(settings) / vectors;
    int pixels = conv_tile(scatters ? (out_w + s.stride_w - 1) / s.stride_w : out_w,
                           most > 14 ? 14 : most);
    if (scatters) {
        row = conv_spread_row(&s, out_w, forward ? s.out_w : width, &left) * in_c;
        depth = smallest((s.window_h + s.stride_h - 1) / s.stride_h, forward ? s.out_h : height);
    } else {
        depth = smallest(depth, s.in_h * s.up_h);
        row = largest((out_w - 1) * s.stride_w + s.window_w + s.up_w - 1,
                      left + (forward ? 0 : width))
              * in_c;
    }
    int line = out_w * out_c, pool = step->pool ? pool_side(step->pool) : 0;
    int lines = pool ? pool : scatters && (s.up_h > 1 || s.up_w > 1) ? 1 : 0;
    row = (row + 15) / 16 * 16;
    line = (line + 15) / 16 * 16;
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "PIXELS", pixels);
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_number(step, "LINE", line);
    step_number(step, "LEFT", left);
    step_number(step, "DEPTH", depth);
    step_packing(step, "w",
                 packing_blocks(core->input[1], vectors * lanes, lanes, conv_taps(&s, scatters)));
    step_scratch(step, (size_t)depth * (size_t)row + (size_t)lines * (size_t)line);
}

/* Outputs of a segment: all segments have as many, and begin at the same phase. */
static int segment_width(int width, int phases)
{
    for (int n = width / SEGMENT_PIXELS; n > 1; n--)
        if (width % n == 0 && width / n % phases == 0)
            return width / n;
    return width;
}

static void plan_segments(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    bool scatters = conv_scatters(core);
    int lanes = settings_lanes(settings), phases = scatters ? s.stride_w : 1, left = s.pad_left;
    int in_c = scatters ? s.co : s.ci, out_c = scatters ? s.ci : s.co,
        all = scatters ? s.in_w : s.out_w, width = segment_width(all, phases);
    int vectors = conv_vectors(out_c / s.groups, settings),
        most = conv_accumulators(settings) / vectors;
    int columns = scatters ? conv_spread_row(&s, width, 0, &left)
                           : (width - 1) * s.stride_w + s.window_w;
    step_number(step, "WIDTH", width);
    step_number(step, "SEGMENTS", all / width);
    step_number(step, "COLUMNS", columns);
    step_number(step, "ADVANCE", scatters ? width / s.stride_w : width * s.stride_w);
    step_number(step, "PIXELS", conv_tile(width / phases, most > 14 ? 14 : most));
    step_number(step, "VECTORS", vectors);
    step_number(step, "LEFT", left);
    step_packing(step, "w",
                 packing_blocks(core->input[1], vectors * lanes, lanes, conv_taps(&s, scatters)));
    step_scratch(step, (size_t)(columns * in_c + 15) / 16 * 16);
}

/* Weights that meet neighbouring values of a row: those of all its taps, where neither other
   channels nor other columns lie between. */
static int conv_run(const ConvShape *s)
{
    bool whole = s->dilation_w == 1 && s->groups == 1;
    return (whole ? s->kernel_w : 1) * s->ci / s->groups;
}

/* a strip holds about so many pixels, so that adding the tile to memory costs little */
enum { STRIP_PIXELS = 112 };

static void plan_dw(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), height, width, columns = 0, rows_in = s.in_h * s.up_h;
    conv_effective_size(step, &s, &height, &width);
    if (conv_is_transpose(step->core)) { /* the gradient is the image with the windows */
        rows_in = height;
        columns = s.pad_left + width;
        height = s.out_h;
        width = s.out_w;
    }
    int vectors = conv_vectors(s.co / s.groups, settings),
        most = conv_accumulators(settings) / vectors;
    int taps = conv_tile(conv_run(&s), most > 24 ? 24 : most);
    int strip = STRIP_PIXELS / width > 1 ? STRIP_PIXELS / width : 1;
    strip = strip > height ? height : strip;
    int before = largest(columns, s.pad_left);
    int row = largest((width - 1) * s.stride_w + s.window_w + s.up_w - 1, before) * s.ci,
        line = width * s.co + lanes;
    int rows = s.window_h + (strip - 1) * s.stride_h;
    row = (row + 15) / 16 * 16;
    line = (line + 15) / 16 * 16;
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "TAPS", taps);
    step_number(step, "VECTORS", vectors);
    step_number(step, "STRIP", strip);
    /* a dilated window spans more rows than there may be */
    int slots = s.dilation_h > 1 ? smallest(rows, rows_in) : rows;
    step_number(step, "ROWS", rows);
    step_number(step, "SLOTS", slots);
    step_number(step, "ROWS_IN", rows_in);
    step_number(step, "ROW", row);
    step_number(step, "LINE", line);
    step_scratch(step, (size_t)slots * (size_t)row + (size_t)strip * (size_t)line);
}

/* Outputs of a segment of dW: its strips fit into a first cache, and adding the tiles to memory
   costs little. */
enum { DW_SEGMENT_PIXELS = 128 };

static void plan_dw_segments(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), vectors = conv_vectors(s.co, settings),
        most = conv_accumulators(settings) / vectors;
    int segment = smallest(s.out_w, DW_SEGMENT_PIXELS),
        last = (s.out_w - 1) / segment * segment; /* where the last begins */
    int columns = largest((segment - 1) * s.stride_w + s.window_w, segment * s.stride_w);
    if (conv_is_transpose(step->core)) /* the last segment sees all columns that are left */
        columns = largest(columns, s.pad_left + s.in_w - last * s.stride_w);
    int row = (columns * s.ci + lanes + 15) / 16 * 16;
    step_number(step, "WIDTH", s.out_w);
    step_number(step, "SEGMENT", segment);
    step_number(step, "COLUMNS", columns);
    step_number(step, "TAPS", conv_tile(conv_run(&s), most > 24 ? 24 : most));
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_scratch(step, (size_t)row + (size_t)(segment * s.co + lanes + 15) / 16 * 16);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    if (conv_is_dw(core)) {
        step_node(step, "x", core->input[0]);
        step_dy(step, core->input[1]);
        step_node(step, "dw", core);
        step_node(step, "db", step->db);
        (has_segments(core) ? plan_dw_segments : plan_dw)(step, settings);
        return;
    }
    if (!is_forward(core)) {
        step_dy(step, core->input[0]);
        step_node(step, "dx", core);
    } else {
        step_node(step, "x", core->input[0]);
        step_node(step, "y",
                  step->pool   ? step->pool
                  : step->act  ? step->act
                  : step->bias ? step->bias
                               : core);
        step_node(step, "codes", step->codes);
        if (step->bias)
            step_packing(step, "b", conv_bias_packing(step, &s, settings));
    }
    (has_segments(core) ? plan_segments : plan_rows)(step, settings);
}

static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    ConvShape s = conv_shape(step->core);
    return conv_rows_fit(&s, s.window_h + STRIP_PIXELS * s.stride_h / smallest(s.out_w, s.in_w));
}

static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings),
        wide = (conv_scatters(step->core) ? s.ci : s.co) / s.groups;
    double filled = (double)(wide + lanes - 1) / lanes * lanes / wide;
    return step->core->op->macs(step->core) / lanes / 2 * filled * 1.15;
}

static const char *const ops[] = { "conv2d",
                                   "conv2d_dx",
                                   "conv2d_dw",
                                   "conv2d_transpose",
                                   "conv2d_transpose_dx",
                                   "conv2d_transpose_dw",
                                   NULL };

const Kernel kernel_conv_direct = {
    .name = "conv_direct",
    .about = "direct convolution by rows, tiles in registers; any kernel, stride and upsampling, "
             "transposed too",
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL | TAKES_DB,
    .takes_pool = takes_pool,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
