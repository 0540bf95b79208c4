/* broken.h - the ways in which a transformation of plans could go wrong. */
#ifndef TEST_BROKEN_H
#define TEST_BROKEN_H

#include "cases.h"

#include "program/microbatch.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a mutation goes by; not what the check does ---- */

static bool touches(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return true;
    return false;
}

static bool makes(const Step *step, const Node *node)
{
    return touches(step, node)
           && (step->core == node || step->bias == node || step->act == node || step->pool == node
               || step->codes == node || step->db == node || step->dx == node);
}

static bool depend(const Step *a, const Step *b)
{
    for (int i = 0; i < a->argument_count; i++) {
        const Node *node = a->arguments[i].node;
        if (node && touches(b, node) && (makes(a, node) || makes(b, node)))
            return true;
    }
    return false;
}

static bool is_step(const Program *p, int i)
{
    return i < p->count && !p->rings;
}

static bool is_buffer(const Program *p, int i)
{
    return i < p->buffer_count;
}

static Buffer *buffer_of(const Program *p, int i)
{
    return is_buffer(p, i) ? &p->buffers[i] : NULL;
}

/* Steps of a plan are final, and nobody but these tests writes to them. */
static Step *breakable(const Program *p, int i)
{
    return (Step *)p->steps[i];
}

static void swap(Program *p, int i)
{
    const Step *step = p->steps[i];
    p->steps[i] = p->steps[i + 1];
    p->steps[i + 1] = step;
}

/* Runs and memory anew, as the plan gives them to the steps that there are. */
static bool lay_out(Plan *plan)
{
    plan_microbatch(plan);
    return true;
}

static void drop(Program *p, int i)
{
    memmove(&p->steps[i], &p->steps[i + 1], sizeof *p->steps * (size_t)(p->count - i - 1));
    p->count--;
    p->forward_count -= i < p->forward_count;
}

static const Packing *packing_of(const Program *p, int i)
{
    for (int k = 0; i < p->count && k < p->steps[i]->argument_count; k++)
        if (p->steps[i]->arguments[k].packing)
            return p->steps[i]->arguments[k].packing;
    return NULL;
}

/* ---- each breaks the program at step, buffer or ring i; false: there is nothing to break ---- */

static bool swap_dependent_steps(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_step(p, i + 1) || !depend(p->steps[i], p->steps[i + 1]))
        return false;
    swap(p, i);
    return true;
}

/* What reads a value without its repeated maker reads the first one's. */
static bool swap_and_lay_out(Plan *plan, Program *p, int i)
{
    return is_step(p, i + 1) && !p->steps[i]->recomputes && !p->steps[i + 1]->recomputes
           && swap_dependent_steps(plan, p, i) && lay_out(plan);
}

static bool drop_maker(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_step(p, i))
        return false;
    drop(p, i);
    return true;
}

static bool drop_maker_and_lay_out(Plan *plan, Program *p, int i)
{
    return is_step(p, i) && !p->steps[i]->recomputes && drop_maker(plan, p, i) && lay_out(plan);
}

static bool drop_repeat(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_step(p, i) || !p->steps[i]->recomputes)
        return false;
    drop(p, i);
    for (int k = 0; k < p->buffer_count; k++) {
        Buffer *b = &p->buffers[k];
        b->first -= b->first > i;
        b->last -= b->last > i;
        b->made -= b->made > i;
    }
    return true;
}

static bool repeat(Plan *plan, Program *p, int i, bool backward)
{
    if (!is_step(p, i) || p->result || backward != (i >= p->forward_count))
        return false;
    const Step **steps = calloc((size_t)p->count + 1,
                                sizeof *steps); /* as the plan itself, it stays till the end */
    assert_non_null(steps);
    memcpy(steps, p->steps, sizeof *steps * (size_t)p->count);
    steps[p->count++] = p->steps[i];
    p->steps = steps;
    return lay_out(plan);
}

/* A gradient is then there twice. */
static bool repeat_dw(Plan *plan, Program *p, int i)
{
    bool adds = false;
    for (int k = 0; is_step(p, i) && k < p->steps[i]->argument_count; k++) {
        const Argument *a = &p->steps[i]->arguments[k];
        adds = adds || (a->node && plan_is_gradient(a->node) && makes(p->steps[i], a->node));
    }
    return adds && repeat(plan, p, i, true);
}

static bool repeat_loss(Plan *plan, Program *p, int i)
{
    return i == p->forward_count - 1 && repeat(plan, p, i, false);
}

