/* Ways from the value that is there to one of a given size. */
#define _POSIX_C_SOURCE 200809L
#include "draw_private.h"

#include "cases.h"

static bool reach_by_conv(Drawer *d, NetSize to)
{
    NetSize s = size_now(d);
    if (s.flat || s.height != to.height || s.width != to.width)
        return false;
    if (chance(d, 15))
        append(d, (NetLayer){ DECONV, .filters = to.channels,
                              .kernel = fitting_kernel(d, draw_kernel(d), to.channels), .stride = 1,
                              .activation = attribute_activation(d) });
    else
        convolve_to(d, to.channels, 0, draw_kernel(d), false);
    return true;
}

/* By a transposed convolution or an upsampling, where the sides are multiples. */
static bool reach_by_multiple(Drawer *d, NetSize to)
{
    NetSize s = size_now(d);
    if (s.flat || to.height % s.height || to.height / s.height != to.width / s.width
        || to.width % s.width)
        return false;
    int times = to.height / s.height;
    if (chance(d, 50)) {
        append(d, (NetLayer){ DECONV, .filters = to.channels,
                              .kernel = fitting_kernel(d, draw_kernel(d), to.channels),
                              .stride = times, .activation = attribute_activation(d) });
        return true;
    }
    append(d, (NetLayer){ UP, .size = times });
    if (s.channels != to.channels || chance(d, 60))
        convolve_to(d, to.channels, 0, draw_kernel(d), false);
    return true;
}

static int conv_outputs(int in, int kernel, int stride, bool valid)
{
    return valid ? (in - kernel) / stride + 1 : (in + stride - 1) / stride;
}

/* By an upsampling and a convolution with any stride and padding. */
static bool reach_by_stride(Drawer *d, NetSize to)
{
    NetSize s = size_now(d);
    for (int tries = 0; tries < 40 && !s.flat; tries++) {
        int up = between(d, 1, 5), stride = between(d, 1, 4), kernel = between(d, 1, 7);
        bool valid = chance(d, 70);
        int height = s.height * up, width = s.width * up;
        if ((valid && (kernel > height || kernel > width))
            || height * width * s.channels > MAX_VALUES * 2
            || conv_outputs(height, kernel, stride, valid) != to.height
            || conv_outputs(width, kernel, stride, valid) != to.width)
            continue;
        if (up > 1 || chance(d, 10))
            append(d, (NetLayer){ UP, .size = up });
        convolve_to(d, to.channels, stride, kernel, valid);
        return true;
    }
    return false;
}

static bool reach_by_pool(Drawer *d, NetSize to)
{
    NetSize s = size_now(d);
    int size = s.height / to.height;
    if (s.flat || size < 1 || size > 16 || s.height / size != to.height
        || s.width / size != to.width)
        return false;
    append(d, (NetLayer){ chance(d, 50) ? POOL : AVG, .size = size });
    return size_now(d).channels == to.channels || reach_by_conv(d, to);
}

/* Through the size of a max-pool whose input had these sides. */
static bool reach_by_unpool(Drawer *d, NetSize to)
{
    int found[NET_PLACES], count = 0;
    for (int i = 0; i < d->count; i++)
        if (d->places[i].layer->kind == POOL && d->places[i].in.height == to.height
            && d->places[i].in.width == to.width && !net_overlaps(&d->places[i]))
            found[count++] = i;
    if (!count || !has_room(d) || d->unpools == MAX_DEPTH)
        return false;
    int at = found[below(d, count)];
    d->unpools++;
    reach(d, d->places[at].out);
    d->unpools--;
    append(d, (NetLayer){ UNPOOL, .with = keep(d->drawn, text_of("%s", place_name(d, at))) });
    return size_now(d).channels == to.channels ? true : reach_by_conv(d, to);
}

/* Always possible. A bottleneck keeps the weights few. */
static void reach_by_dense(Drawer *d, NetSize to)
{
    int n = values(to);
    if (!size_now(d).flat)
        append(d, (NetLayer){ .kind = FLATTEN });
    if (values(size_now(d)) * n > MAX_WEIGHTS)
        add_dense(d, between(d, 2, 8), "tanh");
    add_dense(d, n, to.flat ? attribute_activation(d) : NULL);
    if (!to.flat)
        append(d, (NetLayer){ RESHAPE, .shape = { to.height, to.width, to.channels } });
}

static bool reach_by_reshape(Drawer *d, NetSize to)
{
    int n = values(size_now(d)), sides = to.height * to.width;
    if (to.flat || n % sides || n / sides > MAX_CHANNELS)
        return false;
    append(d, (NetLayer){ RESHAPE, .shape = { to.height, to.width, n / sides } });
    return n / sides == to.channels || reach_by_conv(d, to);
}

void reach(Drawer *d, NetSize to)
{
    static bool (*const ways[])(Drawer *, NetSize) = {
        reach_by_conv,   reach_by_conv,   reach_by_multiple, reach_by_multiple,
        reach_by_stride, reach_by_stride, reach_by_pool,     reach_by_unpool,
        reach_by_unpool, reach_by_unpool, reach_by_unpool,   reach_by_reshape,
    };
    enum { WAYS = sizeof ways / sizeof ways[0] };
    if (same_size(size_now(d), to) && !pixels_now(d) && chance(d, 50))
        return;
    for (int tries = to.flat || chance(d, 3) ? 30 : 0; tries < 30; tries++)
        if (ways[below(d, WAYS)](d, to))
            return;
    reach_by_dense(d, to);
}
