#include "layer.h"

#include "../base/arena.h"

#include <math.h>
#include <string.h>

const char *const padding_names[] = { "same", "valid", NULL };

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
    graph->parameters[graph->parameter_count++] = (Parameter){
        .node = node, .limit = limit, .fill = fill, .non_trainable = layer->rests
    };
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

const double *numbers_with_size(const Node *node)
{
    double *numbers = ARENA_ARRAY(double, MAX_NUMBERS);
    int count = 0;
    for (; node->op->numbers[count]; count++)
        numbers[count] = node->number[count];
    for (int axis = 0; axis < AXES; axis++)
        numbers[count + axis] = node->input[0]->shape.dim[axis];
    return numbers;
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
