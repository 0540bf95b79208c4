/* One layer more: the value it reads, its attributes, the layers that it may name. */
#define _POSIX_C_SOURCE 200809L
#include "draw_private.h"

#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int below(Drawer *d, int n)
{
    return rng_below(&d->state, n);
}

bool chance(Drawer *d, int percent)
{
    return rng_chance(&d->state, percent);
}

int between(Drawer *d, int low, int high)
{
    return rng_between(&d->state, low, high);
}

int least(int a, int b)
{
    return a < b ? a : b;
}

char *keep(Drawn *drawn, char *text)
{
    assert_true(drawn->text_count < DRAWN_TEXTS);
    return drawn->texts[drawn->text_count++] = text;
}

/* ---- the value that the next layer reads ---- */

NetSize size_now(const Drawer *d)
{
    const Net *net = &d->drawn->net;
    return d->count ? d->places[d->count - 1].out
                    : (NetSize){ net->height, net->width, net->channels, false };
}

bool pixels_now(const Drawer *d)
{
    return d->count ? d->pixels[d->count - 1] : true;
}

int values(NetSize s)
{
    return s.height * s.width * s.channels;
}

bool same_size(NetSize a, NetSize b)
{
    return a.height == b.height && a.width == b.width && a.channels == b.channels
           && a.flat == b.flat;
}

static NetLayer *layers_of(Drawer *d)
{
    return d->part ? d->drawn->net.decoder : d->drawn->net.encoder;
}

static int length_of(Drawer *d)
{
    int n = 0;
    for (int i = 0; i < d->count; i++)
        n += d->places[i].part == d->part;
    return n;
}

bool has_room(Drawer *d)
{
    return length_of(d) + ROOM < MAX_NET;
}

static bool value_is_pixels(const Drawer *d, const NetLayer *l)
{
    if (l->kind == FROM && strcmp(l->with, "input") != 0) {
        for (int i = 0; i < d->count; i++)
            if (strcmp(d->places[i].name, l->with) == 0)
                return d->pixels[i];
    }
    if (l->kind == FROM)
        return true;
    bool passes_on = ((l->kind == NOISE || l->kind == DROP) && l->rate == 0)
                     || (l->kind == ACT && strcmp(l->activation, "linear") == 0);
    return passes_on && pixels_now(d);
}

/* Whether a layer before has weights that are trained: only then another may rest. */
static bool something_is_trained(const Drawer *d)
{
    for (int i = 0; i < d->count; i++)
        if ((d->places[i].layer->kind == CONV || d->places[i].layer->kind == DENSE)
            && !d->places[i].layer->rests)
            return true;
    return false;
}

void append(Drawer *d, NetLayer layer)
{
    int n = length_of(d);
    bool pixels = value_is_pixels(d, &layer);
    assert_true(n + 1 < MAX_NET);
    if (chance(d, 8))
        layer.name = keep(d->drawn, text_of("own_%d%s", d->count, chance(d, 50) ? "_Name" : ""));
    layer.rests = something_is_trained(d) && chance(d, 6);
    layers_of(d)[n] = layer;
    d->count = net_places(&d->drawn->net, d->places);
    d->pixels[d->count - 1] = pixels;
}

const char *place_name(const Drawer *d, int at)
{
    return at < 0 ? "input" : d->places[at].name;
}

NetSize place_out(const Drawer *d, int at)
{
    const Net *net = &d->drawn->net;
    return at < 0 ? (NetSize){ net->height, net->width, net->channels, false } : d->places[at].out;
}

/* ---- attributes ---- */

/* All but exponential, whose values know no bound in a chain. */
const char *draw_activation(Drawer *d)
{
    static const char *const names[] = { "relu",         "relu",   "leaky_relu", "sigmoid",
                                         "tanh",         "tanh",   "softplus",   "elu",
                                         "linear",       "gelu",   "silu",       "mish",
                                         "selu",         "relu6",  "hard_swish", "softsign",
                                         "hard_sigmoid", "softmax" };
    return names[below(d, (int)(sizeof names / sizeof names[0]))];
}

const char *attribute_activation(Drawer *d)
{
    return chance(d, 25) ? NULL : draw_activation(d);
}

