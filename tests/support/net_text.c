/* What caec is told of a net: its graph file, and options that force kernels. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include "cases.h"
#include "joins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
    [CONV] = "conv2d",
    [DECONV] = "conv2d_transpose",
    [POOL] = "max_pool2d",
    [AVG] = "avg_pool2d",
    [UP] = "upsample2d",
    [NORM] = "group_norm",
    [LAYER_NORM] = "layer_norm",
    [INSTANCE_NORM] = "instance_norm",
    [BATCH_NORM] = "batch_norm",
    [PRELU] = "prelu",
    [FLATTEN] = "flatten",
    [DENSE] = "dense",
    [RESHAPE] = "reshape",
    [FROM] = "from",
    [UNPOOL] = "max_unpool2d",
    [NOISE] = "gaussian_noise",
    [DROP] = "dropout",
    [SAMPLE] = "gaussian_sample",
    [PAD] = "zero_pad2d",
    [CROP] = "crop2d",
    [D2S] = "depth_to_space",
    [S2D] = "space_to_depth",
    [RESCALE] = "rescale",
    [GLOBAL_MAX] = "global_max_pool2d",
    [GLOBAL_AVG] = "global_avg_pool2d",
    [DEPTHWISE] = "depthwise_conv2d",
    [SEPARABLE] = "separable_conv2d",
};

/* A layer's arguments on their way into the file. */
typedef struct Arguments {
    FILE *f;
    bool wordy; /* defaults too */
    int count;
} Arguments;

