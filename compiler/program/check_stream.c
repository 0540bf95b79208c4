/* check_stream.c - the rings of a stream. */
#include "check_stream.h"

#include "../base/arena.h"

enum { ALIGNMENT = 64, SLACK = 64 };

static bool writes(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return step_writes(step, node);
    return false;
}

static bool reads(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return !step_writes(step, node);
    return false;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* The rows of ring i that anybody wants: all of the latent and the output, else what the next step
   reads. */
static int rows_wanted(const Program *p, int i)
{
    const Rows *r = i < p->count ? &p->steps[i]->rows : NULL;
    if (!r || i == p->latent_ring)
        return p->rings[i].rows;
    const int read = rows_to(r, r->count - 1) + 1;
    return read < 0 ? 0 : smaller(read, p->rings[i].rows);
}

static size_t end_of(const Ring *ring)
{
    return ring->offset + (size_t)ring->depth * (size_t)ring->room;
}

/* Where ring i stands between the steps beside it. */
static const char *fault_beside(const Plan *plan, const Program *p, int i)
{
    const Ring *ring = &p->rings[i];
    const Step *maker = i > 0 ? p->steps[i - 1] : NULL, *reader = i < p->count ? p->steps[i] : NULL;
    if (maker ? !writes(maker, ring->node) : ring->node != plan->graph->input)
        return "the step before it does not write to it";
    if (reader ? !reads(reader, ring->node) : ring->node != p->result)
        return "the step after it does not read it";
    if (maker && maker->rows.count / maker->rows.pool < rows_wanted(p, i))
        return "the step before it makes fewer rows than are wanted";
    if (reader
        && (ring->depth < rows_depth(&reader->rows)
            || ring->left != reader->rows.left * ring->node->shape.dim[2]
            || ring->room < reader->rows.room))
        return "it does not hold the rows as the step after it wants them";
    return NULL;
}

static const char *fault_in_ring(const Plan *plan, const Program *p, int i)
{
    const Ring *ring = &p->rings[i];
    const size_t bytes = (size_t)settings_real_bytes(&plan->settings);
    const int *dim = ring->node->shape.dim;
    const size_t before = i ? end_of(&p->rings[i - 1]) : 0;
    if (ring->offset < before || ring->offset * bytes % ALIGNMENT
        || (size_t)ring->room * bytes % ALIGNMENT)
        return "it overlaps the one before it, or is not aligned";
    if (ring->rows != dim[0] || ring->depth < 1 || ring->room < ring->left + dim[1] * dim[2])
        return "a row has no room in it";
    return fault_beside(plan, p, i);
}

/* Scratch memory lies after all rings, and there is a vector more. */
static const char *fault_in_end(const Plan *plan, const Program *p)
{
    const size_t rings = end_of(&p->rings[p->count]);
    size_t most = 0;
    for (int i = 0; i < p->count; i++)
        most = p->steps[i]->scratch > most ? p->steps[i]->scratch : most;
    if (most && p->scratch < rings)
        return "scratch memory lies in the rings";
    const size_t reals = most ? p->scratch + most : rings;
    return p->bytes < reals * (size_t)settings_real_bytes(&plan->settings) + SLACK
               ? "its memory is too small"
               : NULL;
}

const char *plan_fault_in_stream(const Plan *plan)
{
    const Program *p = &plan->stream;
    const char *fault = fault_in_end(plan, p);
    if (p->rings[p->latent_ring].node != node_storage(plan->graph->latent))
        fault = "the ring of the latent holds another value";
    for (int i = 0; i <= p->count && !fault; i++) {
        fault = fault_in_ring(plan, p, i);
        fault = fault ? arena_format("ring %d, of %s: %s", i, p->rings[i].node->name, fault) : NULL;
    }
    return fault ? arena_format("program %s: %s", p->name, fault) : NULL;
}
