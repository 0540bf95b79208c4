/* conv_direct - direct convolution, any kernel size and stride, by rows of the image.
 *
 * forward and dX: for a row of outputs, each window row is one run of kernel * channels values that starts stride * channels further for the next
 * pixel; so a tile of PIXELS x VECTORS accumulators stays in registers over the whole sum, as in a matrix product. dX is the same with the
 * kernel turned, on the gradient spread out by the stride. Rows are first brought into a ring of `kernel` padded rows: there pixels become reals,
 * upsampling is undone, and the gradient comes back through pool and activation, so none of these exists as a whole image.
 *
 * dW: a tile of TAPS x VECTORS accumulators is summed over a strip of rows and then added to the gradient. */
#include "conv.h"
#include "forms.h"


static bool is_dw(const Node *core)
{
    return core->op == &op_conv2d_dw;
}

static const char *text(const Node *core)
{
    return is_dw(core) ? "conv_direct_dw.c.in" : "conv_direct.c.in";
}

/* Largest divisor of n that is at most `most`, or `most` itself where that one is under half of it (the rest is then a tile of its own). */
static int tile_size(int n, int most)
{
    for (int d = most < n ? most : n; d > 0; d--)
        if (n % d == 0 && (2 * d >= most || d == n))
            return d;
    return most;
}

static void plan_rows(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    bool dx = step->core->op == &op_conv2d_dx;
    int lanes = settings_lanes(settings), height, width;
    conv_effective_size(step, &s, &height, &width);
    int in_c = dx ? s.co : s.ci, out_c = dx ? s.ci : s.co;
    int out_w = dx ? s.in_w * s.up : width, stride = dx ? 1 : s.stride;
    int vectors = conv_vectors(out_c, settings), most = conv_accumulators(settings) / vectors;
    int pixels = tile_size(out_w, most > 14 ? 14 : most);
    int row = ((out_w - 1) * stride + s.kernel + (dx ? 0 : s.up - 1)) * in_c, line = out_w * out_c;
    int pool = step->pool ? node_number(step->pool, "size") : 0;
    int lines = pool ? pool : dx && s.up > 1 ? 1 : 0;
    row = (row + 15) / 16 * 16;
    line = (line + 15) / 16 * 16;
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "PIXELS", pixels);
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_number(step, "LINE", line);
    step_form(step, "w", form_blocks(step->core->input[1], vectors * lanes, lanes, dx));
    step_scratch(step, (size_t)s.kernel * (size_t)row + (size_t)lines * (size_t)line);
}

enum { STRIP_PIXELS = 112 };    /* a strip holds about so many pixels, so that adding the tile to memory costs little */

static void plan_dw(Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), height, width;
    conv_effective_size(step, &s, &height, &width);
    int vectors = conv_vectors(s.co, settings), most = conv_accumulators(settings) / vectors;
    int taps = tile_size(s.kernel * s.ci, most > 24 ? 24 : most);
    int strip = STRIP_PIXELS / width > 1 ? STRIP_PIXELS / width : 1;
    strip = strip > height ? height : strip;
    int row = ((width - 1) * s.stride + s.kernel + s.up - 1) * s.ci, line = width * s.co + lanes;
    int rows = s.kernel + (strip - 1) * s.stride;
    row = (row + 15) / 16 * 16;
    line = (line + 15) / 16 * 16;
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "TAPS", taps);
    step_number(step, "VECTORS", vectors);
    step_number(step, "STRIP", strip);
    step_number(step, "ROWS", rows);
    step_number(step, "ROW", row);
    step_number(step, "LINE", line);
    step_scratch(step, (size_t)rows * (size_t)row + (size_t)strip * (size_t)line);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    if (is_dw(core)) {
        step_node(step, "x", core->input[0]);
        conv_bind_dy(step, core->input[1]);
        step_node(step, "dw", core);
        step_node(step, "db", step->db);
        plan_dw(step, settings);
        return;
    }
    if (core->op == &op_conv2d_dx) {
        conv_bind_dy(step, core->input[0]);
        step_node(step, "dx", core);
    } else {
        step_node(step, "x", core->input[0]);
        step_node(step, "y", step->pool ? step->pool : step->act ? step->act : step->bias ? step->bias : core);
        step_node(step, "codes", step->codes);
        if (step->bias)
            step_form(step, "b", form_plain(step->bias->input[1], settings_lanes(settings)));
    }
    plan_rows(step, settings);
}

static double cost(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    int lanes = settings_lanes(settings), wide = step->core->op == &op_conv2d_dx ? s.ci : s.co;
    double filled = (double)(wide + lanes - 1) / lanes * lanes / wide;
    return step->core->op->macs(step->core) / lanes / 2 * filled * 1.15;
}

static const char *const ops[] = { "conv2d", "conv2d_dx", "conv2d_dw", NULL };

const Kernel kernel_conv_direct = {
    .name = "conv_direct", .about = "direct convolution by rows, tiles in registers; any kernel, stride and upsampling",
    .ops = ops, .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL | TAKES_DB, .text = text, .cost = cost, .plan = plan,
};
