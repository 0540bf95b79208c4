/* Layers that name others: joins, unpooling, tied ones. */
#define _POSIX_C_SOURCE 200809L
#include "draw_private.h"

#include "cases.h"

#include <stdlib.h>

const Join *draw_join(Drawer *d)
{
    int count = 0;
    while (join_at(count))
        count++;
    return join_at(below(d, count));
}

/* Whether a join of the two, whose size is *joined, is small enough. */
static bool can_join(const Join *join, NetSize a, NetSize b, NetSize *joined)
{
    return join->size(a, b, joined) && joined->channels <= MAX_CHANNELS
           && values(*joined) <= MAX_VALUES;
}

/* With one place or, now and then, with several. */
static void join_places(Drawer *d, const Join *join, const int *found, int count)
{
    int first = below(d, count), several = chance(d, 25) ? between(d, 2, 3) : 1;
    NetSize s = size_now(d);
    char *list = text_of("%s", "");
    for (int i = 0; i < several; i++) {
        int at = found[(first + i) % count]; /* also twice the same */
        if (!can_join(join, s, place_out(d, at), &s))
            break;
        char *longer = text_of("%s%s%s", list, i ? " " : "", place_name(d, at));
        free(list);
        list = longer;
    }
    append(d, (NetLayer){ join->kind, .with = keep(d->drawn, list) });
}

bool add_join(Drawer *d)
{
    const Join *join = draw_join(d);
    NetSize s = size_now(d), joined;
    int found[NET_PLACES + 1], count = 0;
    for (int i = -1; i < d->count; i++)
        if (can_join(join, s, place_out(d, i), &joined))
            found[count++] = i;
    if (!count || values(s) * 2 > MAX_VALUES)
        return false;
    join_places(d, join, found, count);
    return true;
}

bool add_unpool(Drawer *d)
{
    int found[NET_PLACES], count = 0;
    for (int i = 0; i < d->count; i++)
        if (d->places[i].layer->kind == POOL && same_size(d->places[i].out, size_now(d))
            && !net_overlaps(&d->places[i]))
            found[count++] = i;
    if (!count)
        return false;
    append(d, (NetLayer){
                  UNPOOL,
                  .with = keep(d->drawn, text_of("%s", place_name(d, found[below(d, count)]))) });
    return true;
}

/* ---- tied ---- */

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
