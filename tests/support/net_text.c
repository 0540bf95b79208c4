/* What caec is told of a net: its graph file, and options that force kernels. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include "cases.h"
#include "joins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
    [CONV] = "conv2d",         [DECONV] = "conv2d_transpose",
    [POOL] = "max_pool2d",     [AVG] = "avg_pool2d",
    [UP] = "upsample2d",       [NORM] = "group_norm",
    [FLATTEN] = "flatten",     [DENSE] = "dense",
    [RESHAPE] = "reshape",     [FROM] = "from",
    [UNPOOL] = "max_unpool2d", [NOISE] = "gaussian_noise",
    [DROP] = "dropout",
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
    bool windows = l->kind == CONV || l->kind == DECONV;
    if (windows && !l->padded && (l->valid || a->wordy))
        argument(a, "padding = \"%s\"", l->valid ? "valid" : "same");
    if (l->no_bias || a->wordy)
        argument(a, "use_bias = %s", l->no_bias ? "false" : "true");
    if (l->activation || a->wordy)
        argument(a, "activation = \"%s\"", l->activation ? l->activation : "linear");
}

/* One number for both axes where they are equal. */
static void print_pair(Arguments *a, const char *name, int height, int width)
{
    if (width && width != height)
        argument(a, "%s = { %d, %d }", name, height, width);
    else
        argument(a, "%s = %d", name, height);
}

static void print_padding(Arguments *a, const int pad[4])
{
    if (pad[0] == pad[1] && pad[0] == pad[2] && pad[0] == pad[3])
        argument(a, "padding = %d", pad[0]);
    else if (pad[0] == pad[2] && pad[1] == pad[3])
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

static void print_arguments(Arguments *a, const NetLayer *l)
{
    switch (l->kind) {
    case CONV:
    case DECONV: print_conv(a, l); break;
    case DENSE:
        argument(a, "units = %d", l->units);
        print_weighted(a, l);
        break;
    case RESHAPE:
        argument(a, "shape = { %d, %d, %d }", l->shape[0], l->shape[1], l->shape[2]);
        break;
    case POOL:
    case AVG:
    case UP:
        if (l->size != 2 || a->wordy)
            argument(a, "size = %d", l->size);
        break;
    case NORM:
        argument(a, "groups = %d", l->groups);
        if (l->eps != 0)
            argument(a, "eps = %.17g", l->eps);
        break;
    case ACT:
        if (l->slope != 0 || l->flat_slope)
            argument(a, "slope = %.17g", l->slope);
        if (l->approximate)
            argument(a, "approximate = true");
        break;
    case NOISE: argument(a, "stddev = %.17g", l->rate); break;
    case DROP: argument(a, "rate = %.17g", l->rate); break;
    case FROM: print_names(a, "layer", l->with); break;
    case UNPOOL: print_names(a, "pool", l->with); break;
    case FLATTEN:
    case END: break;
    default: print_names(a, "with", l->with);
    }
}

static void print_layer(FILE *f, const NetLayer *l, bool wordy)
{
    Arguments a = { f, wordy, 0 };
    const Join *join = join_of(l->kind);
    fprintf(f, "    %s {", join ? join->word : l->kind == ACT ? l->activation : words[l->kind]);
    print_arguments(&a, l);
    if (l->name)
        argument(&a, "name = \"%s\"", l->name);
    fputs(a.count ? " },\n" : "},\n", f);
}

char *net_graph(const Net *net)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    fprintf(f, "return autoencoder \"net\" {\n  input = { %d, %d, %d },\n", net->height, net->width,
            net->channels);
    for (int part = 0; part < 2; part++) {
        fprintf(f, "  %s = sequential \"%s\" {\n", net_parts[part], net_parts[part]);
        for (const NetLayer *l = part ? net->decoder : net->encoder; l->kind; l++)
            print_layer(f, l, net->wordy);
        fprintf(f, "  },\n");
    }
    fprintf(f, "  training = { loss = \"%s\", %s },\n}\n", net->loss ? net->loss : "mse",
            net->training ? net->training : "optimizer = adam {}");
    fclose(f);
    return text;
}

char *net_force(const Net *net, const char *kernel)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    NetPlace places[NET_PLACES];
    int count = net_places(net, places);
    bool dense = strncmp(kernel, "dense_", 6) == 0;
    assert_non_null(f);
    for (int i = 0; i < count; i++) {
        LayerKind kind = places[i].layer->kind;
        if (dense ? kind == DENSE : kind == CONV || kind == DECONV)
            fprintf(f, " --kernel %s=%s", places[i].name, kernel);
    }
    fclose(f);
    return text;
}
