/* rescale: y = x * scale + offset, each a constant of all values or one a channel, which training
   leaves alone. Of a flat value each is a channel. The gradient is a rescale too, without the
   offset. */
#include "layer.h"

#include "../base/arena.h"

static void rescale_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

enum { SCALE, OFFSET };

static Node *rescaled(Graph *graph, const Node *model, const char *name, Node *x,
                      const RealList lists[2])
{
    Node with = *model;
    with.list[SCALE] = lists[SCALE];
    with.list[OFFSET] = lists[OFFSET];
    return node_new(graph, &op_rescale, &with, name, (Node *[]){ x }, NULL);
}

static Node *rescale_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    static const double none = 0;
    return rescaled(graph, node, arena_format("%s.dx", node->name), dy,
                    (RealList[]){ node->list[SCALE], { 1, &none } });
}

static double of_channel(const RealList *list, int c)
{
    return list->numbers[list->count > 1 ? c : 0];
}

/* Whether 0 and 1, and so all between, stay in 0..1, also where the constants are rounded to float:
   products and sums never decrease as what they are of increases. */
static bool keeps_shares(double scale, double offset)
{
    const double low = (float)offset, high = (double)(float)scale + low;
    return offset >= 0 && offset <= 1 && scale + offset >= 0 && scale + offset <= 1 && low >= 0
           && low <= 1 && high >= 0 && high <= 1;
}

static bool rescale_keeps_unit_range(const Node *node)
{
    const RealList *scale = &node->list[SCALE], *offset = &node->list[OFFSET];
    bool kept = true;
    for (int c = 0; c < scale->count || c < offset->count; c++)
        kept = kept && keeps_shares(of_channel(scale, c), of_channel(offset, c));
    return kept;
}

static bool rescale_moves_zero(const Node *node)
{
    const RealList *offset = &node->list[OFFSET];
    bool moves = false;
    for (int c = 0; c < offset->count; c++)
        moves = moves || offset->numbers[c] != 0;
    return moves;
}

const Op op_rescale = { .name = "rescale",
                        .arity = 1,
                        .lists = { "scale", "offset" },
                        .shape = rescale_shape,
                        .gradient = rescale_gradient,
                        .unit_range_kept = rescale_keeps_unit_range,
                        .moves_zero = rescale_moves_zero };

/* As one number where all are the same. */
static RealList shortest_list(RealList list)
{
    for (int i = 1; i < list.count; i++)
        if (list.numbers[i] != list.numbers[0])
            return list;
    return (RealList){ 1, list.numbers };
}

static const char *list_text(const RealList *list)
{
    return list->count > 1 ? "one a channel" : arena_format("%.6g", list->numbers[0]);
}

static Node *rescale_build(Layer *layer, const Arg *args, Node *x)
{
    static const char *const names[] = { "scale", "offset" };
    const int channels = x->shape.dim[x->shape.rank - 1];
    RealList lists[2];
    for (int i = 0; i < 2; i++) {
        if (args[i].reals.count != 1 && args[i].reals.count != channels)
            fail(args[i].loc,
                 "rescale: %s gives %s, so %s wants one number, or a list of %d, one a channel, "
                 "not of %d",
                 x->layer, shape_text(x->shape), names[i], channels, args[i].reals.count);
        lists[i] = shortest_list(args[i].reals);
    }
    layer->detail = arena_format("scale %s, offset %s", list_text(&lists[SCALE]),
                                 list_text(&lists[OFFSET]));
    return rescaled(layer->graph, &layer->model, layer->model.layer, layer_reals(layer, x), lists);
}

const LayerSpec layer_rescale = {
    "rescale",
    "rescale",
    "x * scale + offset, constants of all channels or one a channel",
    { { "scale", ARG_REALS, .required = true, .min = -1e30, .max = 1e30 },
      { "offset", ARG_REALS, .number = 0, .min = -1e30, .max = 1e30 } },
    rescale_build,
};
