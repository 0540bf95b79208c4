/* depthwise - depthwise convolution and its gradients, by rows of the image, any kernel, stride,
 * dilation and depth multiplier.
 *
 * Vectors hold neighbouring channels. A tile is PIXELS outputs of one such vector: the taps of a
 * row of the kernel and the sums stay in registers, and a value of the input is loaded once for all
 * outputs of the tile that see it. Of several filters a channel, the rows of the input have each
 * channel as often, and so all looks like one filter a channel.
 *
 * Where the image's rows can be read as they lie, they are: tiles at its borders leave out what is
 * outside. Else they are first brought into a ring of padded rows: there pixels become reals,
 * channels are repeated, and the gradient comes back through pool and activation, so none of these
 * exists as a whole image.
 *
 * dX gathers, as the forward sum does, two rows at a time where there are registers for it and no
 * stride: columns of the input that leave the same rest by the stride,
 * a phase, meet the same taps, at neighbouring columns of the gradient. dW adds GROUP pixels at a
 * time to the sums of TAP_ROWS x TAPS taps of a vector of channels. With a stride it
 * reads each row of the input once, for all rows of the gradient that see it, which meet different
 * rows of the kernel; the sums stay the same bits. Both together read the gradient once. */
#include "depthwise.h"

#include <limits.h>

enum { TILE = 8, LONGEST_LISTED = 9 };

static int largest(int a, int b)
{
    return a > b ? a : b;
}

static int smallest(int a, int b)
{
    return a < b ? a : b;
}

int depthwise_tile(int pixels, int pool, const Settings *settings)
{
    int most = largest(settings->small ? TILE / 2 : TILE, pool) / pool, units = pixels / pool;
    int tiles = largest((units + most - 1) / most, 1);
    return (units + tiles - 1) / tiles * pool;
}

bool depthwise_loops(const ConvShape *s, const Settings *settings)
{
    return s->kernel_w > LONGEST_LISTED || settings->small;
}

Packing depthwise_packing(const Node *parameter, const Settings *settings)
{
    const int lanes = settings_lanes(settings);
    Packing packing = packing_plain(parameter, lanes);
    if (parameter->shape.dim[2] * parameter->shape.dim[3] % lanes)
        packing.count += (size_t)lanes;
    return packing;
}

int depthwise_reach(const ConvShape *s, int width)
{
    return (width - 1) * s->stride_w + s->window_w;
}

/* Whether rows can be read as they lie: few of their columns are at the borders and have tiles of
   their own. */
static bool reads_rows(const ConvShape *s, const Settings *settings)
{
    return !depthwise_loops(s, settings) && s->window_w - 1 <= 2 * TILE && s->pad_left <= TILE;
}

/* Of the caller's values, as decode() has its latent, nothing may be read beyond the last. */
static bool reads_input(const Step *step, const ConvShape *s, const Settings *settings)
{
    const int lanes = settings_lanes(settings);
    Node *x = step->core->input[0];
    return reads_rows(s, settings) && s->co == s->ci && x->type == TYPE_REAL
           && node_storage(x)->op->arity > 0 && (s->ci >= lanes || s->ci % lanes == 0);
}

static bool reads_arriving(const Step *step, const ConvShape *s, const Settings *settings)
{
    return reads_rows(s, settings) && !step->d_act && !step->d_pool;
}

/* Reals of a row that holds so many pixels, and what a vector reads beyond. */
static int row_room(const ConvShape *s, int pixels, const Settings *settings)
{
    return (pixels * s->co + settings_lanes(settings) + 15) / 16 * 16;
}

/* The ring of the input's rows. */
typedef struct Input {
    int columns, depth, row;
} Input;

static Input input_ring(const Step *step, const ConvShape *s, const Settings *settings)
{
    int height, width;
    conv_effective_size(step, s, &height, &width);
    const int reach = depthwise_reach(s, width);
    Input ring = { .columns = smallest(s->in_w, largest(reach - s->pad_left, 0)),
                   .depth = smallest(s->window_h, s->in_h) };
    ring.row = row_room(s, largest(reach, s->pad_left + ring.columns), settings);
    return ring;
}

/* The ring of the gradient's rows, as dX reads them: zeros before the first pixel, and all. */
typedef struct Arriving {
    int left, depth, row;
} Arriving;

