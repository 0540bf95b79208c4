/* check.c - follows the programs of a plan, step by step, through their memory. */
#include "check.h"

#include "../base/arena.h"
#include "spans.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, SLACK = 64, FAULT = 500 }; /* a vector may be read past a value's end */

/* Tables of places hold the place + 1, or 0 for none. */
typedef struct Checker {
    const Plan *plan;
    const Program *program;
    int *tables;        /* where these lie: */
    int *latest;        /* of each node: its last buffer */
    int *before;        /* of each buffer: that of its node before it */
    int *scratch, *sum; /* of each step: its buffers */
    int *gradient;      /* of each node: the parameter whose gradient it is, here */
    int *made;          /* of each node that lies elsewhere: how many steps have made it */
    Spans held;         /* by buffers, as their place + 1 */
    int s;              /* the step under way; -1: none */
    bool later;         /* for images after the first of the microbatch */
    const char *fault;  /* the first that was found */
} Checker;

static const Step *step_of(const Checker *c)
{
    return c->program->steps[c->s];
}

__attribute__((format(printf, 2, 3))) static void find(Checker *c, const char *format, ...)
{
    char text[FAULT];
    va_list args;
    if (c->fault)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const Step *step = c->s < 0 ? NULL : step_of(c);
    c->fault = !step
                   ? arena_format("program %s: %s", c->program->name, text)
                   : arena_format("program %s, step %d, %s of %s by %s: %s", c->program->name, c->s,
                                  step->direction, step->core->name, step->kernel->name, text);
}

/* "encoder_conv1 (steps 2 to 7, bytes 0 to 8255)" */
static const char *buffer_text(const Buffer *b)
{
    return arena_format("%s (steps %d to %d, bytes %zu to %zu)", b->name, b->first, b->last,
                        b->offset, b->offset + b->bytes - 1);
}

static const char *holder_text(const Checker *c, int holder)
{
    if (holder == HELD_BY_NOBODY)
        return "nothing";
    return holder == HELD_BY_SEVERAL ? "more than one value"
                                     : buffer_text(&c->program->buffers[holder - 1]);
}

static int real_bytes(const Checker *c)
{
    return settings_real_bytes(&c->plan->settings);
}

/* ---- tables ---- */

static Checker checker_new(const Plan *plan, const Program *program)
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
        const Node *gradient = graph_gradient(plan->graph, program->stage, i);
        if (gradient)
            c.gradient[gradient->id] = i + 1;
    }
    return c;
}

static void checker_free(Checker *c)
{
    free(c->tables);
    spans_free(&c->held);
}

static void check_buffer(Checker *c, const Buffer *b)
{
    const Program *p = c->program;
    if (b->first < 0 || b->first > b->last || b->last >= p->count || b->made < 0
        || b->made >= p->count)
        find(c, "%s is made in step %d", buffer_text(b), b->made);
    if (b->bytes == 0 || b->offset % ALIGNMENT || b->offset > p->bytes
        || b->bytes > p->bytes - b->offset)
        find(c, "%s does not lie in the workspace of %zu bytes at a multiple of %d", buffer_text(b),
             p->bytes, ALIGNMENT);
    if (b->node
        && (b->node->id >= c->plan->graph->count || c->plan->graph->nodes[b->node->id] != b->node))
        find(c, "%s is of a value that the graph has not", buffer_text(b));
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
            find(c, "no step adds to %s", buffer_text(b));
        } else if (b->sum) {
            c->sum[summing++] = i + 1;
        } else if (!b->node) {
            c->scratch[b->made] = i + 1;
        } else {
            c->before[i] = c->latest[b->node->id];
            c->latest[b->node->id] = i + 1;
        }
        if (!c->fault && c->before[i] && p->buffers[c->before[i] - 1].made >= b->made)
            find(c, "%s is made no later than %s", buffer_text(b),
                 buffer_text(&p->buffers[c->before[i] - 1]));
    }
}

static void take_spans(Checker *c)
{
    const Program *p = c->program;
    size_t *ends = malloc(((size_t)p->buffer_count * 2 + 1) * sizeof *ends);
    if (!ends)
        fail_with(EXIT_FILE, "out of memory");
    for (int i = 0; i < p->buffer_count; i++) {
        ends[2 * i] = p->buffers[i].offset;
        ends[2 * i + 1] = p->buffers[i].offset + p->buffers[i].bytes;
    }
    c->held = spans_new(ends, 2 * p->buffer_count);
}

static void give(Checker *c, const Buffer *b, int holder)
{
    spans_give(&c->held, b->offset, b->offset + b->bytes, holder);
}

