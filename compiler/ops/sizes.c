/* Which sizes fit: a pool drops what does not fill a window, and a strided convolution rounds up,
   so what is enlarged again has another size. */
#include "ops.h"

#include "../base/arena.h"

/* A value beside the image: it has num / den (in lowest terms) of its height and width, exactly
   where `divisor` divides these. */
typedef struct Scale {
    bool known; /* false: after a dense layer or a reshape, or a convolution without padding */
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

static bool keeps_places(const Node *node)
{
    const Shape x = node->input[0]->shape, y = node->shape;
    return x.rank == 3 && y.rank == 3 && x.dim[0] == y.dim[0] && x.dim[1] == y.dim[1];
}

/* From what the node reads to its value. */
static void step(Scale *s, const Node *node)
{
    const int *x = node->input[0]->shape.dim;
    int down = 1, up = 1;
    s->known = node->op->scale ? node->op->scale(node, &up, &down) : keeps_places(node);
    if (!s->known)
        return;
    if (!s->uneven && (x[0] % down || x[1] % down))
        s->uneven = node;
    change(s, up, down);
}

static Scale scale_of(const Graph *graph, const Node *node)
{
    int count = 0;
    const Node **path = ARENA_ARRAY(const Node *, graph->count + 1);
    for (; node != graph->input; node = node->input[0])
        path[count++] = node;
    Scale s = { .known = true, .num = 1, .den = 1, .divisor = 1 };
    while (count > 0 && s.known)
        step(&s, path[--count]);
    return s;
}

bool scale_down_by_size(const Node *node, int *up, int *down)
{
    (void)up;
    *down = node_number(node, "size");
    return true;
}

bool scale_up_by_size(const Node *node, int *up, int *down)
{
    (void)down;
    *up = node_number(node, "size");
    return true;
}

const char *sizes_hint(const Graph *graph, const Node *a, const Node *b)
{
    Scale x = scale_of(graph, a), y = scale_of(graph, b);
    const Node *uneven = x.uneven ? x.uneven : y.uneven;
    if (!x.known || !y.known || x.num != y.num || x.den != y.den || !uneven)
        return "";
    if (a->shape.dim[0] == b->shape.dim[0] && a->shape.dim[1] == b->shape.dim[1])
        return "";
    bool pool = uneven->op->role == ROLE_POOL;
    const int *read = uneven->input[0]->shape.dim;
    return arena_format(
        "; %s reads %dx%d and %s; make the input's height and width divisible by %lld",
        uneven->layer, read[0], read[1],
        pool ? "drops the rows and columns that fill no window" : "its stride rounds up",
        (long long)(least_multiple(x.divisor, y.divisor)));
}
