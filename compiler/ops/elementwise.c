/* The activations: one value for each value. Everything about them stands in elementwise.def. */
#include "ops.h"

#include "../base/arena.h"

#include <string.h>

static void same_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static const Op *find(const char *name)
{
    for (int i = 0; all_ops[i]; i++)
        if (strcmp(all_ops[i]->name, name) == 0)
            return all_ops[i];
    bug("no operator '%s'", name);
}

static Node *elementwise_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    const Op *dx = find(arena_format("%s_dx", node->op->name));
    return node_new(graph, dx, node, arena_format("%s_dx", node->name), (Node *[]){ node, dy },
                    node->number);
}

#define NUMBERS_1 "slope"
#define NUMBERS_0 NULL
#define ELEMENTWISE(name_, has_slope, value_, derivative_)           \
    const Op op_##name_ = { .name = #name_,                          \
                            .arity = 1,                              \
                            .numbers = { NUMBERS_##has_slope },      \
                            .shape = same_shape,                     \
                            .gradient = elementwise_gradient,        \
                            .value = value_,                         \
                            .derivative = derivative_ };             \
    const Op op_##name_##_dx = { .name = #name_ "_dx",               \
                                 .arity = 2,                         \
                                 .numbers = { NUMBERS_##has_slope }, \
                                 .shape = same_shape,                \
                                 .value = value_,                    \
                                 .derivative = derivative_ };
#include "elementwise.def"
#undef ELEMENTWISE

static const double default_slope = 0.2; /* of leaky_relu */

Node *layer_activation(Layer *layer, const char *activation, Node *x)
{
    if (strcmp(activation, "linear") == 0)
        return x;
    return layer_node(layer, find(activation), activation, x, NULL, (double[]){ default_slope });
}

static Node *elementwise_build(Layer *layer, const Arg *args, Node *x)
{
    bool has_slope = layer_find(layer->model.word)->args[0].name != NULL;
    return layer_node(layer, find(layer->model.word), "", layer_reals(layer, x), NULL,
                      (double[]){ has_slope ? args[0].number : 0 });
}

static Node *linear_build(Layer *layer, const Arg *args, Node *x)
{
    (void)layer;
    (void)args;
    return x;
}

#define SLOPE_1 { "slope", ARG_REAL, .number = 0.2, .min = 0, .max = 1 },
#define SLOPE_0
#define ELEMENTWISE(name_, has_slope, value_, derivative_)                   \
    const LayerSpec layer_##name_ = { #name_,                                \
                                      #name_,                                \
                                      "activation " value_,                  \
                                      { SLOPE_##has_slope{ .name = NULL } }, \
                                      elementwise_build };
#include "elementwise.def"
#undef ELEMENTWISE

const LayerSpec layer_linear = {
    "linear", "linear", "activation x", { { .name = NULL } }, linear_build
};
