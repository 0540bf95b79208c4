/* Layers of convolutions. */
#include "draw_private.h"

/* Numbers of channels around the widths of vectors, small ones oftener. */
static int draw_filters(Drawer *d)
{
    static const int numbers[] = { 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 12, 16, 17, 24, 33 };
    return numbers[below(d, (int)(sizeof numbers / sizeof numbers[0]))];
}

/* 3 oftenest; a kernel may be larger than the image. */
int draw_kernel(Drawer *d)
{
    return chance(d, 45) ? 3 : between(d, 1, 7);
}

int fitting_kernel(const Drawer *d, int kernel, int filters)
{
    while (kernel > 1 && kernel * kernel * size_now(d).channels * filters > MAX_WEIGHTS)
        kernel--;
    return kernel;
}

/* What leaves the size as it is under "same": another width, holes between taps, groups. */
static void draw_window(Drawer *d, NetLayer *l)
{
    int channels = size_now(d).channels;
    if (chance(d, 50))
        l->kernel_w = between(d, 1, 7);
    while (l->kernel_w > 1 && l->kernel * l->kernel_w * channels * l->filters > MAX_WEIGHTS)
        l->kernel_w--;
    if (chance(d, 40))
        l->dilation = between(d, 1, 3);
    if (l->dilation && chance(d, 50))
        l->dilation_w = between(d, 1, 3);
    if (chance(d, 40))
        l->groups = between(d, 1, channels);
    while (l->groups > 1 && (channels % l->groups || l->filters % l->groups))
        l->groups--;
}

/* Zeros on each side, more than a window's now and then. */
static void draw_padding(Drawer *d, NetLayer *l)
{
    NaiveConv n = net_conv(l, size_now(d));
    l->padded = true;
    l->valid = false;
    for (int side = 0; side < 4; side++)
        l->pad[side] = between(d, 0, least(net_window(&n, side % 2), 4));
}

/* As many zeros as leave the size as it is. */
static void draw_same_in_numbers(Drawer *d, NetLayer *l)
{
    NaiveConv n = net_conv(l, size_now(d));
    l->padded = true;
    for (int axis = 0; axis < 2; axis++) {
        l->pad[axis] = between(d, 0, net_window(&n, axis) - 1);
        l->pad[axis + 2] = net_window(&n, axis) - 1 - l->pad[axis];
    }
}

void convolve_to(Drawer *d, int channels, int stride, int kernel, bool valid)
{
    NetLayer l = { CONV,
                   .filters = channels,
                   .kernel = valid ? kernel : fitting_kernel(d, kernel, channels),
                   .stride = stride,
                   .valid = valid,
                   .no_bias = chance(d, 15),
                   .activation = attribute_activation(d) };
    if (!valid && chance(d, 30))
        draw_window(d, &l);
    if (!valid && stride < 2 && chance(d, 15))
        draw_same_in_numbers(d, &l);
    append(d, l);
}

/* Whether what comes out is neither nothing nor too much. */
static bool append_fitting(Drawer *d, NetLayer l)
{
    NaiveConv n = net_conv(&l, size_now(d));
    int height = n.out[0], width = n.out[1];
    if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE
        || height * width * l.filters > MAX_VALUES)
        return false;
    append(d, l);
    return true;
}

bool add_conv(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { CONV, .filters = draw_filters(d), .stride = chance(d, 25) ? between(d, 1, 4) : 0,
                   .no_bias = chance(d, 20), .activation = attribute_activation(d) };
    if (s.flat)
        return false;
    l.kernel = fitting_kernel(d, draw_kernel(d), l.filters);
    if (chance(d, 40))
        draw_window(d, &l);
    if (l.stride && chance(d, 40))
        l.stride_w = between(d, 1, 4);
    NaiveConv n = net_conv(&l, s);
    l.valid = chance(d, 30) && net_window(&n, 0) <= s.height && net_window(&n, 1) <= s.width;
    if (chance(d, 15))
        draw_padding(d, &l);
    return append_fitting(d, l);
}

static void draw_output_padding(Drawer *d, NetLayer *l)
{
    NaiveConv n = net_conv(l, size_now(d));
    l->enlarged = true;
    for (int axis = 0; axis < 2; axis++) {
        bool same = !l->padded && !l->valid, even = net_window(&n, axis) % 2 == 0;
        l->more[axis] = between(d, 0, n.stride[axis] - 1) + (same && even);
    }
}

bool add_deconv(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { DECONV, .filters = draw_filters(d),
                   .stride = chance(d, 50) ? 0 : between(d, 1, 4), .no_bias = chance(d, 20),
                   .activation = attribute_activation(d) };
    if (s.flat)
        return false;
    l.kernel = fitting_kernel(d, draw_kernel(d), l.filters);
    if (chance(d, 40))
        draw_window(d, &l);
    if (l.stride && chance(d, 40))
        l.stride_w = between(d, 1, 4);
    l.valid = chance(d, 20);
    if (chance(d, 20))
        draw_padding(d, &l);
    if (chance(d, 20))
        draw_output_padding(d, &l);
    return append_fitting(d, l);
}

/* Either by itself or by 1x1 after it; any numbers for either side. */
bool add_depthwise(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { chance(d, 50) ? DEPTHWISE : SEPARABLE,
                   .filters = draw_filters(d),
                   .kernel = draw_kernel(d),
                   .kernel_w = chance(d, 25) ? between(d, 1, 12) : 0,
                   .stride = chance(d, 35) ? between(d, 1, 4) : 0,
                   .stride_w = chance(d, 10) ? between(d, 1, 3) : 0,
                   .dilation = chance(d, 20) ? between(d, 1, 4) : 0,
                   .dilation_w = chance(d, 10) ? between(d, 1, 3) : 0,
                   .multiplier = chance(d, 25) ? between(d, 1, 3) : 0,
                   .no_bias = chance(d, 20),
                   .activation = attribute_activation(d),
                   .valid = chance(d, 15),
                   .padded = chance(d, 15) };
    for (int i = 0; i < 4 && l.padded; i++)
        l.pad[i] = between(d, 0, 4);
    l.valid = l.valid && !l.padded;
    if (s.flat || s.channels * (l.multiplier ? l.multiplier : 1) > MAX_CHANNELS)
        return false;
    NetSize out = net_depthwise_size(s, &l);
    if (out.height < 1 || out.width < 1 || out.height > MAX_SIDE || out.width > MAX_SIDE
        || out.height * out.width * s.channels * 3 > MAX_VALUES || values(out) > MAX_VALUES)
        return false;
    append(d, l);
    return true;
}
