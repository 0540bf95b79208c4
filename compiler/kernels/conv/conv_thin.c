/* conv_thin - 3x3 convolution of stride 1 with few input channels, where two-dimensional transforms
 * would cost more than they save.
 *
 * forward: Winograd's F(4, 3) down the columns alone (Lavin and Gray 2016, section 4.1): four rows
 * of outputs from six rows of inputs. Bt d is a few operations on whole rows; then every pixel is
 * six sums over 3 * channels values; At m, bias, activation and pool stay in registers.
 *
 * dW after a max-pool of 2x2: three of four gradients are zero, and which one is not differs from
 * channel to channel. For each window and input channel the 4x4 patch of the input is one vector of
 * 16; the code of a channel says which of its values meets which tap: a permutation by the codes
 * brings them together. So only the pooled gradients are multiplied. */
#include "../conv.h"

enum { TILE = 4, POINTS = 6, PATCH = 16, MAX_CHANNELS = 4 };

static const char *text(const Node *core)
{
    return core->op == &op_conv2d ? "conv_thin.c.in" : "conv_thin_dw.c.in";
}

static bool fits(const Step *step, const Settings *settings)
{
    ConvShape s = conv_shape(step->core);
    const Node *pool = step->fusion->pool;
    int lanes = settings_lanes(settings);
    bool thin = conv_is_3x3(&s) && s.up_h == 1 && s.up_w == 1 && s.ci <= MAX_CHANNELS
                && s.co % lanes == 0;
    if (step->core->op == &op_conv2d)
        return thin && s.out_h >= TILE && s.out_w >= 2;
    return thin && s.ci < MAX_CHANNELS && lanes == PATCH && node_takes_maximum(pool)
           && pool_side(pool) == 2 && step->fusion->d_pool;
}

static bool takes_pool(const Node *core, const Node *pool)
{
    (void)core;
    return node_takes_maximum(pool) && pool_side(pool) == 2;
}

static int round_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

static void plan_forward(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    int lanes = settings_lanes(settings), height, width;
    conv_effective_size(step, &s, &height, &width);
    int vectors = settings->target->registers >= 32 && s.co % (2 * lanes) == 0 ? 2 : 1;
    int row = round_up((round_up(width, 2) + 2) * s.ci, 16);
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "VECTORS", vectors);
    step_number(step, "ROW", row);
    step_number(step, "MARKS", conv_marks_bytes(width));
    step_node(step, "x", core->input[0]);
    step_node(step, "y",
              step->pool   ? step->pool
              : step->act  ? step->act
              : step->bias ? step->bias
                           : core);
    step_node(step, "codes", step->codes);
    step_packing(step, "w", packing_columns(core->input[1], vectors * lanes, lanes));
    if (step->bias)
        step_packing(step, "b", packing_plain(step->bias->input[1], lanes));
    step_scratch(step, (size_t)(POINTS + 1 + POINTS) * (size_t)row
                           + conv_marks(width, POINTS + 1, settings));
}

static void plan_dw(Step *step)
{
    const Node *core = step->core;
    ConvShape s = conv_shape(core);
    int height, width;
    conv_effective_size(step, &s, &height, &width);
    int row = round_up((width + 2) * s.ci + PATCH, 16);
    step_number(step, "HEIGHT", height);
    step_number(step, "WIDTH", width);
    step_number(step, "ROW", row);
    step_node(step, "x", core->input[0]);
    step_dy(step, core->input[1]);
    step_node(step, "dw", core);
    step_node(step, "db", step->db);
    step_scratch(step, (size_t)(TILE + 1) * (size_t)row + (size_t)(width / 2 * s.ci * PATCH));
}

static void plan(Step *step, const Settings *settings)
{
    if (step->core->op == &op_conv2d)
        plan_forward(step, settings);
    else
        plan_dw(step);
}

/* forward: half of the multiplications, and about as many loads; dW: a quarter, each with a
   permutation. */
static double cost(const Step *step, const Settings *settings)
{
    double products = step->core->op->macs(step->core) / settings_lanes(settings);
    return step->core->op == &op_conv2d ? products / 2 / 2 * 1.6 : products / 4 * 1.1;
}

static const char *const ops[] = { "conv2d", "conv2d_dw", NULL };

const Kernel kernel_conv_thin = {
    .name = "conv_thin",
    .about =
        "3x3 convolution with up to 4 input channels: F(4, 3) down the columns; dW through a pool "
        "by permutation",
    .ops = ops,
    .takes = TAKES_BIAS | TAKES_ACT | TAKES_POOL | TAKES_DB,
    .takes_pool = takes_pool,
    .large = true,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
