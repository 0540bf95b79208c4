#include "sample.h"

#include "../base/arena.h"
#include "../ops/ops.h"

#include <string.h>

const Sample sample_default = {
    .height = 16, .width = 16, .ci = 3, .co = 16, .kernel = 3, .stride = 1, .up = 1, .same = 1
};

bool sample_set(Sample *sample, const char *name, int value)
{
    const struct {
        const char *name;
        int *place;
    } places[] = {
        { "H", &sample->height }, { "W", &sample->width },   { "CI", &sample->ci },
        { "CO", &sample->co },    { "K", &sample->kernel },  { "STRIDE", &sample->stride },
        { "UP", &sample->up },    { "SAME", &sample->same }, { "POOL", &sample->pool },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].name, name) == 0) {
            *places[i].place = value;
            return true;
        }
    return false;
}

void sample_check(const Sample *sample)
{
    const struct {
        const char *name;
        int value, most;
    } numbers[] = {
        { "H", sample->height, 1 << 14 }, { "W", sample->width, 1 << 14 },
        { "CI", sample->ci, 1 << 12 },    { "CO", sample->co, 1 << 12 },
        { "K", sample->kernel, 255 },     { "STRIDE", sample->stride, 255 },
        { "UP", sample->up, 16 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value < 1 || numbers[i].value > numbers[i].most)
            fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 1 to %d", numbers[i].name,
                      numbers[i].most);
    if (sample->pool > 16)
        fail_with(EXIT_USAGE, "--expand: POOL wants a whole number from 0 to 16");
}

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
    return (Arg){ .number = value, .loc = nowhere };
}

static Arg choice(const char *text)
{
    return (Arg){ .text = text, .loc = nowhere };
}

/* An image that a convolution makes, the sample after it, and what the loss needs. */
static Node *around_conv(Graph *graph, const Sample *sample, SampleKind kind)
{
    const Arg before[] = { number(sample->ci), number(1),        number(1),
                           choice("same"),     choice("linear"), number(1) };
    const Arg conv[] = { number(sample->co),     number(sample->kernel),
                         number(sample->stride), choice(sample->same ? "same" : "valid"),
                         choice("relu"),         number(1) };
    Node *x = graph->latent = add(graph, "sample.before", "conv2d", before, graph->input);
    x = add(graph, "sample.noise1", "gaussian_noise", (Arg[]){ number(0.1) }, x);
    x = add(graph, "sample.dropout1", "dropout", (Arg[]){ number(0.5) }, x);
    if (sample->up > 1)
        x = add(graph, "sample.up1", "upsample2d", (Arg[]){ number(sample->up) }, x);
    x = add(graph, "sample.conv", "conv2d", conv, x);
    if (sample->pool)
        x = add(graph, "sample.pool1", "max_pool2d", (Arg[]){ number(sample->pool) }, x);
    x = add(graph, "sample.up2", "upsample2d", (Arg[]){ number(2) }, x);
    if (kind == SAMPLE_STREAM)
        return x;
    x = add(graph, "sample.norm1", "group_norm", (Arg[]){ number(1), number(1e-3) }, x);
    return add(
        graph, "sample.concat1", "concat",
        (Arg[]){
            { .refs = (LayerRef[]){ { "sample.norm1", x } }, .ref_count = 1, .loc = nowhere } },
        x);
}

/* The same around a dense layer of `ci` inputs and `co` units. */
static Node *around_dense(Graph *graph, const Sample *sample)
{
    const Arg before[] = { number(sample->ci), choice("linear"), number(1) },
              dense[] = { number(sample->co), choice("relu"), number(1) };
    Node *x = add(graph, "sample.flatten1", "flatten", NULL, graph->input);
    x = graph->latent = add(graph, "sample.before", "dense", before, x);
    x = add(graph, "sample.dense", "dense", dense, x);
    return add(graph, "sample.reshape1", "reshape",
               (Arg[]){ { .shape = shape_hwc(1, 1, sample->co), .loc = nowhere } }, x);
}

Graph *sample_graph(const Sample *sample, SampleKind kind)
{
    Graph *graph = ARENA_NEW(Graph);
    graph->name = "sample";
    graph->file = "sample";
    graph->training = (Training){ .loss = "mse",
                                  .optimizer = { .word = "adam" },
                                  .schedule = { .word = "constant" },
                                  .batch = 1,
                                  .epochs = 1 };
    graph->input = image(graph, "image", sample->height, sample->width, 1);
    Node *x = graph->output = kind == SAMPLE_DENSE ? around_dense(graph, sample)
                                                   : around_conv(graph, sample, kind);
    Layer layer = { .graph = graph, .model = { .layer = "loss", .word = "mse", .loc = nowhere } };
    graph->loss = loss_find("mse")->build(
        &layer, x, image(graph, "target", x->shape.dim[0], x->shape.dim[1], x->shape.dim[2]));
    return graph;
}