/* ---- layers that keep no particular shape ---- */

/* Windows that are no squares, do not lie side by side, or reach over the border. */
static void draw_windows(Drawer *d, NetLayer *pool)
{
    if (chance(d, 30))
        pool->size_w = between(d, 1, 4);
    pool->stride = chance(d, 30) ? between(d, 1, 4) : 0;
    pool->stride_w = pool->stride && chance(d, 30) ? between(d, 1, 4) : 0;
    pool->same = chance(d, 25);
    const int sides[] = { pool->size, pool->size_w ? pool->size_w : pool->size };
    for (int i = 0; i < 4 && !pool->same && chance(d, 25); i++)
        pool->pad[i] = below(d, sides[i % 2]);
}

static bool add_pool(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { chance(d, 60) ? POOL : AVG, .size = chance(d, 60) ? 2 : between(d, 1, 4) };
    draw_windows(d, &l);
    Window w = net_pool_window(&l, s);
    if (s.flat || w.height > s.height + w.top + w.bottom || w.width > s.width + w.left + w.right)
        return false;
    append(d, l);
    return true;
}

static bool add_global_pool(Drawer *d)
{
    if (size_now(d).flat)
        return false;
    append(d, (NetLayer){ .kind = chance(d, 50) ? GLOBAL_MAX : GLOBAL_AVG });
    return true;
}

static bool add_up(Drawer *d)
{
    NetSize s = size_now(d);
    int size = chance(d, 70) ? 2 : between(d, 1, 4);
    if (s.flat || s.height * size > MAX_SIDE || s.width * size > MAX_SIDE
        || values(s) * size * size > MAX_VALUES)
        return false;
    NetLayer l = { UP, .size = size, .bilinear = chance(d, 35) };
    l.size_w = chance(d, 40) ? between(d, 1, 4) : 0;
    if (s.width * l.size_w > MAX_SIDE || values(s) * size * l.size_w > MAX_VALUES)
        l.size_w = 1;
    append(d, l);
    return true;
}

static bool add_pad(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { .kind = PAD };
    const bool all = chance(d, 30);
    for (int i = 0; i < 4; i++)
        l.pad[i] = i > 0 && all ? l.pad[0] : between(d, 0, 3);
    const int height = s.height + l.pad[0] + l.pad[2], width = s.width + l.pad[1] + l.pad[3];
    if (s.flat || height > MAX_SIDE || width > MAX_SIDE || height * width * s.channels > MAX_VALUES)
        return false;
    append(d, l);
    return true;
}

static bool add_crop(Drawer *d)
{
    NetSize s = size_now(d);
    NetLayer l = { .kind = CROP };
    const bool all = chance(d, 30);
    for (int i = 0; i < 4; i++)
        l.pad[i] = i > 0 && all ? l.pad[0] : between(d, 0, 3);
    if (s.flat || l.pad[0] + l.pad[2] >= s.height || l.pad[1] + l.pad[3] >= s.width)
        return false;
    append(d, l);
    return true;
}

/* Pixels to channels or back. */
static bool add_shuffle(Drawer *d)
{
    NetSize s = size_now(d);
    const int size = chance(d, 80) ? 2 : 3, places = size * size;
    const bool to_space = chance(d, 50) && s.channels % places == 0;
    if (s.flat || (to_space && (s.height * size > MAX_SIDE || s.width * size > MAX_SIDE))
        || (!to_space && (s.height % size || s.width % size || s.channels * places > MAX_CHANNELS)))
        return false;
    append(d, (NetLayer){ .kind = to_space ? D2S : S2D, .size = size });
    return true;
}

static bool add_rescale(Drawer *d)
{
    NetLayer l = { .kind = RESCALE };
    l.by_channel = size_now(d).channels <= 5 && chance(d, 60);
    l.scale = chance(d, 20) ? 1 : between(d, 1, 6) / (chance(d, 30) ? -4.0 : 4.0);
    l.offset = chance(d, 40) ? 0 : between(d, -4, 4) / 8.0;
    append(d, l);
    return true;
}

