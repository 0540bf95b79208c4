#include "spans.h"

#include "../base/diag.h"

#include <stdlib.h>
#include <string.h>

enum { TREE = 4, ROOT = 1 }; /* places of a tree for each of its leaves */

static int by_size(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

Spans spans_new(size_t *ends, int count)
{
    Spans s = { .ends = ends, .holder = calloc((size_t)count * TREE + TREE, sizeof(int)) };
    if (!s.holder)
        fail_with(EXIT_FILE, "out of memory");
    qsort(ends, (size_t)count, sizeof *ends, by_size);
    for (int i = 0; i < count; i++)
        if (s.count == 0 || ends[s.count - 1] != ends[i])
            ends[s.count++] = ends[i];
    return s;
}

void spans_clear(Spans *spans)
{
    memset(spans->holder, 0, ((size_t)spans->count * TREE + TREE) * sizeof(int));
}

void spans_free(Spans *spans)
{
    free(spans->ends);
    free(spans->holder);
}

static int place_of(const Spans *spans, size_t end)
{
    const size_t *found = bsearch(&end, spans->ends, (size_t)spans->count, sizeof end, by_size);
    if (!found)
        bug("byte %zu is no end of a span", end);
    return (int)(found - spans->ends);
}

/* The part of the tree at `at`, whose leaves are the pieces from `low` to before `high`. */
static void give(int *tree, int at, int low, int high, int from, int to, int holder)
{
    int *left = &tree[2 * at], *right = left + 1;
    const int middle = (low + high) / 2;
    if (from <= low && high <= to) {
        tree[at] = holder;
        return;
    }
    if (tree[at] != HELD_BY_SEVERAL)
        *left = *right = tree[at];
    if (from < middle)
        give(tree, 2 * at, low, middle, from, to, holder);
    if (to > middle)
        give(tree, 2 * at + 1, middle, high, from, to, holder);
    tree[at] = *left == *right ? *left : HELD_BY_SEVERAL;
}

static int ask(const int *tree, int at, int low, int high, int from, int to)
{
    const int middle = (low + high) / 2;
    if (tree[at] != HELD_BY_SEVERAL || (from <= low && high <= to))
        return tree[at];
    if (to <= middle)
        return ask(tree, 2 * at, low, middle, from, to);
    if (from >= middle)
        return ask(tree, 2 * at + 1, middle, high, from, to);
    const int left = ask(tree, 2 * at, low, middle, from, to);
    return left == ask(tree, 2 * at + 1, middle, high, from, to) ? left : HELD_BY_SEVERAL;
}

void spans_give(Spans *spans, size_t from, size_t to, int holder)
{
    const int first = place_of(spans, from), last = place_of(spans, to);
    give(spans->holder, ROOT, 0, spans->count - 1, first, last, holder);
}

int spans_holder(const Spans *spans, size_t from, size_t to)
{
    const int first = place_of(spans, from), last = place_of(spans, to);
    return ask(spans->holder, ROOT, 0, spans->count - 1, first, last);
}
