#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include "cases.h"
#include "rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int outputs(int in, const NetLayer *layer)
{
    int stride = layer->stride ? layer->stride : 1;
    return layer->valid ? (in - layer->kernel) / stride + 1 : (in + stride - 1) / stride;
}

static int deconv_stride(const NetLayer *layer)
{
    return layer->stride ? layer->stride : 2;
}

const char *const net_parts[2] = { "encoder", "decoder" };

static const char *short_name(const NetLayer *l)
{
    static const char *const names[] = {
        [CONV] = "conv",       [DECONV] = "deconv", [POOL] = "pool",       [AVG] = "pool",
        [UP] = "up",           [NORM] = "norm",     [FLATTEN] = "flatten", [DENSE] = "dense",
        [RESHAPE] = "reshape", [CONCAT] = "concat", [ADD] = "add",         [FROM] = "from",
        [UNPOOL] = "unpool",   [NOISE] = "noise",   [DROP] = "dropout",
    };
    return l->kind == ACT ? l->activation : names[l->kind];
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

/* The index of a layer among the first `count`; -1 for the image. */
static int find_place(const NetPlace *places, int count, const char *name)
{
    if (strcmp(name, "input") == 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (strcmp(places[i].name, name) == 0)
            return i;
    fail_msg("the net has no layer %s before this one", name);
    return 0;
}

static NetSize layer_size(NetSize s, const NetLayer *layer)
{
    if (layer->kind == CONV)
        return (NetSize){ outputs(s.height, layer), outputs(s.width, layer), layer->filters,
                          false };
    if (layer->kind == DECONV)
        return (NetSize){ s.height * deconv_stride(layer), s.width * deconv_stride(layer),
                          layer->filters, false };
    if (layer->kind == POOL || layer->kind == AVG)
        return (NetSize){ s.height / layer->size, s.width / layer->size, s.channels, false };
    if (layer->kind == UP)
        return (NetSize){ s.height * layer->size, s.width * layer->size, s.channels, false };
    if (layer->kind == FLATTEN)
        return (NetSize){ 1, 1, s.height * s.width * s.channels, true };
    if (layer->kind == DENSE)
        return (NetSize){ 1, 1, layer->units, true };
    if (layer->kind == RESHAPE)
        return (NetSize){ layer->shape[0], layer->shape[1], layer->shape[2], false };
    return s;
}

static NetSize image_size(const Net *net)
{
    return (NetSize){ net->height, net->width, net->channels, false };
}

/* The same of a layer that names others. */
static NetSize place_size(const Net *net, const NetPlace *places, int count, NetSize s,
                          const NetLayer *layer)
{
    char name[64];
    for (const char *list = layer->with; list && net_next_name(&list, name);) {
        int at = find_place(places, count, name);
        NetSize named = at < 0 ? image_size(net) : places[at].out;
        if (layer->kind == CONCAT)
            s.channels += named.channels;
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
    NetSize s = image_size(net);
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

static int length(const NetLayer *layers)
{
    int n = 0;
    while (layers[n].kind)
        n++;
    return n;
}

void net_close(Net *net)
{
    NetPlace places[NET_PLACES];
    NetSize in = image_size(net), last = places[net_places(net, places) - 1].out;
    int n = length(net->decoder);
    assert_true(n + 2 < MAX_NET);
    for (int up = 1; up < 16; up++)
        for (int stride = 1; stride < 12; stride++)
            for (int kernel = 1; kernel < 20; kernel++)
                for (int valid = 0; valid < 2; valid++) {
                    NetLayer layers[3] = { { UP, .size = up },
                                           { CONV, .filters = in.channels,
                                             .kernel = valid ? kernel : 3, .stride = stride,
                                             .valid = valid } };
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

/* ---- the parameters ---- */

/* A trained tensor: its shape, and the middle and half width of what is drawn for it. */
typedef struct Tensor {
    const char *what;
    ModelShape shape;
    int count;
    double middle, width;
} Tensor;

/* Of a layer whose input has the size; returns how many. */
static int layer_tensors(const NetLayer *l, NetSize s, double scale, Tensor tensors[2])
{
    int taps = l->kernel * l->kernel * s.channels, k = l->kernel;
    bool turned = l->kind == DECONV;
    if (l->kind == NORM) {
        tensors[0] = (Tensor){ "gamma", { 1, { s.channels } }, s.channels, 1, 0.5 };
        tensors[1] = (Tensor){ "beta", { 1, { s.channels } }, s.channels, 0, 0.5 };
        return 2;
    }
    if (l->kind == DENSE) {
        tensors[0] = (Tensor){ "kernel",
                               { 2, { s.channels, l->units } },
                               s.channels * l->units,
                               0,
                               scale * sqrt(3.0 / s.channels) };
        tensors[1] = (Tensor){ "bias", { 1, { l->units } }, l->units, 0, scale * 0.5 };
        return l->no_bias ? 1 : 2;
    }
    if (l->kind != CONV && l->kind != DECONV)
        return 0;
    tensors[0] = (Tensor){
        "kernel",
        { 4, { k, k, turned ? l->filters : s.channels, turned ? s.channels : l->filters } },
        taps * l->filters,
        0,
        scale * sqrt(3.0 / taps)
    };
    tensors[1] = (Tensor){ "bias", { 1, { l->filters } }, l->filters, 0, scale * 0.5 };
    return l->no_bias ? 1 : 2;
}

static int layer_reals(const NetLayer *l, NetSize s)
{
    Tensor tensors[2];
    int count = 0;
    for (int i = layer_tensors(l, s, 1, tensors) - 1; i >= 0; i--)
        count += tensors[i].count;
    return count;
}

static void check_parameter(const Model *model, int *index, size_t *offset, const char *layer,
                            const char *what, ModelShape shape)
{
    assert_true(*index < model->parameter_count);
    const ModelParameter *p = &model->parameters[(*index)++];
    char *name = text_of("%s.%s", layer, what);
    size_t count = 1;
    assert_string_equal(p->name, name);
    assert_int_equal(p->shape.rank, shape.rank);
    for (int i = 0; i < shape.rank; i++) {
        assert_int_equal(p->shape.dim[i], shape.dim[i]);
        count *= (size_t)shape.dim[i];
    }
    assert_int_equal(p->offset, *offset);
    assert_int_equal(p->count, count);
    *offset += count;
    free(name);
}

static void check_shape(const ModelShape *shape, NetSize size)
{
    if (size.flat) {
        assert_int_equal(shape->rank, 1);
        assert_int_equal(shape->dim[0], size.channels);
        return;
    }
    assert_int_equal(shape->rank, 3);
    assert_int_equal(shape->dim[0], size.height);
    assert_int_equal(shape->dim[1], size.width);
    assert_int_equal(shape->dim[2], size.channels);
}

void net_check(const Net *net, const Model *model)
{
    NetSize s = image_size(net);
    NetPlace places[NET_PLACES];
    int index = 0, count = net_places(net, places);
    size_t offset = 0;
    assert_string_equal(model->name, "net");
    check_shape(&model->input, s);
    check_shape(&model->output, s);
    check_shape(&model->latent, places[length(net->encoder) - 1].out);
    for (int i = 0; i < count; i++) {
        Tensor tensors[2];
        int n = layer_tensors(places[i].layer, places[i].in, 1, tensors);
        for (int k = 0; k < n; k++)
            check_parameter(model, &index, &offset, places[i].name, tensors[k].what,
                            tensors[k].shape);
    }
    assert_int_equal(index, model->parameter_count);
    assert_int_equal(offset, model->parameter_reals);
}

double *net_parameters(const Net *net, unsigned seed, int *count)
{
    uint64_t state = seed;
    double *w = NULL, scale = net->scale != 0 ? net->scale : 1;
    NetPlace places[NET_PLACES];
    int layers = net_places(net, places);
    *count = 0;
    for (int i = 0; i < layers; i++) {
        Tensor tensors[2];
        int n = layer_tensors(places[i].layer, places[i].in, scale, tensors);
        for (int t = 0; t < n; t++) {
            w = realloc(w, sizeof *w * (size_t)(*count + tensors[t].count));
            assert_non_null(w);
            /* rounded to float, so that both types start from the same numbers */
            for (int k = 0; k < tensors[t].count; k++)
                w[*count + k] = (float)(tensors[t].middle + rng_uniform(&state) * tensors[t].width);
            *count += tensors[t].count;
        }
    }
    return w;
}

uint8_t *net_image(const Net *net, unsigned seed)
{
    uint64_t state = seed;
    int n = net->height * net->width * net->channels;
    uint8_t *image = malloc((size_t)n);
    assert_non_null(image);
    for (int i = 0; i < n; i++)
        image[i] = (uint8_t)(rng_bits(&state) >> 56);
    return image;
}

/* ---- the values ---- */

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
    int at = find_place(v->places, before, name);
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
        Image next = l->kind == CONCAT ? naive_concat(&y, other) : naive_add(&y, other);
        image_free(&y);
        y = next;
    }
    return y;
}

static Image apply(const Values *v, int at, const Image *x, const double **w)
{
    const NetLayer *l = v->places[at].layer;
    Image y;
    switch (l->kind) {
    case CONV: {
        const double *weights = *w,
                     *bias = weights + l->kernel * l->kernel * x->channels * l->filters;
        y = naive_conv2d(x, weights, l->no_bias ? NULL : bias, l->filters, l->kernel,
                         l->stride ? l->stride : 1, !l->valid);
        *w = bias + (l->no_bias ? 0 : l->filters);
        naive_activation(&y, l->activation ? l->activation : "linear", 0.2);
        return y;
    }
    case DECONV: {
        const double *weights = *w,
                     *bias = weights + l->kernel * l->kernel * x->channels * l->filters;
        y = naive_conv2d_transpose(x, weights, l->no_bias ? NULL : bias, l->filters, l->kernel,
                                   deconv_stride(l));
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
    case CONCAT:
    case ADD: return join(v, at, l, x);
    case FROM: return copy_of(named_value(v, at, l->with));
    case UNPOOL: {
        int pool = find_place(v->places, at, l->with);
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
    values.latent = copy_of(&v->out[length(net->encoder) - 1]);
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
        int pool = find_place(v->places, i, v->places[i].layer->with);
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
    int first = length(net->encoder);
    for (int i = 0; i < first; i++)
        parameters += layer_reals(places[i].layer, places[i].in);
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
