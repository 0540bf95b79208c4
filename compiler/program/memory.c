#include "memory.h"

#include "../base/arena.h"
#include "../base/table.h"
#include "../packing/codes.h"

#include <stdlib.h>
#include <string.h>

/* a kernel may read up to one vector past the end of a value */
enum { ALIGNMENT = 64, SLACK = 64 };

size_t plan_value_count(const Node *node)
{
    return node->type == TYPE_CODE ? code_count(node) : (size_t)shape_count(node->shape);
}

static size_t value_bytes(const Plan *plan, const Node *node)
{
    return plan_value_count(node)
           * (node->type == TYPE_PIXEL ? 1 : (size_t)settings_real_bytes(&plan->settings));
}

/* Values that lie elsewhere: the image, what the caller gives or gets, gradients, the loss. */
static bool is_elsewhere(const Program *program, const Node *node)
{
    return node->op->arity == 0 || node == program->given || node == program->result
           || node_is_loss(node) || plan_is_gradient(node);
}

/* The node's latest buffer that is made at step s or before. */
static Buffer *find_buffer(const Program *program, const Node *node, int s)
{
    int i = program->latest[node->id] - 1;
    while (i >= 0 && program->buffers[i].made > s)
        i = program->buffers[i].before;
    return i >= 0 ? &program->buffers[i] : NULL;
}

const Buffer *plan_value_at(const Program *program, int place, const Node *node)
{
    return find_buffer(program, node, place);
}

const Buffer *plan_scratch_at(const Program *program, int place)
{
    int i = program->scratch_at[place] - 1;
    if (i < 0)
        bug("%s has no scratch memory", program->steps[place]->function);
    return &program->buffers[i];
}

/* ---- lives ---- */

static Buffer *add_buffer(Program *program, const Node *node, int first, int last, int made)
{
    Buffer *b = &program->buffers[program->buffer_count++];
    *b = (Buffer){ .node = node, .first = first, .last = last, .made = made, .before = -1 };
    return b;
}

static void live(const Plan *plan, Program *program, int s, const Argument *a)
{
    const Step *step = program->steps[s];
    const size_t real_bytes = (size_t)settings_real_bytes(&plan->settings);
    if (a->sum) {
        Buffer *sum = add_buffer(program, NULL, 0, program->count - 1, s);
        sum->sum = true;
        sum->bytes = a->sum * real_bytes + SLACK;
    } else if (a->scratch) {
        add_buffer(program, NULL, s, s, s)->bytes = step->scratch * real_bytes + SLACK;
        program->scratch_at[s] = program->buffer_count;
    } else if (a->node && !is_elsewhere(program, a->node)) {
        Buffer *old = find_buffer(program, a->node, s);
        if (old && !(step->recomputes && step_writes(step, a->node))) {
            old->last = s;
            return;
        }
        add_buffer(program, a->node, s, s, s)->before = program->latest[a->node->id] - 1;
        program->latest[a->node->id] = program->buffer_count;
    }
}

/* The first and the last step of each segment, or phase. */
typedef struct Runs {
    const int *number; /* of each step: its segment */
    int *first, *last;
} Runs;

static Runs find_runs(const Program *program, const int *number)
{
    Runs runs = { number, ARENA_ARRAY(int, program->count + 1),
                  ARENA_ARRAY(int, program->count + 1) };
    for (int s = program->count - 1; s >= 0; s--)
        runs.first[number[s]] = s;
    for (int s = 0; s < program->count; s++)
        runs.last[number[s]] = s;
    return runs;
}

/* It lives from the first step of the run that makes it to the last of the one that reads it last,
   since images go through each one after the other. */
