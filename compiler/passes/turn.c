#include "passes.h"

#include <string.h>

/* Operators call the numbers of an axis by one of these endings; a shape's are first and second. */
static const char *const endings[][2] = { { "_h", "_w" },
                                          { "top", "left" },
                                          { "bottom", "right" },
                                          { "height", "width" },
                                          { "first", "second" } };
enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* The length of `name` before the ending; -1: it ends otherwise. */
static int before(const char *name, const char *ending)
{
    size_t all = strlen(name), end = strlen(ending);
    return all >= end && strcmp(name + all - end, ending) == 0 ? (int)(all - end) : -1;
}

static bool are_twins(const char *name, const char *other)
{
    for (int i = 0; i < ENDINGS; i++)
        for (int k = 0; k < 2; k++) {
            int stem = before(name, endings[i][k]);
            if (stem >= 0 && stem == before(other, endings[i][1 - k])
                && strncmp(name, other, (size_t)stem) == 0)
                return true;
        }
    return false;
}

/* Where the number of the other axis stands; the number's own place where it belongs to none. */
static int twin_of(const Op *op, int number)
{
    for (int i = 0; op->numbers[i]; i++)
        if (are_twins(op->numbers[number], op->numbers[i]))
            return i;
    return number;
}

static void exchange_numbers(Node *node)
{
    double turned[MAX_NUMBERS];
    memcpy(turned, node->number, sizeof turned);
    for (int i = 0; node->op->numbers[i]; i++)
        turned[twin_of(node->op, i)] = node->number[i];
    memcpy(node->number, turned, sizeof turned);
}

/* The operator is asked again for the shape, which must be the one expected: it then has no number
   of an axis under another name. */
static void turn(Node *node)
{
    Shape expected = shape_turned(node->shape);
    if (node->shape.rank != 1) /* a flat value has no axes */
        exchange_numbers(node);
    if (node->op->arity > 0)
        node->op->shape(node);
    else
        node->shape = expected;
    if (!shape_equal(node->shape, expected))
        bug("%s: turned, it is %s", node->name, shape_text(node->shape));
}

/* A kernel of several rows would lie in memory otherwise. */
static bool has_one_row(const Graph *graph)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i]->shape.rank >= 3 && graph->nodes[i]->shape.dim[0] != 1)
            return false;
    return true;
}

void pass_turn(Graph *graph)
{
    if (!graph->streams || !has_one_row(graph))
        return;
    for (int i = 0; i < graph->count; i++)
        turn(graph->nodes[i]);
    graph->turned = true;
}