static int holder_of(const Checker *c, const Buffer *b)
{
    return spans_holder(&c->held, b->offset, b->offset + b->bytes);
}

/* ---- lives ---- */

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
    const int holder = holder_of(c, b);
    if (holder != HELD_BY_NOBODY)
        find(c, "%s overlaps %s, and both live", buffer_text(b), holder_text(c, holder));
    give(c, b, buffer + 1);
}

static void check_lives(Checker *c)
{
    const Program *p = c->program;
    int *first = order_by(c, BEGINS), *last = order_by(c, ENDS), began = 0, ended = 0;
    for (int s = 0; s < p->count; s++) {
        for (; began < p->buffer_count && p->buffers[first[began]].first == s; began++)
            begin_life(c, first[began]);
        for (; ended < p->buffer_count && p->buffers[last[ended]].last == s; ended++)
            give(c, &p->buffers[last[ended]], HELD_BY_NOBODY);
    }
    free(first);
    free(last);
    spans_clear(&c->held);
}

/* ---- values elsewhere: the image, what the caller gives and gets, losses and gradients ---- */

static bool is_given(const Checker *c, const Node *node)
{
    return node == c->program->given || (node->op->arity == 0 && !c->program->given);
}

static bool is_elsewhere(const Checker *c, const Node *node)
{
    return is_given(c, node) || node == c->program->result || node_is_loss(node)
           || c->gradient[node->id];
}

static void read_elsewhere(Checker *c, const Node *node)
{
    if (!is_given(c, node) && (c->gradient[node->id] || !c->made[node->id]))
        find(c, "it reads %s, which %s", node->name,
             c->gradient[node->id] ? "is a sum over images" : "no step has made before");
}

static void write_elsewhere(Checker *c, const Node *node)
{
    const bool backward = c->s >= c->program->forward_count;
    if (is_given(c, node))
        find(c, "it writes to %s, which the caller gives", node->name);
    if (c->made[node->id]++)
        find(c, "it makes %s a second time", node->name);
    if (!c->program->result && backward == node_is_loss(node))
        find(c, "it makes %s %s the loss is known", node->name, backward ? "after" : "before");
}

static void want_made(Checker *c, const Node *node)
{
    if (!c->made[node->id])
        find(c, "no step makes %s", node->name);
}

static void check_results(Checker *c)
{
    const Graph *graph = c->plan->graph;
    const Program *p = c->program;
    c->s = -1;
    if (p->result) {
        if (!is_given(c, p->result))
            want_made(c, p->result);
        return;
    }
    want_made(c, graph_loss(graph, p->stage));
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, p->stage, i))
            want_made(c, graph_gradient(graph, p->stage, i));
}

/* ---- values in the workspace ---- */

static int value_place(const Checker *c, const Node *node)
{
    int place = c->latest[node->id];
    while (place && c->program->buffers[place - 1].made > c->s)
        place = c->before[place - 1];
    return place;
}

/* The place of the argument's buffer; 0: it has none. */
static int buffer_place(const Checker *c, const Argument *a)
{
    if (a->scratch)
        return c->scratch[c->s];
    if (a->sum)
        return c->sum[c->s];
    return a->node && !is_elsewhere(c, a->node) ? value_place(c, a->node) : 0;
}

static bool needs_buffer(const Checker *c, const Argument *a)
{
    return a->scratch || a->sum || (a->node && !is_elsewhere(c, a->node));
}

static const char *argument_text(const Argument *a)
{
    if (a->node)
        return a->node->name;
    return a->scratch ? "its scratch memory" : "its sum over a chunk";
}

/* How many images' values the buffer has room for, of how many that live there at once. */
static void check_copies(Checker *c, const Buffer *b)
{
    const int microbatch = c->plan->microbatch, *segment = c->program->segment;
    if (microbatch > 1 && b->copies == 1
        && (step_of(c)->kernel->batched || segment[c->s] != segment[b->made]))
        find(c, "%s has room for one image of the microbatch", buffer_text(b));
    if (b->copies != 1 && b->copies != microbatch)
        find(c, "%s is of %d images and the microbatch of %d", buffer_text(b), b->copies,
             microbatch);
}

static void check_room(Checker *c, const Argument *a, const Buffer *b)
{
    const size_t type = a->node && a->node->type == TYPE_PIXEL ? 1 : (size_t)real_bytes(c);
    size_t values = a->scratch ? step_of(c)->scratch : a->sum;
    if (a->node)
        values = plan_value_count(a->node) * (size_t)b->copies;
    if (b->bytes < values * type + SLACK)
        find(c, "%s is too small for %zu bytes and %d more", buffer_text(b), values * type, SLACK);
    if (c->s < b->first || c->s > b->last)
        find(c, "%s does not live here", buffer_text(b));
    if (a->node)
        check_copies(c, b);
}

