#include "check_lives.h"

#include <stdlib.h>

enum { BEGINS, ENDS };

static int *end_of_life(Buffer *b, int end)
{
    return end == BEGINS ? &b->first : &b->last;
}

/* The buffers, in the order in which their lives begin or end. */
static int *order_by(const Checker *c, int end)
{
    const Program *p = c->program;
    int *order = calloc((size_t)p->buffer_count + 1, sizeof *order);
    int *next = calloc((size_t)p->count + 2, sizeof *next);
    if (!order || !next)
        fail_with(EXIT_FILE, "out of memory");
    for (int i = 0; i < p->buffer_count; i++)
        next[*end_of_life(&p->buffers[i], end) + 1]++;
    for (int s = 0; s < p->count; s++)
        next[s + 1] += next[s];
    for (int i = 0; i < p->buffer_count; i++)
        order[next[*end_of_life(&p->buffers[i], end)]++] = i;
    free(next);
    return order;
}

static void begin_life(Checker *c, int buffer)
{
    const Buffer *b = &c->program->buffers[buffer];
    const int holder = checker_holder(c, b);
    if (holder != HELD_BY_NOBODY)
        checker_find(c, "%s overlaps %s, and both live", checker_buffer(b),
                     checker_holder_text(c, holder));
    checker_give(c, b, buffer + 1);
}

void check_lives(Checker *c)
{
    const Program *p = c->program;
    int *first = order_by(c, BEGINS), *last = order_by(c, ENDS), began = 0, ended = 0;
    for (int s = 0; s < p->count; s++) {
        for (; began < p->buffer_count && p->buffers[first[began]].first == s; began++)
            begin_life(c, first[began]);
        for (; ended < p->buffer_count && p->buffers[last[ended]].last == s; ended++)
            checker_give(c, &p->buffers[last[ended]], HELD_BY_NOBODY);
    }
    free(first);
    free(last);
    spans_clear(&c->held);
}