static bool leave_loss_to_backward(Plan *plan, Program *p, int i)
{
    if (i > 0 || p->result || p->count == 0)
        return false;
    p->forward_count--;
    return lay_out(plan);
}

static bool end_life_early(Plan *plan, Program *p, int i)
{
    (void)plan;
    Buffer *b = buffer_of(p, i);
    return b && b->node && b->last > b->first && touches(p->steps[b->last], b->node) && b->last--;
}

static bool begin_life_late(Plan *plan, Program *p, int i)
{
    (void)plan;
    Buffer *b = buffer_of(p, i);
    return b && b->node && b->last > b->first && b->first == b->made && ++b->first;
}

/* The first buffer that lives together with buffer i, or begins to while it lives. */
static Buffer *companion(const Program *p, int i, bool begins)
{
    const Buffer *b = &p->buffers[i];
    for (int k = 0; k < p->buffer_count; k++) {
        Buffer *other = &p->buffers[k];
        if (k != i && other->first <= b->last && b->first <= other->last
            && (!begins || (other->first > b->first && !other->sum)))
            return other;
    }
    return NULL;
}

static bool move_on_another(Plan *plan, Program *p, int i)
{
    (void)plan;
    Buffer *other = is_buffer(p, i) ? companion(p, i, false) : NULL;
    if (!other || other->offset + p->buffers[i].bytes > p->bytes)
        return false;
    p->buffers[i].offset = other->offset;
    return true;
}

/* As where its last readers were not seen: another takes its place, and both lives allow it. */
static bool give_place_away_early(Plan *plan, Program *p, int i)
{
    (void)plan;
    Buffer *b = buffer_of(p, i), *other = b && b->node ? companion(p, i, true) : NULL;
    if (!other || b->offset + other->bytes > p->bytes || b->copies > 1)
        return false;
    other->offset = b->offset;
    b->last = other->first - 1;
    return true;
}

static bool move_by_a_bit(Plan *plan, Program *p, int i)
{
    (void)plan;
    return is_buffer(p, i) && (p->buffers[i].offset += 4);
}

static bool make_smaller(Plan *plan, Program *p, int i)
{
    (void)plan;
    return is_buffer(p, i) && (p->buffers[i].bytes -= 1);
}

static bool cut_the_workspace(Plan *plan, Program *p, int i)
{
    (void)plan;
    return i == 0 && p->buffer_count > 0 && !p->rings && (p->bytes -= 64, true);
}

static bool drop_zeroing(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_buffer(p, i) || !p->buffers[i].sum)
        return false;
    p->buffers[i].sum = false;
    return true;
}

static bool share_a_sum(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_buffer(p, i) || !p->buffers[i].sum)
        return false;
    memmove(&p->buffers[i], &p->buffers[i + 1],
            sizeof *p->buffers * (size_t)(--p->buffer_count - i));
    return true;
}

static bool make_room_for_one(Plan *plan, Program *p, int i)
{
    if (!is_buffer(p, i) || plan->microbatch == 1 || p->buffers[i].copies == 1)
        return false;
    p->buffers[i].copies = 1;
    return true;
}

static bool join_runs(Plan *plan, Program *p, int i)
{
    if (!is_step(p, i + 1) || plan->microbatch == 1 || p->segment[i] == p->segment[i + 1])
        return false;
    for (int k = i + 1; k < p->count; k++)
        p->segment[k]--;
    return true;
}

static bool lose_an_argument(Plan *plan, Program *p, int i)
{
    (void)plan;
    Step *step = i < p->count ? breakable(p, i) : NULL;
    for (int k = 0; step && k < step->argument_count; k++) {
        const Argument *a = &step->arguments[k];
        if (strcmp(a->name, "pooled") == 0 || !(a->packing || (a->node && !makes(step, a->node))))
            continue;
        memmove(&step->arguments[k], &step->arguments[k + 1],
                sizeof *step->arguments * (size_t)(--step->argument_count - k));
        return true;
    }
    return false;
}

/* As where a gradient on the way is taken in that the text then never computes. */
static bool lose_a_part(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_step(p, i) || !(p->steps[i]->d_act || p->steps[i]->d_pool))
        return false;
    breakable(p, i)->d_act = breakable(p, i)->d_pool = NULL;
    return true;
}