static Arriving arriving_ring(const Step *step, const ConvShape *s, int rows,
                              const Settings *settings)
{
    int height, width, left = 0, right = 0;
    conv_effective_size(step, s, &height, &width);
    for (int phase = 0; phase < s->stride_w && phase < s->in_w; phase++)
        for (int j = 0; j < s->kernel_w; j++) {
            const int from = phase + s->pad_left - j * s->dilation_w,
                      columns = (s->in_w - phase + s->stride_w - 1) / s->stride_w;
            if (from % s->stride_w)
                continue;
            left = largest(left, -from / s->stride_w);
            right = largest(right, from / s->stride_w + columns);
        }
    return (Arriving){ left, smallest((s->window_h + rows - 2) / s->stride_h + 1, height),
                       row_room(s, left + largest(right, width), settings) };
}

static void plan_shape(Step *step, const ConvShape *s, const Settings *settings)
{
    int height, width;
    conv_effective_size(step, s, &height, &width);
    step_number(step, "HEIGHT", height);
    step_number(step, "MULTIPLIER", s->co / s->ci);
    step_number(step, "LOOPS", depthwise_loops(s, settings));
}

static void plan_input(Step *step, const Input *ring, bool direct)
{
    step_number(step, "DIRECT", direct);
    step_number(step, "COLUMNS", ring->columns);
    step_number(step, "DEPTH", ring->depth);
    step_number(step, "ROW", ring->row);
}

static void plan_forward(Step *step, const ConvShape *s, const Settings *settings)
{
    const Node *core = step->core;
    const Input ring = input_ring(step, s, settings);
    const bool direct = reads_input(step, s, settings);
    const int pool = step->pool ? pool_side(step->pool) : 0, lanes = settings_lanes(settings);
    int height, width;
    conv_effective_size(step, s, &height, &width);
    const int line = row_room(s, width, settings);
    step_node(step, "x", core->input[0]);
    step_packing(step, "w", depthwise_packing(core->input[1], settings));
    if (step->bias)
        step_packing(step, "b", packing_plain(step->bias->input[1], lanes));
    step_node(step, "y",
              step->pool   ? step->pool
              : step->act  ? step->act
              : step->bias ? step->bias
                           : core);
    step_node(step, "codes", step->codes);
    plan_input(step, &ring, direct);
    step_number(step, "PIXELS", depthwise_tile(width, 1, settings));
    step_number(step, "LINE", line);
    step_scratch(step, (direct ? 0 : (size_t)ring.depth * (size_t)ring.row)
                           + (size_t)pool * (size_t)line);
}

/* Whether dW reads a row of the input once for all rows of the gradient that see it, instead of the
   rows that one of the gradient sees. */
static bool dw_is_strided(const ConvShape *s, const Settings *settings)
{
    return s->stride_h > 1 && s->kernel_h > s->stride_h && s->dilation_h == 1 && !settings->small;
}

/* How many taps are summed at once: as many sums as there are registers for, whole rows of the
   kernel if they are short. */
static void plan_taps(Step *step, const ConvShape *s, const Settings *settings)
{
    const int most = settings->target->registers < 32 ? 10 : 25;
    const int groups = (s->kernel_w + most - 1) / most, taps = (s->kernel_w + groups - 1) / groups;
    const int rows = settings->small || taps < s->kernel_w ? 1 : most / taps;
    step_number(step, "TAPS", taps);
    step_number(step, "TAP_ROWS", smallest(smallest(rows, 5), s->kernel_h));
    const int sums = smallest(rows, s->kernel_h) * taps;
    step_number(step, "GROUP", most / sums > 1 || dw_is_strided(s, settings) ? TILE : TILE / 2);
}

/* Reals of the sums of all taps, each of whole vectors of channels. */
static int taps_room(const ConvShape *s, const Settings *settings)
{
    const int lanes = settings_lanes(settings), channels = (s->co + lanes - 1) / lanes * lanes;
    return (s->kernel_h * s->kernel_w * channels + 15) / 16 * 16;
}

/* Rows of dX that are computed at once: two where their sums and the taps of both fit into the
   registers. With a stride it gains nothing: there the stores limit. */
static int dx_rows(const ConvShape *s, const Settings *settings)
{
    const int taps = 2 * s->kernel_w;
    return settings->target->registers >= 2 * TILE + taps + 2 && s->stride_h == 1
                   && s->stride_w == 1 && s->co == s->ci && !depthwise_loops(s, settings)
               ? 2
               : 1;
}