static void argument(Arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void argument(Arguments *a, const char *format, ...)
{
    va_list args;
    fputs(a->count++ ? ", " : " ", a->f);
    va_start(args, format);
    vfprintf(a->f, format, args);
    va_end(args);
}

static void print_names(Arguments *a, const char *what, const char *list)
{
    char name[64];
    bool several = strchr(list, ' ') != NULL;
    argument(a, "%s = %s", what, several ? "{ " : "");
    for (bool first = true; net_next_name(&list, name); first = false)
        fprintf(a->f, "%s\"%s\"", first ? "" : ", ", name);
    fputs(several ? " }" : "", a->f);
}

/* Of layers with weights: what may stand after the numbers. */
static void print_weighted(Arguments *a, const NetLayer *l)
{
    bool windows = l->kind == CONV || l->kind == DECONV || l->kind == DEPTHWISE
                   || l->kind == SEPARABLE;
    if (windows && !l->padded && (l->valid || a->wordy))
        argument(a, "padding = \"%s\"", l->valid ? "valid" : "same");
    if (l->no_bias || a->wordy)
        argument(a, "use_bias = %s", l->no_bias ? "false" : "true");
    if (l->activation || a->wordy)
        argument(a, "activation = \"%s\"", l->activation ? l->activation : "linear");
    if (l->tied)
        argument(a, "tied = \"%s\"", l->tied);
}

/* One number for both axes where they are equal. */
static void print_pair(Arguments *a, const char *name, int height, int width)
{
    if (width && width != height)
        argument(a, "%s = { %d, %d }", name, height, width);
    else
        argument(a, "%s = %d", name, height);
}

/* As short as it can be said. */
static void print_padding(Arguments *a, const int pad[4])
{
    const bool twice = pad[0] == pad[2] && pad[1] == pad[3];
    if (twice && pad[0] == pad[1] && !a->wordy)
        argument(a, "padding = %d", pad[0]);
    else if (twice && !a->wordy)
        argument(a, "padding = { %d, %d }", pad[0], pad[1]);
    else
        argument(a, "padding = { %d, %d, %d, %d }", pad[0], pad[1], pad[2], pad[3]);
}

static void print_conv(Arguments *a, const NetLayer *l)
{
    argument(a, "filters = %d", l->filters);
    print_pair(a, "kernel", l->kernel, l->kernel_w);
    if (l->stride || a->wordy)
        print_pair(a, "stride", l->stride ? l->stride : l->kind == CONV ? 1 : 2, l->stride_w);
    if (l->dilation || a->wordy)
        print_pair(a, "dilation", l->dilation ? l->dilation : 1, l->dilation_w);
    if (l->padded)
        print_padding(a, l->pad);
    if (l->enlarged)
        argument(a, "output_padding = { %d, %d }", l->more[0], l->more[1]);
    if (l->groups || a->wordy)
        argument(a, "groups = %d", l->groups ? l->groups : 1);
    print_weighted(a, l);
}

static void print_depthwise(Arguments *a, const NetLayer *l)
{
    if (l->kind == SEPARABLE)
        argument(a, "filters = %d", l->filters);
    print_pair(a, "kernel", l->kernel, l->kernel_w);
    if (l->stride || l->stride_w || a->wordy)
        print_pair(a, "stride", l->stride ? l->stride : 1, l->stride_w);
    if (l->dilation || l->dilation_w || a->wordy)
        print_pair(a, "dilation", l->dilation ? l->dilation : 1, l->dilation_w);
    if (l->multiplier || a->wordy)
        argument(a, "depth_multiplier = %d", l->multiplier ? l->multiplier : 1);
    if (l->padded)
        print_padding(a, l->pad);
    print_weighted(a, l);
}

static void print_pool(Arguments *a, const NetLayer *l)
{
    const Window w = net_pool_window(l, (NetSize){ 1, 1, 1, false });
    const int *pad = l->pad;
    bool padded = pad[0] || pad[1] || pad[2] || pad[3];
    if (w.height != 2 || w.width != 2 || a->wordy)
        print_pair(a, "size", w.height, w.width);
    if (l->stride || l->stride_w || a->wordy)
        print_pair(a, "stride", w.stride_h, w.stride_w);
    if (padded)
        print_padding(a, pad);
    else if (l->same || a->wordy)
        argument(a, "padding = \"%s\"", l->same ? "same" : "valid");
}

/* Both ways to say that it is the same on both sides. */
static void print_up(Arguments *a, const NetLayer *l)
{
    if (l->size_w)
        argument(a, "size = { %d, %d }", l->size, l->size_w);
    else if (l->size != 2 || a->wordy)
        argument(a, "size = %d", l->size);
    if (l->bilinear || a->wordy)
        argument(a, "interpolation = \"%s\"", l->bilinear ? "bilinear" : "nearest");
}

static void print_constants(Arguments *a, const NetLayer *l, bool offsets, int channels)
{
    argument(a, "%s = %s", offsets ? "offset" : "scale", l->by_channel ? "{ " : "");
    for (int c = 0; c < (l->by_channel ? channels : 1); c++) {
        double of[2];
        net_rescale(l, c, &of[0], &of[1]);
        fprintf(a->f, "%s%.17g", c ? ", " : "", of[offsets]);
    }
    fputs(l->by_channel ? " }" : "", a->f);
}

static void print_norm(Arguments *a, const NetLayer *l)
{
    if (l->kind == NORM)
        argument(a, "groups = %d", l->groups);
    if (l->eps != 0)
        argument(a, "eps = %.17g", l->eps);
    if (l->momentum != 0 || (l->kind == BATCH_NORM && a->wordy))
        argument(a, "momentum = %.17g", net_momentum(l));
    if (l->over)
        argument(a, "over = %d", l->over);
    else if (l->kind == BATCH_NORM && a->wordy)
        argument(a, "over = \"batch\"");
}

static void print_arguments(Arguments *a, const NetPlace *place)
{
    const NetLayer *l = place->layer;
    switch (l->kind) {
    case CONV:
    case DECONV: print_conv(a, l); break;
    case DEPTHWISE:
    case SEPARABLE: print_depthwise(a, l); break;
    case DENSE:
        argument(a, "units = %d", l->units);
        print_weighted(a, l);
        break;
    case RESHAPE:
        argument(a, "shape = { %d, %d, %d }", l->shape[0], l->shape[1], l->shape[2]);
        break;
    case POOL:
    case AVG: print_pool(a, l); break;
    case D2S:
    case S2D:
        if (l->size != 2 || a->wordy || l->kind == D2S || l->kind == S2D)
            argument(a, "size = %d", l->size);
        break;
    case UP: print_up(a, l); break;
    case PAD:
    case CROP: print_padding(a, l->pad); break;
    case RESCALE:
        print_constants(a, l, false, place->in.channels);
        if (l->offset != 0 || l->by_channel || a->wordy)
            print_constants(a, l, true, place->in.channels);
        break;
    case NORM:
    case LAYER_NORM:
    case INSTANCE_NORM:
    case BATCH_NORM: print_norm(a, l); break;
    case ACT:
        if (l->slope != 0 || l->flat_slope)
            argument(a, "slope = %.17g", l->slope);
        if (l->approximate)
            argument(a, "approximate = true");
        break;
    case NOISE: argument(a, "stddev = %.17g", l->rate); break;
    case DROP: argument(a, "rate = %.17g", l->rate); break;
    case SAMPLE: argument(a, "kl_weight = %.17g", l->kl_weight); break;
    case FROM: print_names(a, "layer", l->with); break;
    case UNPOOL: print_names(a, "pool", l->with); break;
    case PRELU:
    case FLATTEN:
    case GLOBAL_MAX:
    case GLOBAL_AVG:
    case END: break;
    default: print_names(a, "with", l->with);
    }
}

static void print_layer(FILE *f, const NetPlace *place, bool wordy)
{
    const NetLayer *l = place->layer;
    Arguments a = { f, wordy, 0 };
    const Join *join = join_of(l->kind);
    fprintf(f, "    %s {", join ? join->word : l->kind == ACT ? l->activation : words[l->kind]);
    print_arguments(&a, place);
    if (l->rests || wordy)
        argument(&a, "trainable = %s", l->rests ? "false" : "true");
    if (l->name)
        argument(&a, "name = \"%s\"", l->name);
    fputs(a.count ? " },\n" : "},\n", f);
}

char *net_graph(const Net *net)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    NetPlace places[NET_PLACES];
    const int count = net_places(net, places);
    assert_non_null(f);
    fprintf(f, "return autoencoder \"net\" {\n  input = { %d, %d, %d },\n", net->height, net->width,
            net->channels);
    for (int part = 0, at = 0; part < 2; part++) {
        fprintf(f, "  %s = sequential \"%s\" {\n", net_parts[part], net_parts[part]);
        for (; at < count && places[at].part == part; at++)
            print_layer(f, &places[at], net->wordy);
        fprintf(f, "  },\n");
    }
    const char *loss = net->loss ? net->loss : "mse", *quote = strpbrk(loss, "{\"") ? "" : "\"";
    fprintf(f, "  training = { loss = %s%s%s, %s },\n}\n", quote, loss, quote,
            net->training ? net->training : "optimizer = adam {}");
    fclose(f);
    return text;
}

