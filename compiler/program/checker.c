#include "checker.h"

#include "../base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGNMENT = 64, FAULT = 500 };

const Step *checker_step(const Checker *c)
{
    return c->program->steps[c->s];
}

void checker_find(Checker *c, const char *format, ...)
{
    char text[FAULT];
    va_list args;
    if (c->fault)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const Step *step = c->s < 0 ? NULL : checker_step(c);
    c->fault = !step
                   ? arena_format("program %s: %s", c->program->name, text)
                   : arena_format("program %s, step %d, %s of %s by %s: %s", c->program->name, c->s,
                                  step->direction, step->core->name, step->kernel->name, text);
}

const char *checker_buffer(const Buffer *b)
{
    return arena_format("%s (steps %d to %d, bytes %zu to %zu)", b->name, b->first, b->last,
                        b->offset, b->offset + b->bytes - 1);
}

const char *checker_holder_text(const Checker *c, int holder)
{
    if (holder == HELD_BY_NOBODY)
        return "nothing";
    return holder == HELD_BY_SEVERAL ? "more than one value"
                                     : checker_buffer(&c->program->buffers[holder - 1]);
}

/* ---- tables ---- */

static Checker new_tables(const Plan *plan, const Program *program)
{
    const int nodes = plan->graph->count, steps = program->count, buffers = program->buffer_count;
    Checker c = { .plan = plan, .program = program, .s = -1 };
    int *table = c.tables = calloc((size_t)(3 * nodes + 2 * steps + buffers) + 1, sizeof *table);
    if (!table)
        fail_with(EXIT_FILE, "out of memory");
    c.latest = table;
    c.gradient = c.latest + nodes;
    c.made = c.gradient + nodes;
    c.scratch = c.made + nodes;
    c.sum = c.scratch + steps;
    c.before = c.sum + steps;
    for (int i = 0; i < plan->graph->parameter_count; i++) {
        Node *all = graph_gradient(plan->graph, program->stage, i);
        for (; all; all = gradient_before(all))
            c.gradient[gradient_last(all)->id] = i + 1;
    }
    return c;
}

void checker_free(Checker *c)
{
    free(c->tables);
    spans_free(&c->held);
}

static void check_buffer(Checker *c, const Buffer *b)
{
    const Program *p = c->program;
    if (b->first < 0 || b->first > b->last || b->last >= p->count || b->made < 0
        || b->made >= p->count)
        checker_find(c, "%s is made in step %d", checker_buffer(b), b->made);
    const size_t bytes = b->shared ? p->shared_bytes : p->bytes;
    if (b->bytes == 0 || b->offset % ALIGNMENT || b->offset > bytes || b->bytes > bytes - b->offset)
        checker_find(c, "%s does not lie in the %s of %zu bytes at a multiple of %d",
                     checker_buffer(b), b->shared ? "group's memory" : "workspace", bytes,
                     ALIGNMENT);
    if (b->shared && b->bytes % ALIGNMENT)
        checker_find(c, "%s leaves the next image's bytes unaligned", checker_buffer(b));
    if (b->node
        && (b->node->id >= c->plan->graph->count || c->plan->graph->nodes[b->node->id] != b->node))
        checker_find(c, "%s is of a value that the graph has not", checker_buffer(b));
}

/* A step's value lies in the last buffer of its node that is made there or before; its scratch
   memory is made there; sums stand in the order of their steps. */
static void fill_tables(Checker *c)
{
    const Program *p = c->program;
    int summing = 0;
    for (int i = 0; i < p->buffer_count && !c->fault; i++) {
        const Buffer *b = &p->buffers[i];
        check_buffer(c, b);
        while (b->sum && summing < p->count && !p->steps[summing]->sums)
            summing++;
        if (c->fault || (b->sum && summing == p->count)) {
            checker_find(c, "no step adds to %s", checker_buffer(b));
        } else if (b->sum) {
            c->sum[summing++] = i + 1;
        } else if (!b->node) {
            c->scratch[b->made] = i + 1;
        } else {
            c->before[i] = c->latest[b->node->id];
            c->latest[b->node->id] = i + 1;
        }
        if (!c->fault && c->before[i] && p->buffers[c->before[i] - 1].made >= b->made)
            checker_find(c, "%s is made no later than %s", checker_buffer(b),
                         checker_buffer(&p->buffers[c->before[i] - 1]));
    }
}

/* The memory of the group is looked at as if it came after the workspace. */
static size_t place_of(const Checker *c, const Buffer *b)
{
    return b->offset + (b->shared ? c->program->bytes : 0);
}

static void take_spans(Checker *c)
{
    const Program *p = c->program;
    size_t *ends = malloc(((size_t)p->buffer_count * 2 + 1) * sizeof *ends);
    if (!ends)
        fail_with(EXIT_FILE, "out of memory");
    for (int i = 0; i < p->buffer_count; i++) {
        ends[2 * i] = place_of(c, &p->buffers[i]);
        ends[2 * i + 1] = ends[2 * i] + p->buffers[i].bytes;
    }
    c->held = spans_new(ends, 2 * p->buffer_count);
}

Checker checker_open(const Plan *plan, const Program *program)
{
    Checker c = new_tables(plan, program);
    fill_tables(&c);
    if (!c.fault)
        take_spans(&c);
    return c;
}

void checker_give(Checker *c, const Buffer *b, int holder)
{
    const size_t at = place_of(c, b);
    spans_give(&c->held, at, at + b->bytes, holder);
}

int checker_holder(const Checker *c, const Buffer *b)
{
    const size_t at = place_of(c, b);
    return spans_holder(&c->held, at, at + b->bytes);
}