/* The argument's bytes are its own. */
static void want_held(Checker *c, const Argument *a)
{
    const int place = buffer_place(c, a);
    if (!needs_buffer(c, a))
        return;
    if (!place) {
        find(c, "%s does not lie in the workspace", argument_text(a));
        return;
    }
    const Buffer *b = &c->program->buffers[place - 1];
    const int holder = holder_of(c, b);
    check_room(c, a, b);
    if (holder != place)
        find(c, "%s should be in %s, where %s is", argument_text(a), buffer_text(b),
             holder_text(c, holder));
}

static void read_argument(Checker *c, const Argument *a)
{
    if (a->node && step_writes(step_of(c), a->node))
        return;
    if (a->node && is_elsewhere(c, a->node))
        read_elsewhere(c, a->node);
    else if (a->node || a->sum)
        want_held(c, a);
}

/* What outlives its segment has a place for each image: no image writes to those of others. */
static void write_argument(Checker *c, const Argument *a)
{
    const int place = buffer_place(c, a);
    if (a->node && !step_writes(step_of(c), a->node))
        return;
    if (a->node && is_elsewhere(c, a->node)) {
        if (!c->later)
            write_elsewhere(c, a->node);
    } else if (place && !a->sum
               && !(c->later && a->node && c->program->buffers[place - 1].copies > 1)) {
        give(c, &c->program->buffers[place - 1], place);
    }
}

/* All that it reads is there, and still is when it has written everything. */
static void follow_step(Checker *c)
{
    const Step *step = step_of(c);
    for (int i = 0; i < step->argument_count; i++)
        read_argument(c, &step->arguments[i]);
    for (int i = 0; i < step->argument_count; i++)
        write_argument(c, &step->arguments[i]);
    for (int i = 0; i < step->argument_count; i++)
        want_held(c, &step->arguments[i]);
}

/* ---- a program ---- */

static void zero_sums(Checker *c)
{
    for (int s = 0; s < c->program->count; s++)
        if (c->sum[s])
            give(c, &c->program->buffers[c->sum[s] - 1], c->sum[s]);
}

/* Sums are added to the gradients at the end of the chunk. */
static void flush_sums(Checker *c)
{
    for (c->s = 0; c->s < c->program->count; c->s++)
        for (int i = 0; i < step_of(c)->argument_count; i++)
            if (step_of(c)->arguments[i].sum)
                want_held(c, &step_of(c)->arguments[i]);
}

/* A step that takes the microbatch at once stands alone, and no segment goes on from forward to
   backward: they are functions of their own. */
static void check_run(Checker *c, int from, int to)
{
    const Program *p = c->program;
    for (c->s = from; c->s < to; c->s++)
        if ((to > from + 1 && step_of(c)->kernel->batched)
            || (c->s > from && c->s == p->forward_count))
            find(c, "its segment of steps from %d to %d is done image by image", from, to - 1);
}

static void follow_run(Checker *c, int from, int to)
{
    const bool by_image = c->plan->microbatch > 1 && !c->program->steps[from]->kernel->batched;
    const int images = by_image ? 2 : 1; /* the first one, and one that stands for all later ones */
    for (int image = 0; image < images; image++) {
        c->later = image > 0;
        for (c->s = from; c->s < to; c->s++)
            follow_step(c);
    }
    if (c->plan->microbatch > 1)
        check_run(c, from, to);
}

static void follow_program(Checker *c)
{
    const Program *p = c->program;
    zero_sums(c);
    for (int from = 0, to; from < p->count; from = to) {
        for (to = from + 1; to < p->count && p->segment[to] == p->segment[from]; to++)
            ;
        follow_run(c, from, to);
    }
    flush_sums(c);
    check_results(c);
}

static const char *fault_in(const Plan *plan, const Program *program)
{
    Checker c = checker_new(plan, program);
    fill_tables(&c);
    if (!c.fault) {
        take_spans(&c);
        check_lives(&c);
        follow_program(&c);
    }
    checker_free(&c);
    return c.fault;
}

const char *plan_fault(const Plan *plan)
{
    Program **programs;
    const int count = plan_programs(plan, &programs);
    const char *fault = plan_fault_in_calls(plan);
    for (int i = 0; i < count && !fault; i++) {
        if (programs[i] == &plan->train && plan->settings.no_training)
            continue;
        fault = programs[i]->rings ? plan_fault_in_stream(plan) : fault_in(plan, programs[i]);
    }
    return fault;
}

void plan_check(const Plan *plan)
{
    const char *fault = plan_fault(plan);
    if (fault)
        bug("plan: %s", fault);
}
