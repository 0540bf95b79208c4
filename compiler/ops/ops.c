#include "ops.h"

#include "../base/arena.h"
#include "../base/text.h"

#include <math.h>
#include <string.h>

#define OP(name)
#define LAYER(name) extern const LayerSpec layer_##name;
#define LOSS(name) extern const LossSpec loss_##name;
#define OPTIMIZER(name) extern const ChoiceSpec optimizer_##name;
#define SCHEDULE(name) extern const ChoiceSpec schedule_##name;
#define ELEMENTWISE(name, number, from, properties, value, gradient) \
    extern const LayerSpec layer_##name;
#include "elementwise.def"
#include "ops.def"
#undef OP
#undef LAYER
#undef LOSS
#undef OPTIMIZER
#undef SCHEDULE
#undef ELEMENTWISE
extern const LayerSpec layer_linear;

#define OP(name)
#define LOSS(name)
#define OPTIMIZER(name)
#define SCHEDULE(name)
#define LAYER(name) &layer_##name,
#define ELEMENTWISE(name, number, from, properties, value, gradient) &layer_##name,
const LayerSpec *const layer_specs[] = {
#include "ops.def"
#include "elementwise.def"
    &layer_linear, NULL
};
#undef LAYER
#undef LOSS
#undef ELEMENTWISE

#define LAYER(name)
#define LOSS(name) &loss_##name,
const LossSpec *const loss_specs[] = {
#include "ops.def"
    NULL
};
#undef LOSS
#undef OPTIMIZER

#define LOSS(name)
#define OPTIMIZER(name) &optimizer_##name,
const ChoiceSpec *const optimizer_specs[] = {
#include "ops.def"
    NULL
};
#undef OPTIMIZER
#undef SCHEDULE

#define OPTIMIZER(name)
#define SCHEDULE(name) &schedule_##name,
const ChoiceSpec *const schedule_specs[] = {
#include "ops.def"
    NULL
};
#undef OPTIMIZER
#undef SCHEDULE
#undef OP

#define OP(name) &op_##name,
#define OPTIMIZER(name)
#define SCHEDULE(name)
#define ELEMENTWISE(name, number, from, properties, value, gradient) &op_##name, &op_##name##_dx,
const Op *const all_ops[] = {
#include "ops.def"
#include "elementwise.def"
    NULL
};
#undef ELEMENTWISE

#define ELEMENTWISE(name, number, from, properties, value, gradient) #name,
const char *const activation_names[] = {
#include "elementwise.def"
    "linear", NULL
};

/* `"same" or "valid"`, the default first; of an activation the default alone, as each is a word of
   its own. */
static void add_choices(Text *text, const ArgSpec *arg)
{
    text_add(text, "\"%s\"", arg->text);
    for (int i = 0; arg->choices != activation_names && arg->choices[i]; i++)
        if (strcmp(arg->choices[i], arg->text) != 0)
            text_add(text, " or \"%s\"", arg->choices[i]);
}

static void add_padding(Text *text, const ArgSpec *arg)
{
    add_choices(text, arg);
    text_add(text, " or numbers");
}

const char *args_text(const ArgSpec *args)
{
    Text text = { 0 };
    for (int i = 0; args[i].name; i++) {
        text_add(&text, "%s%s%s", i ? ", " : "", args[i].name, args[i].required ? "" : " = ");
        if (args[i].required)
            continue;
        if (args[i].kind == ARG_CHOICE)
            add_choices(&text, &args[i]);
        else if (args[i].kind == ARG_PADDING)
            add_padding(&text, &args[i]);
        else if (args[i].kind == ARG_BOOL)
            text_add(&text, args[i].number ? "true" : "false");
        else if (args[i].text)
            text_add(&text, "%s", args[i].text);
        else
            text_add(&text, "%.15g", args[i].number);
    }
    return text.data;
}

const LayerSpec *layer_find(const char *word)
{
    for (int i = 0; layer_specs[i]; i++)
        if (strcmp(layer_specs[i]->word, word) == 0)
            return layer_specs[i];
    return NULL;
}

const LossSpec *loss_find(const char *word)
{
    for (int i = 0; loss_specs[i]; i++)
        if (strcmp(loss_specs[i]->word, word) == 0)
            return loss_specs[i];
    return NULL;
}

static const ChoiceSpec *find_choice(const ChoiceSpec *const *specs, const char *word)
{
    for (int i = 0; specs[i]; i++)
        if (strcmp(specs[i]->word, word) == 0)
            return specs[i];
    return NULL;
}

