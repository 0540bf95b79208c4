#include "candidates.h"

#include "../base/arena.h"

#include <stdlib.h>
#include <string.h>

/* a kernel that is so many times slower than the one in use takes its place nowhere */
static const double slower_most = 10;

static void add_saving(Candidates *c, MemorySaving saving)
{
    if (c->count == c->room) {
        c->candidate = arena_more(c->candidate, c->room, sizeof *c->candidate);
        c->room = c->room ? 2 * c->room : 1;
    }
    c->candidate[c->count++] = (Candidate){ .saving = saving };
}

static bool is_forced(const Candidates *c, const char *fusion)
{
    for (int i = 0; i < c->plain->force_count; i++)
        if (strcmp(c->plain->forces[i].fusion, fusion) == 0)
            return true;
    return false;
}

/* Whether the kernel can compute the direction and is not much slower than the one in use; a
   direction that the fusion lacks is no hindrance. */
static bool is_fitting(const Candidates *c, const Fusion *fusion, const Node *core,
                       const char *direction, const Kernel *kernel)
{
    Step step = { .fusion = fusion, .core = core, .direction = direction, .kernel = kernel };
    if (!core)
        return true;
    if (kernel->rows || !kernel_computes(kernel, core)
        || (kernel->fits && !kernel->fits(&step, &c->plain->settings)))
        return false;
    const Kernel *now = c->kernel_of[core->id];
    return !now
           || kernel->cost(&step, &c->plain->settings)
                  <= slower_most * now->cost(&step, &c->plain->settings);
}

static void find_kernels(Candidates *c, const Fusion *fusion)
{
    if (!node_heads_fusion(fusion->core) || fusion->core->infer || fusion->core->stage
        || is_forced(c, fusion->name))
        return;
    for (int i = 0; all_kernels[i]; i++) {
        MemorySaving saving = { .kind = SAVING_KERNEL,
                                .fusion = fusion->name,
                                .core = fusion->core,
                                .kernel = all_kernels[i] };
        if (is_fitting(c, fusion, fusion->core, "forward", all_kernels[i]))
            add_saving(c, saving);
        saving.backward = true;
        if (fusion->dw && is_fitting(c, fusion, fusion->dw, "dW", all_kernels[i])
            && is_fitting(c, fusion, fusion->dx, "dX", all_kernels[i]))
            add_saving(c, saving);
    }
}

static bool reads(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return !step_writes(step, node);
    return false;
}

/* The last step of the forward half is left out. */
static void find_makers(Candidates *c, const Program *program)
{
    memset(c->maker, 0, sizeof *c->maker * (size_t)c->plain->graph->count);
    for (int from = program->forward_count - 2; from >= 0; from--)
        for (int i = 0; i < program->steps[from]->argument_count && !program->steps[from]->sums;
             i++) {
            const Node *node = program->steps[from]->arguments[i].node;
            if (node && step_writes(program->steps[from], node))
                c->maker[node->id] = from + 1;
        }
}

static void add_repeat(Candidates *c, const Step *maker, const Step *reader)
{
    const MemorySaving *last = c->count ? &c->candidate[c->count - 1].saving : NULL;
    if (!last || last->core != maker->core || last->reader != reader->core)
        add_saving(c, (MemorySaving){
                          .kind = SAVING_RECOMPUTE, .core = maker->core, .reader = reader->core });
}

static int by_places(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    return x->saving.core != y->saving.core ? x->saving.core->id - y->saving.core->id
                                            : x->place - y->place;
}

/* What is made in the forward half and read by a step after it, and no step next to that one has it
   at hand. */
static void find_repeats(Candidates *c, const Program *program)
{
    const int first = c->count;
    find_makers(c, program);
    for (int to = program->forward_count; to < program->count; to++) {
        const Step *reader = program->steps[to];
        for (int i = 0; i < reader->argument_count && !reader->recomputes; i++) {
            const Node *node = reader->arguments[i].node;
            if (!node || !c->maker[node->id] || !reads(reader, node)
                || reads(program->steps[to - 1], node))
                continue;
            add_repeat(c, program->steps[c->maker[node->id] - 1], reader);
            c->candidate[c->count - 1].place = to;
        }
    }
    if (c->count > first)
        qsort(&c->candidate[first], (size_t)(c->count - first), sizeof *c->candidate, by_places);
}

static void find_on_use(Candidates *c, const Program *train)
{
    for (int i = train->forward_count; i < train->count; i++) {
        const Packing *packing = train->steps[i]->on_use ? NULL
                                                         : saving_turned_packing(train->steps[i]);
        if (packing)
            add_saving(c, (MemorySaving){ .kind = SAVING_ON_USE, .parameter = packing->parameter });
    }
}

Candidates *candidates_open(const Plan *plain)
{
    Candidates *c = ARENA_NEW(Candidates);
    const int nodes = plain->graph->count;
    *c = (Candidates){ .plain = plain,
                       .kernel_of = ARENA_ARRAY(const Kernel *, nodes),
                       .maker = ARENA_ARRAY(int, nodes) };
    return c;
}

void candidates_find(Candidates *c, const Plan *plan)
{
    c->count = 0;
    memset(c->kernel_of, 0, sizeof *c->kernel_of * (size_t)c->plain->graph->count);
    for (int i = plan->train.count - 1; i >= 0; i--)
        c->kernel_of[plan->train.steps[i]->core->id] = plan->train.steps[i]->kernel;
    if (plan->microbatch > 2)
        add_saving(c,
                   (MemorySaving){ .kind = SAVING_MICROBATCH, .microbatch = plan->microbatch / 2 });
    for (int i = 0; i < c->plain->graph->fusion_count; i++)
        find_kernels(c, c->plain->graph->fusions[i]);
    find_on_use(c, &plan->train);
    find_repeats(c, &plan->train);
    for (int i = 0; i < plan->stage_count; i++)
        find_repeats(c, &plan->stages[i]);
}
