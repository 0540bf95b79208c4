/* depthwise_rows - depthwise convolution for streams, one row a call: the tiles of `depthwise`, but
 * no rows of its own. The rows of the input lie in a ring, padded with zeros, where the step before
 * put them. A pool is taken in without a buffer, as conv_rows does. Of several filters a channel
 * the rows of the window are first written with each channel as often. */
#include "depthwise.h"

enum { LARGEST_POOL = 4 }; /* windows that fit into the registers of a tile */

static const char *text(const Node *core)
{
    (void)core;
    return "depthwise_rows.c.in";
}

static bool takes_pool(const Node *core, const Node *pool)
{
    (void)core;
    return pool_side(pool) <= LARGEST_POOL;
}

static void plan_input(Step *step, const ConvShape *s, int width, int height,
                       const Settings *settings)
{
    int columns = depthwise_reach(s, width);
    columns = columns > s->pad_left + s->in_w ? columns : s->pad_left + s->in_w;
    step->rows = (Rows){ .count = height,
                         .pool = step->pool ? pool_side(step->pool) : 1,
                         .left = s->pad_left,
                         .over = 1,
                         .times = s->stride_h,
                         .from = -s->pad_top,
                         .to = s->window_h - 1 - s->pad_top,
                         .room = columns * s->ci + settings_lanes(settings) };
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    const ConvShape s = conv_shape(core);
    int height, width;
    conv_effective_size(step, &s, &height, &width);
    plan_input(step, &s, width, height, settings);
    const int pixels = depthwise_reach(&s, width),
              row = s.co > s.ci ? pixels * s.co + settings_lanes(settings) : 0;
    step_number(step, "MULTIPLIER", s.co / s.ci);
    step_number(step, "LOOPS", depthwise_loops(&s, settings));
    step_number(step, "PIXELS", depthwise_tile(width, step->rows.pool, settings));
    step_number(step, "ROW", row);
    step_node(step, "x", core->input[0]);
    step_node(step, "y",
              step->pool   ? step->pool
              : step->act  ? step->act
              : step->bias ? step->bias
                           : core);
    step_packing(step, "w", depthwise_packing(core->input[1], settings));
    if (step->bias)
        step_packing(step, "b", packing_plain(step->bias->input[1], settings_lanes(settings)));
    step_scratch(step, (size_t)s.kernel_h * (size_t)row);
}

static double cost(const Step *step, const Settings *settings)
{
    return step->core->op->macs(step->core) / settings_lanes(settings);
}

static const char *const ops[] = { "depthwise_conv2d", NULL };

const Kernel kernel_depthwise_rows = {
    .name = "depthwise_rows",
    .about = "depthwise convolution of a stream, a row a call",
    .rows = true,
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL,
    .takes_pool = takes_pool,
    .text = text,
    .cost = cost,
    .plan = plan,
};