const ChoiceSpec *optimizer_find(const char *word)
{
    return find_choice(optimizer_specs, word);
}

const ChoiceSpec *schedule_find(const char *word)
{
    return find_choice(schedule_specs, word);
}

bool optimizer_keeps(const Choice *optimizer, int i)
{
    const ChoiceSpec *spec = optimizer_find(optimizer->word);
    const char *where = spec->states[i].where;
    for (int k = 0; where && spec->args[k].name; k++)
        if (strcmp(spec->args[k].name, where) == 0)
            return optimizer->number[k] != 0;
    return spec->states[i].name != NULL;
}

int optimizer_states(const Choice *optimizer)
{
    int count = 0;
    for (int i = 0; optimizer_find(optimizer->word)->states[i].name; i++)
        count += optimizer_keeps(optimizer, i);
    return count;
}

Node *layer_node(Layer *layer, const Op *op, const char *suffix, Node *a, Node *b,
                 const double *numbers)
{
    const char *name = *suffix ? arena_format("%s.%s", layer->model.layer, suffix)
                               : layer->model.layer;
    return node_new(layer->graph, op, &layer->model, name, (Node *[]){ a, b }, numbers);
}

Node *layer_reals(Layer *layer, Node *x)
{
    return x->type == TYPE_PIXEL ? layer_node(layer, &op_from_pixels, "reals", x, NULL, NULL) : x;
}

const char *layer_part(int i, int count)
{
    return i + 1 < count ? arena_format("%d", i + 1) : "";
}

static Node *add_parameter(Layer *layer, const char *suffix, Shape shape, double limit, double fill)
{
    Graph *graph = layer->graph;
    Node model = layer->model;
    model.shape = shape;
    model.type = TYPE_REAL;
    Node *node = node_new(graph, &op_parameter, &model,
                          arena_format("%s.%s", layer->model.layer, suffix), NULL, NULL);
    graph->parameters = arena_more(graph->parameters, graph->parameter_count,
                                   sizeof *graph->parameters);
    graph->parameters[graph->parameter_count++] = (Parameter){ .node = node,
                                                               .limit = limit,
                                                               .fill = fill };
    return node;
}

Node *layer_parameter(Layer *layer, const char *suffix, Shape shape, double limit)
{
    return add_parameter(layer, suffix, shape, limit, 0);
}

Node *layer_parameter_filled(Layer *layer, const char *suffix, Shape shape, double fill)
{
    return add_parameter(layer, suffix, shape, 0, fill);
}

Node *layer_statistic(Layer *layer, const char *suffix, Shape shape, double fill)
{
    Node *node = add_parameter(layer, suffix, shape, 0, fill);
    layer->graph->parameters[layer->graph->parameter_count - 1].non_trainable = true;
    return node;
}

double glorot_limit(double fan_in, double fan_out)
{
    return sqrt(6.0 / (fan_in + fan_out));
}

void want_image(const Node *node, const Node *input)
{
    if (input->shape.rank != 3)
        fail(
            node->loc,
            "%s: wants an image of height x width x channels, but %s gives %s; put reshape { shape "
            "= { h, w, c } } before it, with h * w * c = %s",
            node->word, input->layer, shape_text(input->shape), shape_text(input->shape));
}

bool loss_implies(const Node *node, int i)
{
    return strcmp(node->op->numbers[i], "weight") == 0 && node->number[i] == 1;
}

Node *loss_node(Layer *layer, const Op *op, const LossTerm *term, double up, Node *output,
                Node *target)
{
    double numbers[MAX_NUMBERS] = { up, term->weight };
    for (int i = 2; op->numbers[i]; i++)
        numbers[i] = term->choice.number[i - 2];
    return layer_node(layer, op, "", output, target, numbers);
}

static void check_match(const Node *node)
{
    const Shape y = node->input[0]->shape, t = node->input[1]->shape;
    int up = node_number(node, "up");
    /* flat, between two stages of training */
    if (y.rank == 1 && up == 1 && shape_equal(y, t))
        return;
    if (y.rank != 3 || t.rank != 3 || y.dim[0] * up != t.dim[0] || y.dim[1] * up != t.dim[1]
        || y.dim[2] != t.dim[2])
        bug("%s: %s times %d against %s", node->name, shape_text(y), up, shape_text(t));
}

void loss_shape(Node *node)
{
    check_match(node);
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

void loss_dx_shape(Node *node)
{
    check_match(node);
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}
