#include "conv.h"

#include <limits.h>

void conv_effective_size(const Step *step, const ConvShape *s, int *height, int *width)
{
    const Node *pool = step->pool ? step->pool : step->d_pool;
    int size = pool ? pool_side(pool) : 1;
    bool transpose = conv_is_transpose(step->core);
    *height = (transpose ? s->in_h : s->out_h) / size * size;
    *width = (transpose ? s->in_w : s->out_w) / size * size;
}

/* A tile's operands take four registers of 32 (the fourth is often a memory operand), and four of
   16. Text grows with the tile: little text is for 16. */
int conv_accumulators(const Settings *settings)
{
    return settings->target->registers >= 32 && !settings->small ? 28 : 12;
}

int conv_vectors(int channels, const Settings *settings)
{
    int lanes = settings_lanes(settings), all = (channels + lanes - 1) / lanes;
    int most = settings->target->registers >= 32 ? 4 : 2;
    int blocks = (all + most - 1) / most;
    return (all + blocks - 1) / blocks;
}

int conv_tile(int n, int most)
{
    for (int d = most < n ? most : n; d > 0; d--)
        if (n % d == 0 && (2 * d >= most || d == n))
            return d;
    return most;
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

int conv_spread_row(const ConvShape *s, int out_w, int columns, int *left)
{
    int end = 0;
    *left = 0;
    for (int phase = 0; phase < s->stride_w && phase < out_w; phase++) {
        int rest = (phase + s->pad_left) % s->stride_w, first = (phase + s->pad_left) / s->stride_w;
        for (int tap = 0; tap < s->kernel_w; tap++)
            if (tap * s->dilation_w % s->stride_w == rest)
                *left = largest(*left, (tap * s->dilation_w - rest) / s->stride_w - first);
        end = largest(end, first + (out_w - 1 - phase) / s->stride_w + 1);
    }
    return *left + largest(end, columns);
}

Taps conv_taps(const ConvShape *s, bool turned)
{
    return (Taps){ turned, s->stride_w, s->dilation_w, s->groups };
}

bool conv_is_dense(const ConvShape *s)
{
    return s->dilation_h == 1 && s->dilation_w == 1 && s->groups == 1;
}

bool conv_is_3x3(const ConvShape *s)
{
    return s->kernel_h == 3 && s->kernel_w == 3 && s->stride_h == 1 && s->stride_w == 1
           && s->pad_top <= 1 && s->pad_left <= 1 && s->out_h + 1 - s->pad_top <= s->in_h * s->up_h
           && s->out_w + 1 - s->pad_left <= s->in_w * s->up_w && conv_is_dense(s);
}

bool conv_rows_fit(const ConvShape *s, int rows)
{
    const double pixels = (double)s->in_w * s->up_w + s->pad_left + (double)s->out_w * s->stride_w
                          + s->window_w;
    return pixels * rows * (s->ci > s->co ? s->ci : s->co) < INT_MAX / 2;
}

Packing conv_bias_packing(const Step *step, const ConvShape *s, const Settings *settings)
{
    int lanes = settings_lanes(settings), channels = conv_is_transpose(step->core) ? s->ci : s->co;
    return packing_plain(step->bias->input[1], s->groups > 1 ? channels + lanes : lanes);
}

/* A kernel of 3 sees one pixel more on either side. */
int conv_marks_bytes(int outputs)
{
    return (outputs + 2 + 63) / 64 * 64;
}

size_t conv_marks(int outputs, int rows, const Settings *settings)
{
    return (size_t)(rows * conv_marks_bytes(outputs) / settings_real_bytes(settings));
}