/* Whether the kernel may compute the layer: its name says of which kind. */
static bool takes_kernel(const NetLayer *l, const char *kernel)
{
    if (strncmp(kernel, "dense_", 6) == 0)
        return l->kind == DENSE;
    const bool plain = strcmp(kernel, "conv_plain") == 0;
    if (l->kind == DEPTHWISE || l->kind == SEPARABLE)
        return plain || strncmp(kernel, "depthwise", 9) == 0;
    return (l->kind == CONV || l->kind == DECONV) && (plain || strncmp(kernel, "conv_", 5) == 0);
}

char *net_force(const Net *net, const char *kernel)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    NetPlace places[NET_PLACES];
    int count = net_places(net, places);
    assert_non_null(f);
    for (int i = 0; i < count; i++)
        if (takes_kernel(places[i].layer, kernel))
            fprintf(f, " --kernel %s%s=%s", places[i].name,
                    places[i].layer->kind == SEPARABLE ? ".depthwise" : "",
                    places[i].layer->plain ? "conv_plain" : kernel);
    fclose(f);
    return text;
}

char *net_options(const Net *net, const char *options)
{
    char *text = text_of("%s", options);
    NetPlace places[NET_PLACES];
    int count = net_places(net, places);
    for (int i = 0; i < count; i++) {
        if (!places[i].layer->plain || strstr(options, places[i].name))
            continue;
        char *longer = text_of("%s --kernel %s=conv_plain", text, places[i].name);
        free(text);
        text = longer;
    }
    return text;
}
