#define _POSIX_C_SOURCE 200809L
#include "net_private.h"

#include "cases.h"
#include "joins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int along(int height, int width, int axis, int usual)
{
    int value = axis && width ? width : height;
    return value ? value : usual;
}

int net_window(const NaiveConv *n, int axis)
{
    return (n->kernel[axis] - 1) * n->dilation[axis] + 1;
}

/* Along an axis on which the image has so many pixels. */
static void place_conv(const NetLayer *l, NaiveConv *n, int axis, int in)
{
    int stride = n->stride[axis], window = net_window(n, axis);
    if (l->padded || l->valid) {
        int rest = in + l->pad[axis] + l->pad[axis + 2] - window;
        n->pad[axis] = l->pad[axis];
        n->out[axis] = rest < 0 ? 0 : rest / stride + 1;
        return;
    }
    int out = (in + stride - 1) / stride, zeros = (out - 1) * stride + window - in;
    n->pad[axis] = zeros > 0 ? zeros / 2 : 0;
    n->out[axis] = out;
}

static void place_deconv(const NetLayer *l, NaiveConv *n, int axis, int in)
{
    int stride = n->stride[axis], window = net_window(n, axis), steps = (in - 1) * stride,
        more = l->more[axis];
    if (l->padded || l->valid) {
        int least = l->padded || l->enlarged || window > stride ? window : stride;
        n->pad[axis] = l->pad[axis];
        n->out[axis] = steps + least - l->pad[axis] - l->pad[axis + 2] + more;
        return;
    }
    n->out[axis] = l->enlarged ? steps + window % 2 + more : in * stride;
    int cut = steps + window - n->out[axis];
    n->pad[axis] = cut > 0 ? cut / 2 : 0;
}

NaiveConv net_conv(const NetLayer *l, NetSize s)
{
    NaiveConv n = { .groups = l->groups ? l->groups : 1 };
    for (int axis = 0; axis < 2; axis++) {
        int in = axis ? s.width : s.height;
        n.kernel[axis] = along(l->kernel, l->kernel_w, axis, 1);
        n.stride[axis] = along(l->stride, l->stride_w, axis, l->kind == CONV ? 1 : 2);
        n.dilation[axis] = along(l->dilation, l->dilation_w, axis, 1);
        if (l->kind == CONV)
            place_conv(l, &n, axis, in);
        else
            place_deconv(l, &n, axis, in);
    }
    return n;
}

int net_across(const NetLayer *layer)
{
    return layer->size_w ? layer->size_w : layer->size;
}

void net_rescale(const NetLayer *layer, int channel, double *scale, double *offset)
{
    const double c = layer->by_channel ? channel : 0;
    *scale = layer->scale * (1 - 0.125 * c);
    *offset = layer->offset + 0.25 * c;
}

static NetSize padded_size(NetSize s, const int pad[4], int sign)
{
    return (NetSize){ s.height + sign * (pad[0] + pad[2]), s.width + sign * (pad[1] + pad[3]),
                      s.channels, false };
}

const char *const net_parts[2] = { "encoder", "decoder" };

static const char *short_name(const NetLayer *l)
{
    static const char *const names[] = {
        [CONV] = "conv",
        [DECONV] = "deconv",
        [POOL] = "pool",
        [AVG] = "pool",
        [UP] = "up",
        [NORM] = "norm",
        [LAYER_NORM] = "ln",
        [INSTANCE_NORM] = "in",
        [BATCH_NORM] = "bn",
        [PRELU] = "prelu",
        [FLATTEN] = "flatten",
        [DENSE] = "dense",
        [RESHAPE] = "reshape",
        [FROM] = "from",
        [UNPOOL] = "unpool",
        [NOISE] = "noise",
        [DROP] = "dropout",
        [SAMPLE] = "sample",
        [PAD] = "pad",
        [CROP] = "crop",
        [D2S] = "d2s",
        [S2D] = "s2d",
        [RESCALE] = "rescale",
        [GLOBAL_MAX] = "gpool",
        [GLOBAL_AVG] = "gpool",
        [DEPTHWISE] = "dwconv",
        [SEPARABLE] = "sepconv",
    };
    const Join *join = join_of(l->kind);
    return join ? join->short_name : l->kind == ACT ? l->activation : names[l->kind];
}

bool net_next_name(const char **list, char name[64])
{
    size_t n = strcspn(*list, " ");
    if (n == 0)
        return false;
    assert_true(n < 64);
    memcpy(name, *list, n);
    name[n] = 0;
    *list += n + ((*list)[n] == ' ');
    return true;
}