static void live_by_runs(const Runs *runs, Buffer *b)
{
    b->first = runs->first[runs->number[b->first]];
    b->last = runs->last[runs->number[b->last]];
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A value that one segment makes and reads needs room for one image; any other for the whole
   microbatch, but what one phase leaves to others for every image of the group. */
static void set_size(const Plan *plan, const Program *program, const Runs *segments,
                     const Runs *phases, Buffer *b)
{
    b->copies = 1;
    if (!b->node)
        return;
    b->shared = program->phase[b->first] != program->phase[b->last];
    if (b->shared) {
        live_by_runs(phases, b);
        b->bytes = aligned(value_bytes(plan, b->node) + SLACK);
        return;
    }
    if (plan->microbatch > 1
        && (program->segment[b->first] != program->segment[b->last]
            || program->steps[b->first]->kernel->batched)) {
        b->copies = plan->microbatch;
        live_by_runs(segments, b);
    }
    b->bytes = value_bytes(plan, b->node) * (size_t)b->copies + SLACK;
}

void plan_lives(const Plan *plan, Program *program)
{
    int room = 0;
    for (int s = 0; s < program->count; s++)
        room += program->steps[s]->argument_count;
    program->buffers = ARENA_ARRAY(Buffer, room + 1);
    program->buffer_count = 0;
    program->latest = ARENA_ARRAY(int, plan->graph->count);
    program->scratch_at = ARENA_ARRAY(int, program->count + 1);
    for (int s = 0; s < program->count; s++)
        for (int i = 0; i < program->steps[s]->argument_count; i++)
            live(plan, program, s, &program->steps[s]->arguments[i]);
    const Runs none = { NULL, NULL, NULL },
               segments = plan->microbatch > 1 ? find_runs(program, program->segment) : none,
               phases = program->phase_count > 1 ? find_runs(program, program->phase) : none;
    for (int i = 0; i < program->buffer_count; i++)
        set_size(plan, program, &segments, &phases, &program->buffers[i]);
}

/* ---- offsets ---- */

size_t plan_least_bytes(const Program *program)
{
    size_t *come = ARENA_ARRAY(size_t, program->count + 1),
           *go = ARENA_ARRAY(size_t, program->count + 1), now = 0, most = 0;
    for (int i = 0; i < program->buffer_count; i++) {
        const Buffer *b = &program->buffers[i];
        come[b->first] += aligned(b->bytes);
        go[b->last] += aligned(b->bytes);
    }
    for (int s = 0; s < program->count; s++) {
        now += come[s];
        most = now > most ? now : most;
        now -= go[s];
    }
    return most;
}

static bool meet(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Placed buffers, sorted by their offsets. */
typedef struct Placed {
    Buffer **buffer;
    int count;
} Placed;

/* The lowest offset at which the buffer overlaps none of those that live at the same time. */
static size_t lowest_offset(const Placed *placed, const Buffer *buffer)
{
    size_t offset = 0;
    for (int i = 0; i < placed->count && placed->buffer[i]->offset < offset + buffer->bytes; i++) {
        const Buffer *p = placed->buffer[i];
        if (offset < p->offset + p->bytes && meet(p, buffer))
            offset = aligned(p->offset + p->bytes);
    }
    return offset;
}

/* After those of no higher offset. */
static void insert(Placed *placed, Buffer *buffer)
{
    int low = 0;
    for (int high = placed->count; low < high;) {
        int middle = (low + high) / 2;
        if (placed->buffer[middle]->offset <= buffer->offset)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(&placed->buffer[low + 1], &placed->buffer[low],
            sizeof(Buffer *) * (size_t)(placed->count - low));
    placed->buffer[low] = buffer;
    placed->count++;
}

/* What is placed, by time: spans of so many steps, each with the buffers that live in it, and all
   of them. Most lives fit into one span, where few others are to be looked at. */
typedef struct Calendar {
    int steps;
    Placed *span, all;
} Calendar;

/* With room for all buffers of the program. As many spans as each has steps. */
static Calendar open_calendar(const Program *program)
{
    Calendar c = { .steps = 8 };
    while (c.steps * c.steps < program->count)
        c.steps *= 2;
    const int spans = program->count / c.steps + 1;
    c.span = ARENA_ARRAY(Placed, spans);
    c.all.buffer = ARENA_ARRAY(Buffer *, program->buffer_count + 1);
    for (int i = 0; i < program->buffer_count; i++)
        for (int k = program->buffers[i].first / c.steps; k <= program->buffers[i].last / c.steps;
             k++)
            c.span[k].count++;
    for (int k = 0; k < spans; k++) {
        c.span[k].buffer = ARENA_ARRAY(Buffer *, c.span[k].count + 1);
        c.span[k].count = 0;
    }
    return c;
}

static void place(Calendar *c, Buffer *buffer)
{
    const int first = buffer->first / c->steps, last = buffer->last / c->steps;
    buffer->offset = lowest_offset(first == last ? &c->span[first] : &c->all, buffer);
    for (int k = first; k <= last; k++)
        insert(&c->span[k], buffer);
    insert(&c->all, buffer);
}

/* By falling size; equal sizes keep their order. */
static int by_size(const void *a, const void *b)
{
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes) - (x->bytes > y->bytes) : (x > y) - (x < y);
}

/* Of the buffers in one memory, a thread's or the group's; returns its bytes. */
static size_t place_all(const Program *program, bool shared)
{
    int count = 0;
    size_t bytes = 0;
    Buffer **order = ARENA_ARRAY(Buffer *, program->buffer_count + 1);
    Calendar calendar = open_calendar(program);
    for (int i = 0; i < program->buffer_count; i++)
        if (program->buffers[i].shared == shared)
            order[count++] = &program->buffers[i];
    qsort(order, (size_t)count, sizeof *order, by_size);
    for (int i = 0; i < count; i++) {
        place(&calendar, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        bytes = end > bytes ? end : bytes;
    }
    return aligned(bytes);
}

void plan_offsets(Program *program)
{
    program->bytes = place_all(program, false);
    program->shared_bytes = program->phase_count > 1 ? place_all(program, true) : 0;
}

void plan_memory(const Plan *plan, Program *program)
{
    if (program->rings)
        return;
    plan_lives(plan, program);
    plan_offsets(program);
}

/* ---- names ---- */

/* "", or "_recomputed", "_recomputed_2", ... of a step that stands in the program once more. */
static const char *recompute_suffix(int before)
{
    return before == 0 ? "" : before == 1 ? "_recomputed" : arena_format("_recomputed_%d", before);
}

void plan_name_buffers(const Plan *plan, Program *program)
{
    int *seen = ARENA_ARRAY(int, plan->graph->count),
        *before = ARENA_ARRAY(int, program->count + 1);
    Table names = { 0 };
    for (int s = 0; s < program->count; s++)
        before[s] = seen[program->steps[s]->core->id]++;
    for (int i = 0; i < program->buffer_count; i++) {
        Buffer *b = &program->buffers[i];
        const char *own = program->steps[b->made]->name, *again = recompute_suffix(before[b->made]);
        if (b->node)
            b->name = arena_format("%s%s", plan_identifier(b->node->name), again);
        else
            b->name = b->sum ? arena_format("%s_sum", own)
                             : arena_format("%s%s_scratch", own, again);
        if (!b->sum) /* a layer may be called conv1_recomputed; sums are named by others too */
            b->name = table_add_another(&names, b->name, i);
    }
}