static size_t plan_dx(Step *step, const ConvShape *s, const Node *dx, const Settings *settings)
{
    const bool direct = reads_arriving(step, s, settings);
    const int rows = dx_rows(s, settings), line = row_room(s, s->in_w, settings);
    const Arriving ring = arriving_ring(step, s, rows, settings);
    step_packing(step, "w", depthwise_packing(dx->input[1], settings));
    step_node(step, "dx", dx);
    step_number(step, "D_DIRECT", direct);
    step_number(step, "D_LEFT", direct ? 0 : ring.left);
    step_number(step, "D_DEPTH", ring.depth);
    step_number(step, "D_ROW", ring.row);
    step_number(step, "DX_ROWS", rows);
    step_number(step, "PIXELS",
                depthwise_tile((s->in_w + s->stride_w - 1) / s->stride_w, 1, settings));
    return (direct ? 0 : (size_t)ring.depth * (size_t)ring.row)
           + (s->co > s->ci || s->in_h % rows ? (size_t)line : 0);
}

/* The gradient's rows come first in the scratch memory, then a row of dX, then the input's. */
static void plan_backward(Step *step, const ConvShape *s, const Settings *settings)
{
    const Node *core = step->core;
    const bool dw = conv_is_dw(core);
    const Node *dx = dw ? step->dx : core;
    const bool strided = dw && dw_is_strided(s, settings);
    int height, width;
    conv_effective_size(step, s, &height, &width);
    if (dw)
        step_node(step, "x", core->input[0]);
    step_dy(step, core->input[dw]);
    size_t scratch;
    if (dx) {
        scratch = plan_dx(step, s, dx, settings);
    } else {
        const bool direct = reads_arriving(step, s, settings);
        const int row = direct ? 0 : row_room(s, width, settings),
                  depth = strided ? smallest((s->kernel_h - 1) / s->stride_h + 1, height) : 1;
        step_number(step, "D_DIRECT", direct);
        step_number(step, "D_LEFT", 0);
        step_number(step, "D_DEPTH", depth);
        step_number(step, "D_ROW", row);
        scratch = (size_t)depth * (size_t)row;
    }
    step_number(step, "X_AT", (int)scratch);
    step_number(step, "STRIDED", strided);
    if (dw) {
        const bool direct = reads_input(step, s, settings);
        Input ring = input_ring(step, s, settings);
        if (strided)
            ring.depth = 1;
        step_node(step, "dw", core);
        step_node(step, "db", step->db);
        plan_input(step, &ring, direct);
        plan_taps(step, s, settings);
        const size_t sums = (size_t)taps_room(s, settings);
        step_number(step, "SUMS", (int)sums);
        scratch += sums
                   + ((direct ? 0 : (size_t)ring.depth) + 1) * (size_t)ring.row; /* one of zeros */
    }
    step_scratch(step, scratch);
}

static void plan(Step *step, const Settings *settings)
{
    const ConvShape s = conv_shape(step->core);
    plan_shape(step, &s, settings);
    if (node_heads_fusion(step->core))
        plan_forward(step, &s, settings);
    else
        plan_backward(step, &s, settings);
}

/* Places in the rings are ints; both rows are shorter than this, and both rings no deeper. */
static bool fits(const Step *step, const Settings *settings)
{
    (void)settings;
    const ConvShape s = conv_shape(step->core);
    const double row = (double)s.in_w + s.pad_left + (double)s.out_w * s.stride_w
                       + s.kernel_w * s.dilation_w,
                 rows = smallest(s.kernel_h * s.dilation_h, largest(s.in_h, s.out_h)) + 2;
    return row * rows * s.co < INT_MAX / 4;
}

static const char *text(const Node *core)
{
    return node_heads_fusion(core) ? "depthwise.c.in" : "depthwise_backward.c.in";
}

/* Products, and a load, a store and a copy of each value. */
static double cost(const Step *step, const Settings *settings)
{
    const ConvShape s = conv_shape(step->core);
    const int lanes = settings_lanes(settings), wide = s.co;
    const double filled = (double)(wide + lanes - 1) / lanes * lanes / wide;
    const double values = ((double)s.in_h * s.in_w + (double)s.out_h * s.out_w) * wide;
    return step->core->op->macs(step->core) / lanes / 2 * filled * 1.4
           + cost_of_moving(values, settings);
}

static const char *const ops[] = { "depthwise_conv2d", "depthwise_conv2d_dx", "depthwise_conv2d_dw",
                                   NULL };

const Kernel kernel_depthwise = {
    .name = "depthwise",
    .about = "depthwise convolution by rows, vectors of channels, tiles in registers; dX and dW "
             "together",
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL | TAKES_DB | TAKES_DX,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
