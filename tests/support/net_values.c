/* The values of a net, by the naive operators. */
#define _POSIX_C_SOURCE 200809L
#include "net_private.h"

#include "cases.h"
#include "joins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values of all layers on the way through a net. */
typedef struct Values {
    const Net *net;
    NetPlace places[NET_PLACES];
    int count;
    Image image, in[NET_PLACES], out[NET_PLACES];
} Values;

static Image copy_of(const Image *x)
{
    return naive_upsample2d(x, 1);
}

static const Image *named_value(const Values *v, int before, const char *name)
{
    int at = net_find_place(v->places, before, name);
    if (at < 0)
        return &v->image;
    if (!v->out[at].data)
        fail_msg("%s is not known here", name);
    return &v->out[at];
}

static Image join(const Values *v, int at, const NetLayer *l, const Image *x)
{
    char name[64];
    Image y = copy_of(x);
    for (const char *list = l->with; net_next_name(&list, name);) {
        const Image *other = named_value(v, at, name);
        Image next = join_of(l->kind)->value(&y, other);
        image_free(&y);
        y = next;
    }
    return y;
}

static Image apply(const Values *v, int at, const Image *x, const double **w)
{
    const NetLayer *l = v->places[at].layer;
    Image y;
    if (join_of(l->kind))
        return join(v, at, l, x);
    switch (l->kind) {
    case CONV:
    case DECONV: {
        NaiveConv n = net_conv(l, (NetSize){ x->height, x->width, x->channels, false });
        const double *weights = *w,
                     *bias = weights
                             + n.kernel[0] * n.kernel[1] * x->channels / n.groups * l->filters;
        y = (l->kind == CONV ? naive_convolve : naive_transpose)(
            x, weights, l->no_bias ? NULL : bias, l->filters, &n);
        *w = bias + (l->no_bias ? 0 : l->filters);
        naive_activation(&y, l->activation ? l->activation : "linear", 0.2);
        return y;
    }
    case DENSE: {
        const double *weights = *w, *bias = weights + x->channels * l->units;
        y = naive_dense(x, weights, l->no_bias ? NULL : bias, l->units);
        *w = bias + (l->no_bias ? 0 : l->units);
        naive_activation(&y, l->activation ? l->activation : "linear", 0.2);
        return y;
    }
    case FLATTEN: return naive_reshape(x, 1, 1, x->height * x->width * x->channels);
    case RESHAPE: return naive_reshape(x, l->shape[0], l->shape[1], l->shape[2]);
    case POOL: return naive_max_pool2d(x, l->size);
    case AVG: return naive_avg_pool2d(x, l->size);
    case NORM: {
        const double *gamma = *w;
        *w += 2 * x->channels;
        return naive_group_norm(x, gamma, gamma + x->channels, l->groups,
                                l->eps != 0 ? l->eps : 1e-3);
    }
    case UP: return naive_upsample2d(x, l->size);
    case NOISE:
    case DROP: return copy_of(x);
    case FROM: return copy_of(named_value(v, at, l->with));
    case UNPOOL: {
        int pool = net_find_place(v->places, at, l->with);
        return naive_max_unpool2d(x, &v->in[pool], v->places[pool].layer->size);
    }
    default:
        y = copy_of(x);
        naive_activation(&y, l->approximate ? "gelu_tanh" : l->activation,
                         l->flat_slope   ? 0
                         : l->slope != 0 ? l->slope
                                         : 0.2);
        return y;
    }
}

/* Layers from `first` on, of which the first reads x. */
static Values *apply_all(const Net *net, int first, const Image *x, const double *w)
{
    Values *v = calloc(1, sizeof *v);
    assert_non_null(v);
    v->net = net;
    v->count = net_places(net, v->places);
    v->image = copy_of(x);
    if (first > 0)
        v->out[first - 1] = copy_of(x);
    for (int i = first; i < v->count; i++) {
        v->in[i] = copy_of(i ? &v->out[i - 1] : x);
        v->out[i] = apply(v, i, &v->in[i], &w);
    }
    return v;
}

static void values_free(Values *v)
{
    image_free(&v->image);
    for (int i = 0; i < v->count; i++) {
        image_free(&v->in[i]);
        image_free(&v->out[i]);
    }
    free(v);
}

static Image pixels_of(const Net *net, const uint8_t *image)
{
    Image x = image_new(net->height, net->width, net->channels);
    /* pixels are float32 in either arithmetic: see model.h */
    for (int i = 0; i < x.height * x.width * x.channels; i++)
        x.data[i] = (float)image[i] / 255.0f;
    return x;
}

NetValues net_forward(const Net *net, const double *parameters, const uint8_t *image)
{
    NetValues values;
    Image x = pixels_of(net, image);
    Values *v = apply_all(net, 0, &x, parameters);
    values.latent = copy_of(&v->out[net_length(net->encoder) - 1]);
    values.output = copy_of(&v->out[v->count - 1]);
    values.loss = naive_loss(net->loss ? net->loss : "mse", &values.output, &x);
    values_free(v);
    image_free(&x);
    return values;
}

static bool window_has_ties(const Image *x, int row, int column, int channel, int size,
                            double margin)
{
    for (int i = 0; i < size * size; i++)
        for (int k = 0; k < i; k++) {
            double a = *image_at(x, row + i / size, column + i % size, channel),
                   b = *image_at(x, row + k / size, column + k % size, channel);
            if (fabs(a - b) <= margin && (a != 0 || b != 0))
                return true;
        }
    return false;
}

static bool pool_has_ties(const Image *x, int size, double margin)
{
    for (int r = 0; r + size <= x->height; r += size)
        for (int c = 0; c + size <= x->width; c += size)
            for (int k = 0; k < x->channels; k++)
                if (window_has_ties(x, r, c, k, size, margin))
                    return true;
    return false;
}

static bool same_image(const Image *a, const Image *b)
{
    return a->height == b->height && a->width == b->width && a->channels == b->channels
           && memcmp(a->data, b->data,
                     (size_t)a->height * (size_t)a->width * (size_t)a->channels * sizeof *a->data)
                  == 0;
}

bool net_has_ties(const Net *net, const double *parameters, const uint8_t *image, double margin)
{
    Image x = pixels_of(net, image);
    Values *v = apply_all(net, 0, &x, parameters);
    bool ties = false;
    for (int i = 0; i < v->count; i++) {
        if (v->places[i].layer->kind != UNPOOL)
            continue;
        int pool = net_find_place(v->places, i, v->places[i].layer->with);
        if (same_image(&v->in[pool], &x)) /* pixels are equal or not on both sides */
            continue;
        ties = ties || pool_has_ties(&v->in[pool], v->places[pool].layer->size, margin);
    }
    values_free(v);
    image_free(&x);
    return ties;
}

Image net_decode(const Net *net, const double *parameters, const Image *latent)
{
    NetPlace places[NET_PLACES];
    net_places(net, places);
    int first = net_length(net->encoder);
    for (int i = 0; i < first; i++)
        parameters += net_layer_reals(places[i].layer, places[i].in);
    Values *v = apply_all(net, first, latent, parameters);
    Image output = copy_of(&v->out[v->count - 1]);
    values_free(v);
    return output;
}

void net_values_free(NetValues *values)
{
    image_free(&values->latent);
    image_free(&values->output);
}