static bool add_activation(Drawer *d)
{
    NetLayer l = { ACT, .activation = draw_activation(d) };
    if (strcmp(l.activation, "leaky_relu") == 0 && chance(d, 60)) {
        l.slope = chance(d, 20) ? 1 : between(d, 1, 9) / 10.0;
        l.flat_slope = chance(d, 20);
        l.slope = l.flat_slope ? 0 : l.slope;
    }
    l.approximate = strcmp(l.activation, "gelu") == 0 && chance(d, 50);
    append(d, l);
    return true;
}

static bool add_norm(Drawer *d)
{
    static const double eps[] = { 0, 0, 1e-5, 1e-2, 1 };
    static const LayerKind kinds[] = { NORM, NORM, LAYER_NORM, LAYER_NORM, INSTANCE_NORM };
    NetSize s = size_now(d);
    NetLayer l = { .kind = kinds[below(d, 5)], .eps = eps[below(d, 5)] };
    if (s.flat && l.kind != LAYER_NORM)
        return false;
    l.groups = l.kind == NORM ? between(d, 1, s.channels) : 0;
    while (l.groups && s.channels % l.groups)
        l.groups--;
    append(d, l);
    return true;
}

void add_batch_norm(Drawer *d)
{
    static const double eps[] = { 0, 0, 1e-4, 1e-2, 1 }, momenta[] = { 0, 0, -1, 0.25, 0.9, 1 };
    append(d, (NetLayer){ BATCH_NORM, .eps = eps[below(d, 5)], .momentum = momenta[below(d, 6)],
                          .over = d->over });
}

static bool add_prelu(Drawer *d)
{
    append(d, (NetLayer){ .kind = PRELU });
    return true;
}

static bool add_noise(Drawer *d)
{
    NetLayer l = { .kind = chance(d, 50) ? NOISE : DROP };
    l.rate = chance(d, 15) ? 0 : between(d, 1, 5) / 10.0;
    append(d, l);
    d->drawn->noisy = d->drawn->noisy || l.rate > 0;
    return true;
}

static bool add_sample(Drawer *d)
{
    if (size_now(d).channels % 2 != 0)
        return false;
    append(d, (NetLayer){ SAMPLE, .kl_weight = chance(d, 20) ? 0 : between(d, 1, 8) / 8.0 });
    d->drawn->noisy = true;
    return true;
}

void add_dense(Drawer *d, int units, const char *activation)
{
    append(d,
           (NetLayer){ DENSE, .units = units, .no_bias = chance(d, 20), .activation = activation });
}

static bool add_flat(Drawer *d)
{
    if (!size_now(d).flat || chance(d, 10))
        append(d, (NetLayer){ .kind = FLATTEN });
    if (chance(d, 75))
        add_dense(d, between(d, 1, chance(d, 20) ? 40 : 16), attribute_activation(d));
    return chance(d, 70) || add_tied(d);
}

/* Any height, width and channels of as many values. */
static bool add_reshape(Drawer *d)
{
    int n = values(size_now(d)), height = between(d, 1, least(n, MAX_SIDE)), width;
    while (n % height)
        height--;
    width = between(d, 1, least(n / height, MAX_SIDE));
    while (n / height % width)
        width--;
    if (n / height / width > MAX_CHANNELS)
        return false;
    append(d, (NetLayer){ RESHAPE, .shape = { height, width, n / height / width } });
    return true;
}

void add_word(Drawer *d)
{
    static const struct {
        bool (*add)(Drawer *d);
        int share;
    } words[] = {
        { add_conv, 28 },       { add_deconv, 5 },     { add_pool, 17 },   { add_up, 5 },
        { add_activation, 9 },  { add_norm, 8 },       { add_noise, 5 },   { add_sample, 5 },
        { add_flat, 1 },        { add_reshape, 2 },    { add_join, 9 },    { add_unpool, 7 },
        { add_pad, 4 },         { add_crop, 3 },       { add_shuffle, 5 }, { add_rescale, 4 },
        { add_global_pool, 1 }, { add_depthwise, 12 }, { add_prelu, 4 },   { add_tied, 9 },
    };
    enum { ALL = 143 }; /* the sum of the shares */
    int share = below(d, ALL), word = 0;
    while (share >= words[word].share)
        share -= words[word++].share;
    words[word].add(d);
}
