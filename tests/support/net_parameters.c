/* The parameters of a net, and the images that it is given. */
#define _POSIX_C_SOURCE 200809L
#include "net_private.h"

#include "cases.h"
#include "rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 4 }; /* of a layer */

/* A tensor: its shape, and the middle and half width of what is drawn for it. */
typedef struct Tensor {
    const char *what;
    ModelShape shape;
    int count;
    double middle, width;
} Tensor;

double net_momentum(const NetLayer *l)
{
    return l->momentum < 0 ? 0 : l->momentum > 0 ? l->momentum : 0.99;
}

/* Of a depthwise or separable convolution. */
static int depthwise_tensors(const NetLayer *l, NetSize s, double scale, Tensor *t)
{
    NaiveSide sides[2];
    net_sides(l, s, sides);
    const int h = sides[0].kernel, w = sides[1].kernel, m = net_multiplier(l);
    const int wide = s.channels * m, outputs = l->kind == SEPARABLE ? l->filters : wide;
    *t++ = (Tensor){ l->kind == SEPARABLE ? "depthwise_kernel" : "kernel",
                     { 4, { h, w, s.channels, m } },
                     h * w * wide,
                     0,
                     scale * sqrt(3.0 / (h * w)) };
    if (l->kind == SEPARABLE)
        *t++ = (Tensor){ "pointwise_kernel",
                         { 4, { 1, 1, wide, outputs } },
                         wide * outputs,
                         0,
                         scale * sqrt(3.0 / wide) };
    *t = (Tensor){ "bias", { 1, { outputs } }, outputs, 0, scale * 0.5 };
    return (l->kind == SEPARABLE) + (l->no_bias ? 1 : 2);
}

/* Of a norm over so many channels. */
static int norm_tensors(const NetLayer *l, int channels, Tensor *t)
{
    static const Tensor all[] = { { .what = "gamma", .middle = 1, .width = 0.5 },
                                  { .what = "beta", .width = 0.5 },
                                  { .what = "moving_mean", .width = 0.5 },
                                  { .what = "moving_variance", .middle = 1, .width = 0.5 } };
    const int count = l->kind == BATCH_NORM ? 4 : 2;
    for (int i = 0; i < count; i++) {
        t[i] = all[i];
        t[i].shape = (ModelShape){ 1, { channels } };
        t[i].count = channels;
    }
    return count;
}

static bool is_norm(LayerKind kind)
{
    return kind == NORM || kind == LAYER_NORM || kind == INSTANCE_NORM || kind == BATCH_NORM;
}

/* As if no layer were tied. */
static int untied_tensors(const NetLayer *l, NetSize s, double scale, Tensor tensors[MAX_TENSORS])
{
    if (l->kind == PRELU) {
        tensors[0] = (Tensor){ "alpha", { 1, { s.channels } }, s.channels, 0.25, 0.5 };
        return 1;
    }
    if (is_norm(l->kind))
        return norm_tensors(l, s.channels, tensors);
    if (l->kind == DENSE) {
        tensors[0] = (Tensor){ "kernel",
                               { 2, { s.channels, l->units } },
                               s.channels * l->units,
                               0,
                               scale * sqrt(3.0 / s.channels) };
        tensors[1] = (Tensor){ "bias", { 1, { l->units } }, l->units, 0, scale * 0.5 };
        return l->no_bias ? 1 : 2;
    }
    if (l->kind == DEPTHWISE || l->kind == SEPARABLE)
        return depthwise_tensors(l, s, scale, tensors);
    if (l->kind != CONV && l->kind != DECONV)
        return 0;
    bool turned = l->kind == DECONV;
    NaiveConv n = net_conv(l, s);
    int taps = n.kernel[0] * n.kernel[1] * s.channels / n.groups;
    tensors[0] = (Tensor){ "kernel",
                           { 4,
                             { n.kernel[0], n.kernel[1],
                               (turned ? l->filters : s.channels) / n.groups,
                               turned ? s.channels : l->filters } },
                           taps * l->filters,
                           0,
                           scale * sqrt(3.0 / taps) };
    tensors[1] = (Tensor){ "bias", { 1, { l->filters } }, l->filters, 0, scale * 0.5 };
    return l->no_bias ? 1 : 2;
}

/* Of a layer whose input has the size; returns how many. */
static int layer_tensors(const NetLayer *l, NetSize s, double scale, Tensor tensors[MAX_TENSORS])
{
    int count = untied_tensors(l, s, scale, tensors);
    if (!l->tied)
        return count;
    tensors[0] = tensors[1];
    return count - 1;
}

int net_layer_reals(const NetLayer *l, NetSize s)
{
    Tensor tensors[MAX_TENSORS];
    int count = 0;
    for (int i = layer_tensors(l, s, 1, tensors) - 1; i >= 0; i--)
        count += tensors[i].count;
    return count;
}

static bool is_statistic(const char *what)
{
    return strncmp(what, "moving_", 7) == 0;
}

double *net_momenta(const Net *net)
{
    NetPlace places[NET_PLACES];
    int count, layers = net_places(net, places);
    double *momenta = net_parameters(net, 1, &count), *at = momenta; /* room for them */
    for (int i = 0; i < layers; i++) {
        Tensor tensors[MAX_TENSORS];
        const NetLayer *l = places[i].layer;
        const int n = layer_tensors(l, places[i].in, 1, tensors);
        for (int t = 0; t < n; t++)
            for (int k = 0; k < tensors[t].count; k++)
                *at++ = is_statistic(tensors[t].what) && !l->rests ? net_momentum(l) : -1;
    }
    return momenta;
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

/* Statistics move by the layer's momentum instead. */
static void check_trained(const Model *model, int index, const NetLayer *layer, const char *what)
{
    const bool statistic = is_statistic(what);
    const bool trained = !model->trains || model->trains[index];
    assert_int_equal(trained, !layer->rests && !statistic);
    const double momentum = model->groups ? model->groups->momenta[index] : -1;
    if (statistic && !layer->rests)
        assert_true(momentum == net_momentum(layer));
    else
        assert_true(momentum < 0);
}

void net_check(const Net *net, const Model *model)
{
    NetSize s = net_image_size(net);
    NetPlace places[NET_PLACES];
    int index = 0, count = net_places(net, places);
    size_t offset = 0;
    assert_string_equal(model->name, "net");
    check_shape(&model->input, s);
    check_shape(&model->output, s);
    check_shape(&model->latent, places[net_length(net->encoder) - 1].out);
    for (int i = 0; i < count; i++) {
        Tensor tensors[MAX_TENSORS];
        int n = layer_tensors(places[i].layer, places[i].in, 1, tensors);
        for (int k = 0; k < n; k++) {
            check_trained(model, index, places[i].layer, tensors[k].what);
            check_parameter(model, &index, &offset, places[i].name, tensors[k].what,
                            tensors[k].shape);
        }
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
        Tensor tensors[MAX_TENSORS];
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
