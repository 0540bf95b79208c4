#include "sample.h"

#include "../base/arena.h"
#include "../ops/ops.h"

static const Loc nowhere = { "sample", 1, 0 };

static Node *add(Graph *graph, const char *name, const char *word, const Arg *args, Node *x)
{
    Layer layer = { .graph = graph,
                    .part = "sample",
                    .model = { .layer = name, .name = name, .word = word, .loc = nowhere } };
    return layer_find(word)->build(&layer, args, x);
}

static Node *image(Graph *graph, const char *name, int height, int width, int channels)
{
    const Shape shape = shape_hwc(height, width, channels);
    return image_node(graph, name,
                      (Node){ .layer = name, .word = name, .loc = nowhere, .shape = shape });
}

static Arg number(double value)
{
    return (Arg){ .number = value, .pair = { (int)value, (int)value }, .loc = nowhere };
}

/* `width` 0: the same as the height. */
static Arg pair(int height, int width)
{
    return (Arg){ .pair = { height, width ? width : height }, .loc = nowhere };
}

static Arg choice(const char *text)
{
    return (Arg){ .text = text, .loc = nowhere };
}

/* The argument of a word that joins a layer's value with what comes in. */
static const Arg *joined(const char *name, Node *value)
{
    LayerRef *ref = ARENA_NEW(LayerRef);
    *ref = (LayerRef){ name, value };
    Arg *arg = ARENA_NEW(Arg);
    *arg = (Arg){ .refs = ref, .ref_count = 1, .loc = nowhere };
    return arg;
}

/* What a word with padding alone takes. */
static const Arg *padding(int top, int left, int bottom, int right)
{
    Arg *arg = ARENA_NEW(Arg);
    *arg = (Arg){ .pad = { top, left, bottom, right }, .loc = nowhere };
    return arg;
}

static Arg list(const double *numbers, int count)
{
    return (Arg){ .reals = { count, numbers }, .loc = nowhere };
}

/* Layers that move pixels, or scale them, and give the image's shape back. */
static Node *add_moves(Graph *graph, Node *x)
{
    static const double scale[] = { 0.5 }, offset[] = { 0.25 };
    x = add(graph, "sample.up3", "upsample2d", (Arg[]){ number(2), choice("bilinear") }, x);
    x = add(graph, "sample.s2d1", "space_to_depth", (Arg[]){ number(2) }, x);
    x = add(graph, "sample.rescale1", "rescale", (Arg[]){ list(scale, 1), list(offset, 1) }, x);
    x = add(graph, "sample.d2s1", "depth_to_space", (Arg[]){ number(2) }, x);
    x = add(graph, "sample.pad1", "zero_pad2d", padding(1, 2, 1, 2), x);
    return add(graph, "sample.crop1", "crop2d", padding(1, 2, 1, 2), x);
}

/* Layers that work on the channels of each pixel. */
static Node *add_over_channels(Graph *graph, Node *x)
{
    x = add(graph, "sample.ln1", "layer_norm", (Arg[]){ number(1e-3) }, x);
    x = add(graph, "sample.prelu1", "prelu", NULL, x);
    return add(graph, "sample.softmax1", "softmax", NULL, x);
}