static bool call_another(Plan *plan, Program *p, int i)
{
    if (i >= p->count || plan->function_count < 2)
        return false;
    int k = strcmp(plan->functions[0]->function, p->steps[i]->function) == 0;
    breakable(p, i)->function = plan->functions[k]->function;
    return true;
}

static bool overlap_packings(Plan *plan, Program *p, int i)
{
    if (p != &plan->train || i + 1 >= plan->packing_count
        || plan->packings[i]->training != plan->packings[i + 1]->training)
        return false;
    ((Packing *)plan->packings[i + 1])->offset = plan->packings[i]->offset;
    return true;
}

static bool forget_a_packing(Plan *plan, Program *p, int i)
{
    if (p != &plan->train || i >= plan->packing_count)
        return false;
    memmove(&plan->packings[i], &plan->packings[i + 1],
            sizeof *plan->packings * (size_t)(--plan->packing_count - i));
    return true;
}

static bool read_another_packing(Plan *plan, Program *p, int i)
{
    const Packing *packing = packing_of(p, i);
    Packing *copy = calloc(1, sizeof *copy);
    int k = 0;
    assert_non_null(copy);
    while (packing && k < plan->graph->parameter_count
           && plan->graph->parameters[k].node == packing->parameter)
        k++;
    if (!packing || k == plan->graph->parameter_count)
        return false;
    *copy = *packing;
    copy->parameter = plan->graph->parameters[k].node;
    for (k = 0; p->steps[i]->arguments[k].packing != packing; k++)
        ;
    breakable(p, i)->arguments[k].packing = copy;
    return true;
}

static bool make_no_packing_on_use(Plan *plan, Program *p, int i)
{
    (void)plan;
    if (!is_step(p, i) || !p->steps[i]->on_use)
        return false;
    breakable(p, i)->on_use = NULL;
    return true;
}

static bool make_packing_on_use_beyond_scratch(Plan *plan, Program *p, int i)
{
    (void)plan;
    return is_step(p, i) && p->steps[i]->on_use && ++breakable(p, i)->on_use_at;
}

static bool is_ring(const Program *p, int i)
{
    return p->rings && i <= p->count;
}

static bool keep_fewer_rows(Plan *plan, Program *p, int i)
{
    (void)plan;
    return is_ring(p, i) && (p->rings[i].depth--, true);
}

static bool overlap_rings(Plan *plan, Program *p, int i)
{
    (void)plan;
    return i > 0 && is_ring(p, i) && (p->rings[i].offset = p->rings[i - 1].offset, true);
}

static bool make_fewer_rows(Plan *plan, Program *p, int i)
{
    (void)plan;
    return p->rings && i < p->count
           && (breakable(p, i)->rows.count -= p->steps[i]->rows.pool, true);
}

static bool put_scratch_into_rings(Plan *plan, Program *p, int i)
{
    (void)plan;
    return i == 0 && p->rings && p->scratch && p->scratch--;
}

typedef struct Mutation {
    const char *name;
    bool (*apply)(Plan *plan, Program *p, int i);
} Mutation;

#define MUTATION(name) \
    {                  \
#name, name    \
    }
static const Mutation mutations[] = {
    MUTATION(swap_dependent_steps),
    MUTATION(swap_and_lay_out),
    MUTATION(drop_maker),
    MUTATION(drop_maker_and_lay_out),
    MUTATION(drop_repeat),
    MUTATION(repeat_dw),
    MUTATION(repeat_loss),
    MUTATION(leave_loss_to_backward),
    MUTATION(end_life_early),
    MUTATION(begin_life_late),
    MUTATION(move_on_another),
    MUTATION(give_place_away_early),
    MUTATION(move_by_a_bit),
    MUTATION(make_smaller),
    MUTATION(cut_the_workspace),
    MUTATION(drop_zeroing),
    MUTATION(share_a_sum),
    MUTATION(make_room_for_one),
    MUTATION(join_runs),
    MUTATION(lose_an_argument),
    MUTATION(lose_a_part),
    MUTATION(call_another),
    MUTATION(overlap_packings),
    MUTATION(forget_a_packing),
    MUTATION(read_another_packing),
    MUTATION(make_no_packing_on_use),
    MUTATION(make_packing_on_use_beyond_scratch),
    MUTATION(keep_fewer_rows),
    MUTATION(overlap_rings),
    MUTATION(make_fewer_rows),
    MUTATION(put_scratch_into_rings),
};
enum { MUTATIONS = sizeof mutations / sizeof *mutations };

#endif
