#define _POSIX_C_SOURCE 200809L
#include "draw.h"

#include "cases.h"
#include "draw_private.h"
#include "draw_training.h"

#include <stdlib.h>
#include <string.h>

static void add_some(Drawer *d, int depth);

static bool is_multiple(NetSize a, NetSize b)
{
    return a.flat == b.flat && a.height % b.height == 0 && a.width % b.width == 0
           && a.height / b.height == a.width / b.width;
}

/* One that meets `to` in the join: of other sides or channels where it takes those. */
static NetSize beside(Drawer *d, const Join *join, NetSize to)
{
    NetSize other = to, joined;
    if (chance(d, 50))
        other.channels = between(d, 1, 8);
    if (!join->size(to, other, &joined))
        other = to;
    NetSize dot = { 1, 1, other.channels, other.flat };
    return chance(d, 30) && join->size(to, dot, &joined) ? dot : other;
}

/* Goes on from an earlier value, computes something, and comes back to what stood before; nothing
   where there is no room for it. */
static void add_branch(Drawer *d, int depth)
{
    const Join *join = draw_join(d);
    int from = between(d, -1, d->count - 1), back = d->count - 1;
    NetSize to = size_now(d);
    /* oftener one from where the way back needs no dense layer */
    for (int tries = 0;
         tries < 8 && !is_multiple(place_out(d, from), to) && !is_multiple(to, place_out(d, from));
         tries++)
        from = between(d, -1, d->count - 1);
    if (depth >= MAX_DEPTH || !d->count || !has_room(d) || pixels_now(d)
        || values(to) * 2 > MAX_VALUES)
        return;
    char *name = keep(d->drawn, text_of("%s", place_name(d, back)));
    append(d, (NetLayer){ FROM, .with = keep(d->drawn, text_of("%s", place_name(d, from))) });
    for (int n = below(d, 3); n > 0 && has_room(d); n--)
        add_some(d, depth + 1);
    reach(d, beside(d, join, to));
    append(d, (NetLayer){ join->kind, .with = name });
}

static void add_some(Drawer *d, int depth)
{
    if (chance(d, 12))
        add_branch(d, depth);
    else if (d->normed && chance(d, 35))
        add_batch_norm(d);
    else
        add_word(d);
}

static bool has_weights(Drawer *d)
{
    for (int i = 0; i < d->count; i++)
        if (d->places[i].part == d->part
            && (d->places[i].layer->kind == CONV || d->places[i].layer->kind == DECONV
                || d->places[i].layer->kind == DENSE))
            return true;
    return false;
}

static void draw_part(Drawer *d, int most)
{
    for (int n = between(d, 1, most); n > 0 && has_room(d); n--)
        add_some(d, 0);
}

/* What stands after the layer that makes the output: it changes the size and keeps the range. */
static NetSize before_tail(Drawer *d, NetSize to, NetLayer *tail)
{
    int size = between(d, 2, 4);
    *tail = (NetLayer){ END };
    if (chance(d, 70))
        return to;
    if (chance(d, 60) && to.height % size == 0 && to.width % size == 0) {
        *tail = (NetLayer){ UP, .size = size };
        return (NetSize){ to.height / size, to.width / size, to.channels, false };
    }
    if (chance(d, 60) && to.height * size <= 2 * MAX_SIDE && to.width * size <= 2 * MAX_SIDE
        && values(to) * size * size < 2 * MAX_VALUES) {
        *tail = (NetLayer){ chance(d, 50) ? POOL : AVG, .size = size };
        return (NetSize){ to.height * size + below(d, size), to.width * size + below(d, size),
                          to.channels, false };
    }
    *tail = (NetLayer){ RESHAPE, .shape = { to.height, to.width, to.channels } };
    return (NetSize){ to.width, to.height, to.channels, false };
}

static void draw_output(Drawer *d, NetSize to)
{
    Net *net = &d->drawn->net;
    NetLayer tail;
    NetSize before = before_tail(d, to, &tail);
    reach(d, before);
    if (!has_weights(d))
        convolve_to(d, before.channels, 0, draw_kernel(d), false);
    /* its gradient is that of its value between 0 and 1 alone */
    if (strcmp(net->loss, "bce") == 0)
        append(d, (NetLayer){ ACT, .activation = "sigmoid" });
    else if (chance(d, 25) || pixels_now(d))
        append(d, (NetLayer){ ACT, .activation = chance(d, 50) ? "sigmoid" : draw_activation(d) });
    if (tail.kind)
        append(d, tail);
}

uint64_t draw_state(uint64_t seed, int number, int purpose)
{
    uint64_t state = seed;
    state = rng_bits(&state) + (uint64_t)number;
    return rng_bits(&state) + (uint64_t)purpose;
}

/* The first, mse, twice as often as each of the others. */
static const char *draw_loss(Drawer *d)
{
    int count = 0;
    while (naive_loss_name(count))
        count++;
    const int drawn = below(d, count + 1), loss = drawn > 0 ? drawn - 1 : 0;
    const Net *net = &d->drawn->net;
    return naive_loss_name(naive_loss_fits(loss, net->height, net->width) ? loss : 0);
}

Drawn *draw_net(uint64_t seed, int number)
{
    Drawer d = { .drawn = calloc(1, sizeof *d.drawn), .state = draw_state(seed, number, 0) };
    assert_non_null(d.drawn);
    Net *net = &d.drawn->net;
    net->height = between(&d, 1, chance(&d, 20) ? MAX_SIDE : 12);
    net->width = chance(&d, 20) ? net->height : between(&d, 1, chance(&d, 20) ? MAX_SIDE : 12);
    if (chance(&d, 50)) { /* what is halved twice comes back without a dense layer */
        net->height = (net->height + 3) / 4 * 4;
        net->width = (net->width + 3) / 4 * 4;
    }
    net->channels = between(&d, 1, 4);
    net->loss = draw_loss(&d);
    net->wordy = chance(&d, 20);
    d.normed = chance(&d, 30);
    d.over = chance(&d, 50) ? 0 : between(&d, 1, 4);
    draw_part(&d, 7);
    if (!has_weights(&d) && size_now(&d).flat)
        add_dense(&d, between(&d, 1, 9), attribute_activation(&d));
    else if (!has_weights(&d))
        convolve_to(&d, between(&d, 1, 8), between(&d, 1, 3), draw_kernel(&d), false);
    d.part = 1;
    draw_part(&d, 5);
    draw_output(&d, (NetSize){ net->height, net->width, net->channels, false });
    net->training = keep(d.drawn, draw_training(&d.state, net->loss, &d.drawn->training));
    return d.drawn;
}

void drawn_free(Drawn *drawn)
{
    for (int i = 0; i < drawn->text_count; i++)
        free(drawn->texts[i]);
    free(drawn);
}