/* An image that a convolution makes, the sample after it, and what the loss needs. */
static Node *around_conv(Graph *graph, const Sample *sample, SampleKind kind)
{
    const Arg before[] = { number(sample->ci), pair(1, 1), pair(1, 1),       choice("same"),
                           pair(1, 1),         number(1),  choice("linear"), number(1) };
    const Arg conv[] = { number(sample->co),
                         pair(sample->kernel, sample->kernel_w),
                         pair(sample->stride, sample->stride_w),
                         choice(sample->same ? "same" : "valid"),
                         pair(sample->dilation, sample->dilation),
                         number(sample->groups),
                         choice("relu"),
                         number(1) };
    const Arg depthwise[] = { pair(sample->kernel, sample->kernel_w),
                              pair(sample->stride, sample->stride_w),
                              choice("same"),
                              pair(1, 1),
                              number(1),
                              choice("relu"),
                              number(1) };
    Node *x = graph->latent = add(graph, "sample.before", "conv2d", before, graph->input);
    x = add(graph, "sample.noise1", "gaussian_noise", (Arg[]){ number(0.1) }, x);
    x = add(graph, "sample.dropout1", "dropout", (Arg[]){ number(0.5) }, x);
    if (sample->up > 1)
        x = add(graph, "sample.up1", "upsample2d", (Arg[]){ number(sample->up), choice("nearest") },
                x);
    x = add(graph, "sample.conv", "conv2d", conv, x);
    if (sample->pool)
        x = add(graph, "sample.pool1", "max_pool2d",
                (Arg[]){ number(sample->pool), number(sample->pool), choice("valid") }, x);
    x = add(graph, "sample.up2", "upsample2d", (Arg[]){ number(2), choice("nearest") }, x);
    x = add_moves(graph, x);
    x = add(graph, "sample.dwconv1", "depthwise_conv2d", depthwise, x);
    x = add_over_channels(graph, x);
    x = add(graph, "sample.bn1", "batch_norm",
            (Arg[]){ number(0.99), number(1e-3), choice("batch") }, x);
    if (kind == SAMPLE_STREAM)
        return x;
    x = add(graph, "sample.norm1", "group_norm", (Arg[]){ number(1), number(1e-3) }, x);
    x = add(graph, "sample.mul1", "multiply", joined("sample.norm1", x), x);
    Node *gate = add(graph, "sample.gpool1", "global_avg_pool2d", NULL, x);
    x = add(graph, "sample.mul2", "multiply", joined("sample.gpool1", gate), x);
    x = add(graph, "sample.concat1", "concat", joined("sample.mul1", x), x);
    return add(graph, "sample.sample1", "gaussian_sample", (Arg[]){ number(1), number(0) }, x);
}

/* The same around a dense layer of `ci` inputs and `co` units. */
static Node *around_dense(Graph *graph, const Sample *sample)
{
    const Arg none = { .loc = nowhere },
              before[] = { number(sample->ci), choice("linear"), number(1), none },
              dense[] = { number(sample->co), choice("relu"), number(1), none };
    Node *x = add(graph, "sample.flatten1", "flatten", NULL, graph->input);
    x = graph->latent = add(graph, "sample.before", "dense", before, x);
    x = add(graph, "sample.dense", "dense", dense, x);
    return add(graph, "sample.reshape1", "reshape",
               (Arg[]){ { .shape = shape_hwc(1, 1, sample->co), .loc = nowhere } }, x);
}

/* Of structural similarity only where the image is large enough for it. */
static LossSum sample_loss(Shape shape)
{
    static const LossTerm terms[] = { { { .word = "mse" }, 0.5, { "sample", 1, 0 } },
                                      { { .word = "ssim" }, 0.5, { "sample", 1, 0 } } };
    const bool large = shape.rank == 3 && shape.dim[0] >= 11 && shape.dim[1] >= 11;
    return (LossSum){ large ? "0.5 mse + 0.5 ssim" : "0.5 mse", terms, large ? 2 : 1, nowhere };
}

Graph *sample_graph(const Sample *sample, SampleKind kind)
{
    Graph *graph = ARENA_NEW(Graph);
    graph->name = "sample";
    graph->file = "sample";
    graph->training = (Training){
        .optimizer = { .word = "adam" }, .schedule = { .word = "constant" }, .batch = 1, .epochs = 1
    };
    graph->input = image(graph, "image", sample->height, sample->width, 1);
    Node *x = graph->output = kind == SAMPLE_DENSE ? around_dense(graph, sample)
                                                   : around_conv(graph, sample, kind);
    graph->training.loss = sample_loss(x->shape);
    layer_activity(&(Layer){ .graph = graph, .model = { .layer = "sample", .loc = nowhere } },
                   (Arg[PENALTY_ARGS]){ number(0), number(0), number(0), number(0.5) },
                   graph->latent);
    graph->loss = loss_build(
        graph, (Node){ .layer = "loss", .loc = nowhere }, &graph->training.loss, x,
        image(graph, "target", x->shape.dim[0], x->shape.dim[1], x->shape.dim[2]), graph->terms,
        graph->term_count);
    return graph;
}
