#include "plan.h"

#include "../base/arena.h"

#include <string.h>

enum { ALIGNMENT = 64, SLACK = 64 };     /* a kernel may read up to one vector past the end of a value */

/* Codes lie as kernels/codes.c.in says. */
size_t plan_value_count(const Node *node)
{
    if (node->type != TYPE_CODE)
        return (size_t)shape_count(node->shape);
    const int *dim = node->shape.dim, size = node_number(node, "size"), across = size == 2 ? 8 : size <= 4 ? 4 : 2;
    return (size_t)((dim[0] + 1) / 2) * (size_t)((dim[1] + across - 1) / across) * (size_t)dim[2];
}

static size_t value_bytes(const Plan *plan, const Node *node)
{
    return plan_value_count(node) * (node->type == TYPE_PIXEL ? 1 : (size_t)settings_real_bytes(&plan->settings));
}

int plan_gradient_of(const Graph *graph, const Node *node)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, node->phase, i) == node)
            return i;
    return -1;
}

bool plan_is_gradient(const Graph *graph, const Node *node)
{
    return plan_gradient_of(graph, node) >= 0;
}

/* Values that lie elsewhere: the image, what the caller gives or gets, gradients, the loss. */
static bool is_elsewhere(const Plan *plan, const Program *program, const Node *node)
{
    const Graph *graph = plan->graph;
    return node->op->arity == 0 || node == program->given || node == program->result || node_is_loss(node) || plan_is_gradient(graph, node);
}

/* The node's latest buffer that is made at step s or before. */
static Buffer *find_buffer(const Program *program, const Node *node, int s)
{
    Buffer *found = NULL;
    for (int i = 0; i < program->buffer_count; i++)
        if (program->buffers[i].node == node && program->buffers[i].made <= s)
            found = &program->buffers[i];
    return found;
}

static int place_of(const Program *program, const Step *step)
{
    for (int i = 0; i < program->count; i++)
        if (program->steps[i] == step)
            return i;
    bug("%s is no step of %s", step->function, program->name);
}

const Buffer *plan_value_at(const Program *program, const Step *step, const Node *node)
{
    return find_buffer(program, node, place_of(program, step));
}

const Buffer *plan_scratch_at(const Program *program, const Step *step)
{
    int s = place_of(program, step);
    for (int i = 0; i < program->buffer_count; i++)
        if (!program->buffers[i].node && !program->buffers[i].sum && program->buffers[i].made == s)
            return &program->buffers[i];
    bug("%s has no scratch memory", step->function);
}

/* "", or "_again", "_again_2", ... of a step that stands in the program so often. */
static const char *repeat_suffix(const Program *program, int s)
{
    int before = 0;
    for (int i = 0; i < s; i++)
        before += program->steps[i]->core == program->steps[s]->core;
    return before == 0 ? "" : before == 1 ? "_again" : arena_format("_again_%d", before);
}

static void add_buffers(const Plan *plan, Program *program, int s)
{
    const Step *step = program->steps[s];
    const char *again = repeat_suffix(program, s);
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (a->sum) {
            program->buffers[program->buffer_count++] = (Buffer){
                .name = arena_format("%s_sum", step->function), .first = 0, .last = program->count - 1, .sum = true,
                .bytes = a->sum * (size_t)settings_real_bytes(&plan->settings) + SLACK,
            };
            continue;
        }
        if (a->scratch) {
            program->buffers[program->buffer_count++] = (Buffer){
                .name = arena_format("%s%s_scratch", step->function, again), .first = s, .last = s, .made = s,
                .bytes = step->scratch * (size_t)settings_real_bytes(&plan->settings) + SLACK,
            };
            continue;
        }
        if (!a->node || is_elsewhere(plan, program, a->node))
            continue;
        Buffer *old = find_buffer(program, a->node, s);
        if (old && !(step->repeats && step_writes(step, a->node)))
            old->last = s;
        else
            program->buffers[program->buffer_count++] = (Buffer){
                .node = a->node, .name = arena_format("%s%s", plan_identifier(a->node->name), again), .first = s, .last = s, .made = s,
            };
    }
}

/* A value that one run makes and reads needs room for one image; any other for the whole group, and its life is that of the runs it touches, since they
   return to their first step with every image. */
static void set_size(const Plan *plan, const Program *program, Buffer *b)
{
    b->copies = 1;
    if (!b->node)
        return;
    if (program->run[b->first] != program->run[b->last] || program->steps[b->first]->kernel->grouped) {
        b->copies = plan->group;
        while (plan->group > 1 && b->first > 0 && program->run[b->first - 1] == program->run[b->first])
            b->first--;
        while (plan->group > 1 && b->last + 1 < program->count && program->run[b->last + 1] == program->run[b->last])
            b->last++;
    }
    b->bytes = value_bytes(plan, b->node) * (size_t)b->copies + SLACK;
}

static bool meet(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at which the buffer overlaps none of the placed ones that live at the same time. */
static size_t lowest_offset(Buffer *const *placed, int count, const Buffer *buffer)
{
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < count; i++) {
            const Buffer *p = placed[i];
            if (meet(p, buffer) && offset < p->offset + p->bytes && p->offset < offset + buffer->bytes) {
                offset = (p->offset + p->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                moved = true;
            }
        }
    }
    return offset;
}

void plan_memory(const Plan *plan, Program *program)
{
    if (program->rings)
        return;
    program->buffers = ARENA_ARRAY(Buffer, program->count * STEP_ARGUMENTS + 1);
    program->buffer_count = 0;
    program->bytes = 0;
    for (int s = 0; s < program->count; s++)
        add_buffers(plan, program, s);
    for (int i = 0; i < program->buffer_count; i++)
        set_size(plan, program, &program->buffers[i]);
    int count = program->buffer_count;
    Buffer **order = ARENA_ARRAY(Buffer *, count + 1);
    for (int i = 0; i < count; i++) {               /* insertion sort by falling size; equal sizes keep their order */
        int k = i;
        for (; k > 0 && order[k - 1]->bytes < program->buffers[i].bytes; k--)
            order[k] = order[k - 1];
        order[k] = &program->buffers[i];
    }
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_offset(order, i, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        program->bytes = end > program->bytes ? end : program->bytes;
    }
    program->bytes = (program->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}
