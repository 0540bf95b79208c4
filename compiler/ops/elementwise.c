/* The activations: one value for each value. Everything about them stands in elementwise.def. */
#include "layer.h"

#include "../base/arena.h"
#include "elementwise.h"

#include <string.h>

extern const LayerSpec layer_linear;

static void same_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *elementwise_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    const Op *dx = NULL;
    for (int k = 0; all_ops[k]; k++)
        dx = all_ops[k]->gradient_of == node->op ? all_ops[k] : dx;
    return node_new(graph, dx, node, arena_format("%s_dx", node->name),
                    (Node *[]){ node->op->gradient_from_x ? node->input[i] : node, dy },
                    node->number);
}

/* Expanded first: rows may be written with macros. */
#define TEXT(...) #__VA_ARGS__

#define NUMBERS_NONE NULL
#define NUMBERS_SLOPE "slope"
#define NUMBERS_APPROXIMATE "approximate"
#define ELEMENTWISE(name_, number_, from, properties, value_, gradient_)          \
    const Op op_##name_ = { .name = #name_,                                       \
                            .arity = 1,                                           \
                            .numbers = { NUMBERS_##number_ },                     \
                            .shape = same_shape,                                  \
                            .gradient = elementwise_gradient,                     \
                            .role = ROLE_ACTIVATION,                              \
                            .value = TEXT(value_),                                \
                            .derivative = TEXT(gradient_),                        \
                            .gradient_from_x = (from) == FROM_X,                  \
                            .monotone = ((properties)&MONOTONE) != 0,             \
                            .zero_below = ((properties)&ZERO_BELOW) != 0,         \
                            .flat_above = ((properties)&FLAT_ABOVE) != 0,         \
                            .gives_unit_range = ((properties)&UNIT_RANGE) != 0 }; \
    const Op op_##name_##_dx = { .name = #name_ "_dx",                            \
                                 .arity = 2,                                      \
                                 .numbers = { NUMBERS_##number_ },                \
                                 .shape = same_shape,                             \
                                 .direction = DIRECTION_DX,                       \
                                 .gradient_of = &op_##name_,                      \
                                 .value = TEXT(value_),                           \
                                 .derivative = TEXT(gradient_) };
#include "elementwise.def"
#undef ELEMENTWISE

bool activation_is_zero_below(const Node *node)
{
    if (!node_has_role(node, ROLE_ACTIVATION))
        return false;
    const char *number = node->op->numbers[0];
    return node->op->zero_below
           || (number && strcmp(number, NUMBERS_SLOPE) == 0 && node->number[0] == 0);
}

static Node *activation_node(Layer *layer, const char *name, const char *suffix, Node *x,
                             double number)
{
    for (int i = 0; all_ops[i]; i++)
        if (strcmp(all_ops[i]->name, name) == 0)
            return layer_node(layer, all_ops[i], suffix, x, NULL, (double[]){ number });
    bug("no activation '%s'", name);
}

Node *layer_activation(Layer *layer, const char *activation, Node *x)
{
    const LayerSpec *spec = layer_find(activation);
    return spec == &layer_linear
               ? x
               : activation_node(layer, activation, activation, x, spec->args[0].number);
}

static Node *elementwise_build(Layer *layer, const Arg *args, Node *x)
{
    const LayerSpec *spec = layer_find(layer->model.word);
    return activation_node(layer, spec->word, "", layer_reals(layer, x),
                           spec->args[0].name ? args[0].number : 0);
}

static Node *linear_build(Layer *layer, const Arg *args, Node *x)
{
    (void)layer;
    (void)args;
    return x;
}

#define ARGS_NONE
#define ARGS_SLOPE { "slope", ARG_REAL, .number = 0.2, .min = 0, .max = 1 },
#define ARGS_APPROXIMATE { "approximate", ARG_BOOL, .number = 0 },
#define ELEMENTWISE(name_, number, from, properties, value_, gradient)   \
    const LayerSpec layer_##name_ = { #name_,                            \
                                      #name_,                            \
                                      "activation " TEXT(value_),        \
                                      { ARGS_##number{ .name = NULL } }, \
                                      elementwise_build };
#include "elementwise.def"
#undef ELEMENTWISE

const LayerSpec layer_linear = {
    "linear", "linear", "activation x", { { .name = NULL } }, linear_build
};