int net_find_place(const NetPlace *places, int count, const char *name)
{
    if (strcmp(name, "input") == 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (strcmp(places[i].name, name) == 0)
            return i;
    fail_msg("the net has no layer %s before this one", name);
    return 0;
}

static int or_else(int number, int otherwise)
{
    return number ? number : otherwise;
}

void net_sides(const NetLayer *l, NetSize in, NaiveSide sides[2])
{
    const int stride = or_else(l->stride, 1), dilation = or_else(l->dilation, 1);
    sides[0] = (NaiveSide){ l->kernel, stride, dilation, l->pad[0], l->pad[2] };
    sides[1] = (NaiveSide){ or_else(l->kernel_w, l->kernel), or_else(l->stride_w, stride),
                            or_else(l->dilation_w, dilation), l->pad[1], l->pad[3] };
    if (l->valid || l->padded)
        return;
    naive_side_same(in.height, &sides[0]);
    naive_side_same(in.width, &sides[1]);
}

int net_multiplier(const NetLayer *l)
{
    return or_else(l->multiplier, 1);
}

NetSize net_depthwise_size(NetSize s, const NetLayer *l)
{
    NaiveSide sides[2];
    net_sides(l, s, sides);
    return (NetSize){ naive_outputs(s.height, &sides[0]), naive_outputs(s.width, &sides[1]),
                      l->kind == DEPTHWISE ? s.channels * net_multiplier(l) : l->filters, false };
}

/* Zeros on both sides of a line so that ceil(in / stride) windows fit. */
static int same_padding(int in, int size, int stride)
{
    int all = ((in + stride - 1) / stride - 1) * stride + size - in;
    return all > 0 ? all : 0;
}

Window net_pool_window(const NetLayer *pool, NetSize in)
{
    Window w = { .height = pool->size, .width = pool->size_w ? pool->size_w : pool->size };
    w.stride_h = pool->stride ? pool->stride : w.height;
    w.stride_w = pool->stride_w ? pool->stride_w : pool->stride ? pool->stride : w.width;
    int rows = pool->same ? same_padding(in.height, w.height, w.stride_h) : 0,
        columns = pool->same ? same_padding(in.width, w.width, w.stride_w) : 0;
    w.top = rows / 2 + pool->pad[0];
    w.left = columns / 2 + pool->pad[1];
    w.bottom = rows - rows / 2 + pool->pad[2];
    w.right = columns - columns / 2 + pool->pad[3];
    return w;
}

bool net_overlaps(const NetPlace *pool)
{
    Window w = net_pool_window(pool->layer, pool->in);
    return (w.stride_h < w.height && pool->out.height > 1)
           || (w.stride_w < w.width && pool->out.width > 1);
}

static NetSize pool_size(const NetLayer *pool, NetSize in)
{
    Window w = net_pool_window(pool, in);
    return (NetSize){ (in.height + w.top + w.bottom - w.height) / w.stride_h + 1,
                      (in.width + w.left + w.right - w.width) / w.stride_w + 1, in.channels,
                      false };
}

static NetSize layer_size(NetSize s, const NetLayer *layer)
{
    if (layer->kind == CONV || layer->kind == DECONV) {
        NaiveConv n = net_conv(layer, s);
        return (NetSize){ n.out[0], n.out[1], layer->filters, false };
    }
    if (layer->kind == DEPTHWISE || layer->kind == SEPARABLE)
        return net_depthwise_size(s, layer);
    if (layer->kind == POOL || layer->kind == AVG)
        return pool_size(layer, s);
    if (layer->kind == GLOBAL_MAX || layer->kind == GLOBAL_AVG)
        return (NetSize){ 1, 1, s.channels, true };
    if (layer->kind == UP)
        return (NetSize){ s.height * layer->size, s.width * net_across(layer), s.channels, false };
    if (layer->kind == PAD || layer->kind == CROP)
        return padded_size(s, layer->pad, layer->kind == PAD ? 1 : -1);
    if (layer->kind == D2S)
        return (NetSize){ s.height * layer->size, s.width * layer->size,
                          s.channels / (layer->size * layer->size), false };
    if (layer->kind == S2D)
        return (NetSize){ s.height / layer->size, s.width / layer->size,
                          s.channels * layer->size * layer->size, false };
    if (layer->kind == FLATTEN)
        return (NetSize){ 1, 1, s.height * s.width * s.channels, true };
    if (layer->kind == SAMPLE)
        return (NetSize){ s.height, s.width, s.channels / 2, s.flat };
    if (layer->kind == DENSE)
        return (NetSize){ 1, 1, layer->units, true };
    if (layer->kind == RESHAPE)
        return (NetSize){ layer->shape[0], layer->shape[1], layer->shape[2], false };
    return s;
}

NetSize net_image_size(const Net *net)
{
    return (NetSize){ net->height, net->width, net->channels, false };
}

/* The same of a layer that names others. */
static NetSize place_size(const Net *net, const NetPlace *places, int count, NetSize s,
                          const NetLayer *layer)
{
    char name[64];
    for (const char *list = layer->with; list && net_next_name(&list, name);) {
        int at = net_find_place(places, count, name);
        NetSize named = at < 0 ? net_image_size(net) : places[at].out;
        if (join_of(layer->kind))
            assert_true(join_of(layer->kind)->size(s, named, &s));
        else if (layer->kind == FROM)
            s = named;
        else if (layer->kind == UNPOOL)
            s = places[at].in;
    }
    return layer_size(s, layer);
}

static NetSize list_size(NetSize s, const NetLayer *layers)
{
    for (; layers->kind; layers++)
        s = layer_size(s, layers);
    return s;
}

int net_places(const Net *net, NetPlace places[NET_PLACES])
{
    NetSize s = net_image_size(net);
    int count = 0;
    for (int part = 0; part < 2; part++)
        for (const NetLayer *l = part ? net->decoder : net->encoder; l->kind; l++) {
            NetPlace *p = &places[count];
            *p = (NetPlace){ .layer = l, .part = part, .number = 1, .in = s };
            for (int i = 0; i < count; i++)
                p->number += places[i].part == part
                             && strcmp(short_name(places[i].layer), short_name(l)) == 0;
            if (l->name)
                snprintf(p->name, sizeof p->name, "%s.%s", net_parts[part], l->name);
            else
                snprintf(p->name, sizeof p->name, "%s.%s%d", net_parts[part], short_name(l),
                         p->number);
            p->out = s = place_size(net, places, count, s, l);
            count++;
        }
    return count;
}

int net_length(const NetLayer *layers)
{
    int n = 0;
    while (layers[n].kind)
        n++;
    return n;
}

Net net_of_pools(const NetLayer *pools, size_t count, int height, int width, int filters)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
    static const char with[] = "encoder.a encoder.b encoder.c encoder.d encoder.e encoder.f "
                               "encoder.g encoder.h encoder.i encoder.j";
    static char list[sizeof with];
    Net net = { .height = height, .width = width, .channels = 1 };
    NetLayer *l = net.encoder;
    assert_true(count > 1 && count <= sizeof names / sizeof names[0]);
    *l++ = (NetLayer){ CONV, .filters = filters, .kernel = 2, .activation = "tanh", .plain = true };
    for (size_t i = 0; i < count; i++) {
        *l++ = (NetLayer){ FROM, .with = "encoder.conv1" };
        *l++ = pools[i];
        *l++ = (NetLayer){ FLATTEN, .name = names[i] };
    }
    snprintf(list, (count - 1) * sizeof "encoder.a", "%s", with); /* all but the last */
    *l++ = (NetLayer){ CONCAT, .with = list };
    *l = (NetLayer){ DENSE, .units = 6 };
    net.decoder[0] = (NetLayer){ DENSE, .units = height * width };
    net.decoder[1] = (NetLayer){ RESHAPE, .shape = { height, width, 1 } };
    return net;
}

void net_close(Net *net)
{
    NetPlace places[NET_PLACES];
    NetSize in = net_image_size(net), last = places[net_places(net, places) - 1].out;
    int n = net_length(net->decoder);
    assert_true(n + 2 < MAX_NET);
    for (int up = 1; up < 16; up++)
        for (int stride = 1; stride < 12; stride++)
            for (int kernel = 1; kernel < 20; kernel++)
                for (int valid = 0; valid < 2; valid++) {
                    NetLayer layers[3] = { { UP, .size = up },
                                           { CONV, .filters = in.channels,
                                             .kernel = valid ? kernel : 3, .stride = stride,
                                             .valid = valid, .plain = true } };
                    NetSize s = list_size(last, layers);
                    if (s.height != in.height || s.width != in.width
                        || (valid && (kernel > last.height * up || kernel > last.width * up)))
                        continue;
                    if (up > 1)
                        net->decoder[n++] = layers[0];
                    net->decoder[n] = layers[1];
                    return;
                }
    fail_msg("no upsampling and convolution bring %dx%d back to %dx%d", last.height, last.width,
             in.height, in.width);
}
