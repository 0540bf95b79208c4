/* Layers that are tied to one before. */
#define _POSIX_C_SOURCE 200809L
#include "draw_private.h"

#include "cases.h"

#include <stdlib.h>

/* Whether the transpose of the layer takes the value at hand, and makes neither nothing nor too
   much of it. */
static bool can_tie(const Drawer *d, const NetPlace *to)
{
    const NetLayer *l = to->layer;
    NetSize s = size_now(d);
    if ((l->kind != CONV && l->kind != DENSE) || l->tied || s.channels != to->out.channels
        || s.flat != to->out.flat)
        return false;
    return l->kind == DENSE || to->in.channels * s.height * s.width <= MAX_VALUES;
}

static NetLayer transpose_of(Drawer *d, const NetPlace *to)
{
    const NetLayer *l = to->layer;
    NetLayer t = { .kind = l->kind == DENSE ? DENSE : DECONV,
                   .units = to->in.channels,
                   .no_bias = chance(d, 20),
                   .activation = attribute_activation(d),
                   .tied = keep(d->drawn, text_of("%s", to->name)) };
    if (l->kind == DENSE)
        return t;
    t.filters = to->in.channels;
    t.kernel = l->kernel;
    t.kernel_w = l->kernel_w;
    t.stride = l->stride ? l->stride : 1;
    t.stride_w = l->stride_w;
    t.dilation = l->dilation;
    t.dilation_w = l->dilation_w;
    t.groups = l->groups;
    t.valid = chance(d, 20);
    return t;
}

bool add_tied(Drawer *d)
{
    int found[NET_PLACES], count = 0;
    for (int i = 0; i < d->count; i++)
        if (can_tie(d, &d->places[i]))
            found[count++] = i;
    if (!count)
        return false;
    NetLayer l = transpose_of(d, &d->places[found[below(d, count)]]);
    NaiveConv n = { .out = { 1, 1 } };
    if (l.kind == DECONV)
        n = net_conv(&l, size_now(d));
    if (n.out[0] > MAX_SIDE || n.out[1] > MAX_SIDE || n.out[0] * n.out[1] * l.units > MAX_VALUES)
        return false;
    append(d, l);
    return true;
}
