#include "sample.h"

#include "../base/arena.h"
#include "../ops/ops.h"

#include <string.h>

const Sample sample_default = { .height = 16, .width = 16, .ci = 3, .co = 16, .kernel = 3, .stride = 1, .up = 1, .same = 1 };

bool sample_set(Sample *sample, const char *name, int value)
{
    const struct { const char *name; int *place; } places[] = {
        { "H", &sample->height }, { "W", &sample->width }, { "CI", &sample->ci }, { "CO", &sample->co }, { "K", &sample->kernel },
        { "STRIDE", &sample->stride }, { "UP", &sample->up }, { "SAME", &sample->same }, { "POOL", &sample->pool },
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
    const struct { const char *name; int value, most; } numbers[] = {
        { "H", sample->height, 1 << 14 }, { "W", sample->width, 1 << 14 }, { "CI", sample->ci, 1 << 12 }, { "CO", sample->co, 1 << 12 },
        { "K", sample->kernel, 255 }, { "STRIDE", sample->stride, 255 }, { "UP", sample->up, 16 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value < 1 || numbers[i].value > numbers[i].most)
            fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 1 to %d", numbers[i].name, numbers[i].most);
    if (sample->pool > 16)
        fail_with(EXIT_USAGE, "--expand: POOL wants a whole number from 0 to 16");
}

static const Loc nowhere = { "sample", 1, 0 };

static Arg whole(int number)
{
    return (Arg){ .number = number, .loc = nowhere };
}

static Arg choice(const char *text)
{
    return (Arg){ .text = text, .loc = nowhere };
}

static Node *add(Graph *graph, const char *name, const char *word, const Arg *args, Node *x)
{
    Layer layer = { .graph = graph, .part = "sample", .model = { .layer = name, .name = name, .word = word, .loc = nowhere } };
    return layer_find(word)->build(&layer, args, x);
}

static Node *image(Graph *graph, const char *name, int height, int width, int channels)
{
    Node place = { .layer = name, .word = name, .loc = nowhere, .shape = shape_hwc(height, width, channels), .type = TYPE_PIXEL };
    return node_new(graph, &op_input, &place, name, NULL, NULL);
}

Graph *sample_graph(const Sample *sample)
{
    Graph *graph = ARENA_NEW(Graph);
    graph->name = "sample";
    graph->file = "sample";
    graph->training = (Training){ .loss = "mse", .optimizer = "adam", .batch = 1, .epochs = 1 };
    graph->input = image(graph, "image", sample->height, sample->width, 1);
    const Arg before[] = { whole(sample->ci), whole(1), whole(1), choice("same"), choice("linear"), whole(1) };
    const Arg conv[] = { whole(sample->co), whole(sample->kernel), whole(sample->stride), choice(sample->same ? "same" : "valid"), choice("relu"),
                         whole(1) };
    Node *x = graph->latent = add(graph, "sample.before", "conv2d", before, graph->input);
    if (sample->up > 1)
        x = add(graph, "sample.up1", "upsample2d", (Arg[]){ whole(sample->up) }, x);
    x = add(graph, "sample.conv", "conv2d", conv, x);
    if (sample->pool)
        x = add(graph, "sample.pool1", "max_pool2d", (Arg[]){ whole(sample->pool) }, x);
    x = add(graph, "sample.up2", "upsample2d", (Arg[]){ whole(2) }, x);
    x = graph->output = add(graph, "sample.concat1", "concat", (Arg[]){ { .refs = (LayerRef[]){ { "sample.up2", x } }, .ref_count = 1 } }, x);
    Layer layer = { .graph = graph, .model = { .layer = "loss", .word = "mse", .loc = nowhere } };
    graph->loss = loss_find("mse")->build(&layer, x, image(graph, "target", x->shape.dim[0], x->shape.dim[1], x->shape.dim[2]));
    return graph;
}
