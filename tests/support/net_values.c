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
    const double *weights[NET_PLACES]; /* where those of each layer begin */
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

static Image rescale(const Image *x, const NetLayer *l)
{
    double *scale = malloc((size_t)x->channels * 2 * sizeof *scale), *offset = scale + x->channels;
    assert_non_null(scale);
    for (int c = 0; c < x->channels; c++)
        net_rescale(l, c, &scale[c], &offset[c]);
    Image y = naive_rescale(x, scale, offset);
    free(scale);
    return y;
}

static Image depthwise(const NetLayer *l, const Image *x, const double **w)
{
    NaiveSide sides[2];
    net_sides(l, (NetSize){ x->height, x->width, x->channels, false }, sides);
    const int m = net_multiplier(l), wide = x->channels * m;
    const double *weights = *w, *bias = weights + sides[0].kernel * sides[1].kernel * wide;
    *w = bias + (l->no_bias ? 0 : wide);
    return naive_depthwise_conv2d(x, weights, l->no_bias ? NULL : bias, m, sides);
}

static Image separable(const NetLayer *l, const Image *x, const double **w)
{
    NetLayer first = *l;
    first.no_bias = true;
    Image y = depthwise(&first, x, w);
    const double *weights = *w, *bias = weights + y.channels * l->filters;
    Image z = naive_conv2d(&y, weights, l->no_bias ? NULL : bias, l->filters, 1, 1, true);
    *w = bias + (l->no_bias ? 0 : l->filters);
    image_free(&y);
    return z;
}

static double net_eps(const NetLayer *l)
{
    return l->eps != 0 ? l->eps : 1e-3;
}

/* Of a norm of one image, its gamma and beta at *w. */
static Image norm(const NetLayer *l, const Image *x, const double **w)
{
    const double *gamma = *w, *beta = gamma + x->channels, eps = net_eps(l);
    *w += 2 * x->channels;
    if (l->kind == LAYER_NORM)
        return naive_layer_norm(x, gamma, beta, eps);
    return naive_group_norm(x, gamma, beta, l->kind == NORM ? l->groups : x->channels, eps);
}

/* By the statistics among its parameters. */
static Image batch_norm(const NetLayer *l, const Image *x, const double **w)
{
    const double *gamma = *w;
    const int c = x->channels;
    *w += 4 * c;
    return naive_batch_norm(x, gamma, gamma + c, gamma + 2 * c, gamma + 3 * c, net_eps(l));
}

/* The kernel that the layer has, its own or another's, and what comes after it there. */
static const double *take_kernel(const Values *v, int at, const double **w, int reals)
{
    const NetLayer *l = v->places[at].layer;
    const double *own = *w;
    if (l->tied)
        return v->weights[net_find_place(v->places, at, l->tied)];
    *w += reals;
    return own;
}

/* Where the bias is, if there is one. */
static const double *take_bias(const NetLayer *l, const double **w, int reals)
{
    const double *bias = *w;
    if (l->no_bias)
        return NULL;
    *w += reals;
    return bias;
}

static Image convolve(const Values *v, int at, const Image *x, const double **w)
{
    const NetLayer *l = v->places[at].layer;
    NaiveConv n = net_conv(l, (NetSize){ x->height, x->width, x->channels, false });
    const double *kernel = take_kernel(
        v, at, w, n.kernel[0] * n.kernel[1] * x->channels / n.groups * l->filters);
    return (l->kind == CONV ? naive_convolve : naive_transpose)(
        x, kernel, take_bias(l, w, l->filters), l->filters, &n);
}

static Image dense(const Values *v, int at, const Image *x, const double **w)
{
    const NetLayer *l = v->places[at].layer;
    const double *kernel = take_kernel(v, at, w, x->channels * l->units);
    return (l->tied ? naive_dense_transpose : naive_dense)(x, kernel, take_bias(l, w, l->units),
                                                           l->units);
}

