/* gaussian_noise and dropout: layers that are active in training alone. What they draw depends on
 * the image's number (model.h), on the layer's place among those that draw and on the place in the
 * tensor, so that a gradient can draw it again and nothing of it need be kept.
 *
 * dropout is inverted, as in Keras: what is kept is divided by 1 - rate. Both may stand first and
 * read pixels; their value is real. `split_inference` takes them out of inference, where
 * from_pixels (pixels as reals) stands in for one after which something wants reals. It also stands
 * before every other first layer that takes no pixels: see layer_reals. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static void noise_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *pass_on(Graph *graph, Node *node, Node *dy, int i)
{
    (void)graph;
    (void)node;
    (void)i;
    return dy;
}

static Node *dropout_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_dropout_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy }, node->number);
}

const Op op_gaussian_noise = { .name = "gaussian_noise",
                               .arity = 1,
                               .numbers = { "stddev", "stream" },
                               .shape = noise_shape,
                               .gradient = pass_on,
                               .training_only = true,
                               .draws = true,
                               .reads_pixels = true };
const Op op_dropout = { .name = "dropout",
                        .arity = 1,
                        .numbers = { "rate", "stream" },
                        .shape = noise_shape,
                        .gradient = dropout_gradient,
                        .training_only = true,
                        .draws = true,
                        .reads_pixels = true };
const Op op_dropout_dx = { .name = "dropout_dx",
                           .arity = 1,
                           .numbers = { "rate", "stream" },
                           .shape = noise_shape,
                           .direction = DIRECTION_DX,
                           .gradient_of = &op_dropout };
const Op op_from_pixels = { .name = "from_pixels", .arity = 1, .shape = noise_shape };

/* One for all its readers. Its name is not that of a copy, for a stage of training may have
   both. */
Node *pixels_as_reals(Graph *graph, const Node *of, Node *pixels)
{
    const char *name = arena_format("%s.reals", of->name);
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i]->op == &op_from_pixels && strcmp(graph->nodes[i]->name, name) == 0)
            return graph->nodes[i];
    Node *node = node_new(graph, &op_from_pixels, of, name, (Node *[]){ pixels }, NULL);
    node->infer = true;
    return node;
}

int next_stream(const Graph *graph)
{
    int n = 1;
    for (int i = 0; i < graph->count; i++)
        n += graph->nodes[i]->op->draws;
    return n;
}

static Node *noise_build(Layer *layer, const Op *op, const char *what, double number, Node *x)
{
    layer->detail = arena_format("%s %.9g, in training", what, number);
    if (number == 0)
        return x;
    return layer_node(layer, op, "", x, NULL, (double[]){ number, next_stream(layer->graph) });
}

static Node *gaussian_noise_build(Layer *layer, const Arg *args, Node *x)
{
    return noise_build(layer, &op_gaussian_noise, "stddev", args[0].number, x);
}

static Node *dropout_build(Layer *layer, const Arg *args, Node *x)
{
    return noise_build(layer, &op_dropout, "rate", args[0].number, x);
}

const LayerSpec layer_gaussian_noise = {
    "gaussian_noise",
    "noise",
    "adds normal noise, in training alone",
    { { "stddev", ARG_REAL, .required = true, .min = 0, .max = 1e3 } },
    gaussian_noise_build,
};

const LayerSpec layer_dropout = {
    "dropout",
    "dropout",
    "sets a share of the values to 0, in training alone",
    { { "rate", ARG_REAL, .required = true, .min = 0, .max = 0.999 } },
    dropout_build,
};
