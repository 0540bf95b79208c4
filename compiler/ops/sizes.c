/* Which sizes fit: a pool drops what does not fill a window, and a strided convolution rounds up,
   so what is enlarged again has another size. */
#include "ops.h"

#include "../base/arena.h"

/* A value beside the image, along an axis: it has num / den (in lowest terms) of the image's height
   or width, exactly where `divisor` divides that. */
typedef struct Scale {
    bool known; /* false: after a dense layer, a reshape, a crop or padding by other numbers */
    int64_t num, den, divisor;
    const Node *uneven; /* the first that does not divide what it reads; NULL: all do */
} Scale;

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t least_multiple(int64_t a, int64_t b)
{
    return a / common_divisor(a, b) * b;
}

/* By what enlarges by `up`, or shrinks by `down`. */
static void change(Scale *s, int up, int down)
{
    int64_t common = common_divisor(s->num * up, s->den * down);
    s->num = s->num * up / common;
    s->den = s->den * down / common;
    s->divisor = least_multiple(s->divisor, s->den);
    s->known = s->num <= MAX_SIDE && s->den <= MAX_SIDE && s->divisor <= MAX_SIDE;
}

static bool keeps_places(const Node *node, int axis)
{
    const Shape x = node->input[0]->shape, y = node->shape;
    return x.rank == 3 && y.rank == 3 && x.dim[axis] == y.dim[axis];
}

/* From what the node reads to its value. */
static void step(Scale *s, const Node *node, int axis)
{
    const int *x = node->input[0]->shape.dim;
    int down = 1, up = 1;
    s->known = node->op->scale ? node->op->scale(node, axis, &up, &down) : keeps_places(node, axis);
    if (!s->known)
        return;
    if (!s->uneven && x[axis] % down)
        s->uneven = node;
    change(s, up, down);
}

static Scale scale_of(const Graph *graph, const Node *node, int axis)
{
    int count = 0;
    const Node **path = ARENA_ARRAY(const Node *, graph->count + 1);
    for (; node != graph->input; node = node->input[0])
        path[count++] = node;
    Scale s = { .known = true, .num = 1, .den = 1, .divisor = 1 };
    while (count > 0 && s.known)
        step(&s, path[--count], axis);
    return s;
}

/* What the image's height or width must be divisible by for both values to have one size along the
   axis; 0: by no number, or they have. `uneven`: as in Scale. */
static int64_t wanted_divisor(const Graph *graph, const Node *a, const Node *b, int axis,
                              const Node **uneven)
{
    Scale x = scale_of(graph, a, axis), y = scale_of(graph, b, axis);
    *uneven = x.uneven ? x.uneven : y.uneven;
    bool meet = x.known && y.known && x.num == y.num && x.den == y.den;
    return meet && *uneven && a->shape.dim[axis] != b->shape.dim[axis]
               ? least_multiple(x.divisor, y.divisor)
               : 0;
}

static const char *wish(const int64_t *divisor)
{
    if (divisor[0] == divisor[1])
        return arena_format("height and width divisible by %lld", (long long)divisor[0]);
    if (!divisor[0] || !divisor[1])
        return arena_format("%s divisible by %lld", divisor[0] ? "height" : "width",
                            (long long)(divisor[0] ? divisor[0] : divisor[1]));
    return arena_format("height divisible by %lld and width by %lld", (long long)divisor[0],
                        (long long)divisor[1]);
}

/* Whether rows or columns of what it reads are in no window. */
static bool drops(const Node *node)
{
    bool any = false;
    for (int axis = 0; axis < AXES; axis++) {
        int up = 1, down = 1;
        any = any
              || (node->op->scale(node, axis, &up, &down)
                  && (int64_t)node->shape.dim[axis] * down
                         < (int64_t)node->input[0]->shape.dim[axis] * up);
    }
    return any;
}

const char *sizes_hint(const Graph *graph, const Node *a, const Node *b)
{
    int64_t divisor[AXES];
    const Node *uneven = NULL;
    for (int axis = 0; axis < AXES; axis++) {
        const Node *first;
        divisor[axis] = wanted_divisor(graph, a, b, axis, &first);
        if (divisor[axis] == 0 && a->shape.dim[axis] != b->shape.dim[axis])
            return "";
        uneven = divisor[axis] && !uneven ? first : uneven;
    }
    if (!uneven)
        return "";
    const int *read = uneven->input[0]->shape.dim;
    const char *why = !drops(uneven) ? "its stride rounds up"
                      : uneven->op->role == ROLE_POOL
                          ? "drops the rows and columns that fill no window"
                          : "its windows leave rows or columns over";
    return arena_format("; %s reads %dx%d and %s; make the input's %s", uneven->layer, read[0],
                        read[1], why, wish(divisor));
}