/* Of layers with weights, then their activation. */
static Image weighted(const Values *v, int at, const Image *x, const double **w)
{
    const NetLayer *l = v->places[at].layer;
    Image y = l->kind == DEPTHWISE   ? depthwise(l, x, w)
              : l->kind == SEPARABLE ? separable(l, x, w)
              : l->kind == DENSE     ? dense(v, at, x, w)
                                     : convolve(v, at, x, w);
    naive_activation(&y, l->activation ? l->activation : "linear", 0.2);
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
    case DECONV:
    case DEPTHWISE:
    case SEPARABLE:
    case DENSE: return weighted(v, at, x, w);
    case FLATTEN: return naive_reshape(x, 1, 1, x->height * x->width * x->channels);
    case RESHAPE: return naive_reshape(x, l->shape[0], l->shape[1], l->shape[2]);
    case POOL:
    case AVG: {
        Window window = net_pool_window(l, v->places[at].in);
        return l->kind == POOL ? naive_max_pool2d(x, &window) : naive_avg_pool2d(x, &window);
    }
    case GLOBAL_MAX:
    case GLOBAL_AVG: return naive_global_pool2d(x, l->kind == GLOBAL_AVG);
    case NORM:
    case LAYER_NORM:
    case INSTANCE_NORM: return norm(l, x, w);
    case BATCH_NORM: return batch_norm(l, x, w);
    case PRELU:
        y = naive_prelu(x, *w);
        *w += x->channels;
        return y;
    case UP:
        return l->bilinear ? naive_upsample2d_bilinear(x, l->size, net_across(l))
                           : naive_upsample2d_pair(x, l->size, net_across(l));
    case PAD: return naive_zero_pad2d(x, l->pad);
    case CROP: return naive_crop2d(x, l->pad);
    case D2S: return naive_depth_to_space(x, l->size);
    case S2D: return naive_space_to_depth(x, l->size);
    case RESCALE: return rescale(x, l);
    case NOISE:
    case DROP: return copy_of(x);
    case SAMPLE: return naive_half(x, 0);
    case FROM: return copy_of(named_value(v, at, l->with));
    case UNPOOL: {
        int pool = net_find_place(v->places, at, l->with);
        Window window = net_pool_window(v->places[pool].layer, v->places[pool].in);
        return naive_max_unpool2d(x, &v->in[pool], &window);
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

/* None of its layers is computed yet; the layer `first` reads x; w: the weights of all. */
static Values *values_new(const Net *net, int first, const Image *x, const double *w)
{
    Values *v = calloc(1, sizeof *v);
    assert_non_null(v);
    v->net = net;
    v->count = net_places(net, v->places);
    for (int i = 0; i < v->count; i++) {
        v->weights[i] = w;
        w += net_layer_reals(v->places[i].layer, v->places[i].in);
    }
    v->image = copy_of(x);
    if (first > 0)
        v->out[first - 1] = copy_of(x);
    return v;
}

/* Layer i, whose parameters are at *w, which moves on. */
static void apply_layer(Values *v, int i, const double **w)
{
    v->in[i] = copy_of(i ? &v->out[i - 1] : &v->image);
    v->out[i] = apply(v, i, &v->in[i], w);
}

/* Layers from `first` on, of which the first reads x; w: the weights of all. */
static Values *apply_all(const Net *net, int first, const Image *x, const double *w)
{
    Values *v = values_new(net, first, x, w);
    w = v->weights[first];
    for (int i = first; i < v->count; i++)
        apply_layer(v, i, &w);
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

/* With the terms that layers bring. */
static double loss_of(const Values *v)
{
    const Image *x = &v->image;
    double loss = naive_loss(v->net->loss ? v->net->loss : "mse", &v->out[v->count - 1], x);
    for (int i = 0; i < v->count; i++)
        if (v->places[i].layer->kind == SAMPLE)
            loss += v->places[i].layer->kl_weight * naive_kl(&v->in[i])
                    / (x->height * x->width * x->channels);
    return loss;
}

NetValues net_forward(const Net *net, const double *parameters, const uint8_t *image)
{
    NetValues values;
    Image x = pixels_of(net, image);
    Values *v = apply_all(net, 0, &x, parameters);
    values.latent = copy_of(&v->out[net_length(net->encoder) - 1]);
    values.output = copy_of(&v->out[v->count - 1]);
    values.loss = loss_of(v);
    values_free(v);
    image_free(&x);
    return values;
}

static const double *window_value(const Image *x, const Window *w, int row, int column, int i,
                                  int channel)
{
    int r = row * w->stride_h - w->top + i / w->width,
        c = column * w->stride_w - w->left + i % w->width;
    bool inside = r >= 0 && r < x->height && c >= 0 && c < x->width;
    return inside ? image_at(x, r, c, channel) : NULL;
}

static bool window_has_ties(const Image *x, const Window *w, int row, int column, int channel,
                            double margin)
{
    for (int i = 0; i < w->height * w->width; i++)
        for (int k = 0; k < i; k++) {
            const double *a = window_value(x, w, row, column, i, channel),
                         *b = window_value(x, w, row, column, k, channel);
            if (a && b && fabs(*a - *b) <= margin && (*a != 0 || *b != 0))
                return true;
        }
    return false;
}

static bool pool_has_ties(const Image *x, const NetPlace *pool, double margin)
{
    const Window w = net_pool_window(pool->layer, pool->in);
    for (int r = 0; r < pool->out.height; r++)
        for (int c = 0; c < pool->out.width; c++)
            for (int k = 0; k < x->channels; k++)
                if (window_has_ties(x, &w, r, c, k, margin))
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

static bool values_have_ties(const Values *v, double margin)
{
    bool ties = false;
    for (int i = 0; i < v->count; i++) {
        if (v->places[i].layer->kind != UNPOOL)
            continue;
        int pool = net_find_place(v->places, i, v->places[i].layer->with);
        if (same_image(&v->in[pool], &v->image)) /* pixels are equal or not on both sides */
            continue;
        ties = ties || pool_has_ties(&v->in[pool], &v->places[pool], margin);
    }
    return ties;
}

bool net_has_ties(const Net *net, const double *parameters, const uint8_t *image, double margin)
{
    Image x = pixels_of(net, image);
    Values *v = apply_all(net, 0, &x, parameters);
    const bool ties = values_have_ties(v, margin);
    values_free(v);
    image_free(&x);
    return ties;
}

/* ---- training of images that statistics are taken of together ---- */

/* Layer `at` of each image, by the statistics of them all, which go to where its own lie in `seen`;
   its parameters are at *w, which moves on. */
static void batch_norm_together(Values *const *v, int n, int at, const double **w, double *seen)
{
    const NetLayer *l = v[0]->places[at].layer;
    const Image *in[NET_GROUP];
    for (int i = 0; i < n; i++) {
        v[i]->in[at] = copy_of(at ? &v[i]->out[at - 1] : &v[i]->image);
        in[i] = &v[i]->in[at];
    }
    const int c = in[0]->channels;
    double *mean = seen + 2 * c, *variance = seen + 3 * c;
    naive_moments(in, n, mean, variance);
    for (int i = 0; i < n; i++)
        v[i]->out[at] = naive_batch_norm(in[i], *w, *w + c, mean, variance, net_eps(l));
    *w += 4 * c;
}

static void apply_together(Values *const *v, int n, int at, const double **w, double *seen)
{
    const NetLayer *l = v[0]->places[at].layer;
    const double *first = *w;
    if (l->kind == BATCH_NORM && !l->rests) {
        batch_norm_together(v, n, at, w, seen);
        return;
    }
    for (int i = 0; i < n; i++) {
        *w = first;
        apply_layer(v[i], at, w);
    }
}

static void train_group(const Net *net, const double *parameters, uint8_t *const *images, int n,
                        Values **v, double *seen)
{
    const double *w = parameters;
    assert_in_range(n, 1, NET_GROUP);
    for (int i = 0; i < n; i++) {
        Image x = pixels_of(net, images[i]);
        v[i] = values_new(net, 0, &x, parameters);
        image_free(&x);
    }
    for (int at = 0; at < v[0]->count; at++)
        apply_together(v, n, at, &w, seen + (w - parameters));
}

void net_train_group(const Net *net, const double *parameters, uint8_t *const *images, int n,
                     double *losses, double *seen)
{
    Values *v[NET_GROUP];
    train_group(net, parameters, images, n, v, seen);
    for (int i = 0; i < n; i++) {
        losses[i] = loss_of(v[i]);
        values_free(v[i]);
    }
}

bool net_group_has_ties(const Net *net, const double *parameters, uint8_t *const *images, int n,
                        double margin)
{
    Values *v[NET_GROUP];
    int count;
    bool ties = false;
    double *seen = net_parameters(net, 1, &count); /* room for it */
    train_group(net, parameters, images, n, v, seen);
    for (int i = 0; i < n; i++) {
        ties = ties || values_have_ties(v[i], margin);
        values_free(v[i]);
    }
    free(seen);
    return ties;
}

Image net_decode(const Net *net, const double *parameters, const Image *latent)
{
    Values *v = apply_all(net, net_length(net->encoder), latent, parameters);
    Image output = copy_of(&v->out[v->count - 1]);
    values_free(v);
    return output;
}

void net_values_free(NetValues *values)
{
    image_free(&values->latent);
    image_free(&values->output);
}
