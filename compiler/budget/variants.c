#include "variants.h"

#include "../base/arena.h"
#include "../base/table.h"
#include "../program/assemble.h"
#include "../program/functions.h"

/* ---- steps ---- */

const DraftStep *draft_step(const Step *step)
{
    return (const DraftStep *)step;
}

int variants_place(const Variants *d, const Packing *packing)
{
    const DraftPacking *p = d->packings[packing->parameter->id];
    while (p->packing != packing)
        p = p->next;
    return p->place;
}

/* The one of equal packings that stands for all: packings that steps share are counted once. */
static const Packing *shared_packing(Variants *d, const Packing *packing)
{
    DraftPacking **end = &d->packings[packing->parameter->id];
    for (; *end; end = &(*end)->next)
        if (plan_same_packing((*end)->packing, packing))
            return (*end)->packing;
    *end = ARENA_NEW(DraftPacking);
    **end = (DraftPacking){ .packing = packing, .place = d->packing_count++ };
    return packing;
}

/* The step with its turned packing made on use. */
static const Step *step_on_use(const Settings *settings, const Step *step, const Packing *packing)
{
    Step *changed = ARENA_NEW(Step);
    *changed = *step;
    changed->on_use = packing;
    changed->on_use_at = plan_on_use_place(settings, step);
    changed->scratch = changed->on_use_at + packing->count;
    return changed;
}

static const Step *share_step(Variants *d, const Program *program, const Step *step)
{
    DraftStep *shared = ARENA_NEW(DraftStep);
    const bool training = !program->result;
    shared->step = *step;
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].packing)
            shared->step.arguments[i].packing = shared_packing(d, step->arguments[i].packing);
    const Packing *turned = training ? saving_turned_packing(&shared->step) : NULL;
    if (turned)
        shared->packed_on_use = step_on_use(&d->base->settings, &shared->step, turned);
    if (training && !step->core->backward)
        shared->recomputed = saving_recomputed(&shared->step);
    return &shared->step;
}

static const Step **by_core(const Graph *graph, const Program *program)
{
    const Step **steps = ARENA_ARRAY(const Step *, graph->count);
    for (int i = 0; i < program->count; i++)
        steps[program->steps[i]->core->id] = program->steps[i];
    return steps;
}

static int name_at(const Variants *d, const Step *step)
{
    return d->name_of[step->core->id];
}

/* Whether training is there to compute it. */
static bool is_root(const Program *program, const Node *node)
{
    return node->stage == program->stage && (plan_is_gradient(node) || node_is_loss(node));
}

static void number_names(Variants *d, const Graph *graph)
{
    Table names = { 0 };
    d->name_of = ARENA_ARRAY(int, graph->count);
    for (int i = 0; i < graph->count; i++) {
        const Fusion *fusion = graph->fusion_of[i];
        if (!fusion)
            continue;
        if (table_find(&names, fusion->name) < 0)
            table_add(&names, fusion->name, (int)names.count);
        d->name_of[i] = table_find(&names, fusion->name);
    }
    d->name_count = (int)names.count;
    d->variants = ARENA_ARRAY(Variant *, d->name_count + 1);
    d->nodes_of = ARENA_ARRAY(NodeList, d->name_count + 1);
    for (int i = 0; i < graph->count; i++) {
        NodeList *list = &d->nodes_of[d->name_of[i]];
        if (!graph->fusion_of[i])
            continue;
        list->node = arena_more(list->node, list->count, sizeof *list->node);
        list->node[list->count++] = graph->nodes[i];
    }
}

/* What the steps of the program read of fusions with other names, and what the caller gets. */
static bool *read_by_others(const Variants *d, const Program *program)
{
    const Graph *graph = d->base->graph;
    bool *read = ARENA_ARRAY(bool, graph->count);
    for (int i = 0; i < program->count; i++) {
        const Step *step = program->steps[i];
        for (int k = 0; k < step->argument_count; k++) {
            const Node *node = step->arguments[k].node;
            if (node && !step_covers(step, node) && d->name_of[node->id] != name_at(d, step))
                read[node->id] = true;
        }
    }
    for (int i = 0; i < graph->count; i++)
        read[i] = read[i] || graph->nodes[i] == program->result
                  || (!program->result && is_root(program, graph->nodes[i]));
    return read;
}

Variants *variants_open(const Plan *plain)
{
    Variants *d = ARENA_NEW(Variants);
    const Graph *graph = plain->graph;
    d->base = plan_open(graph, plain->settings, plain->forces, plain->force_count, plain->tuning);
    plan_choose_steps(d->base);
    d->packings = ARENA_ARRAY(DraftPacking *, graph->count);
    d->program_count = plan_programs(d->base, &d->programs);
    d->steps = ARENA_ARRAY(const Step **, d->program_count);
    d->read_by_others = ARENA_ARRAY(bool *, d->program_count);
    d->walk = (StepWalk){ ARENA_ARRAY(bool, graph->count), ARENA_ARRAY(bool, graph->count),
                          ARENA_ARRAY(const Step *, graph->count) };
    number_names(d, graph);
    for (int p = 0; p < d->program_count; p++) {
        Program *program = d->programs[p];
        d->read_by_others[p] = read_by_others(d, program);
        for (int i = 0; i < program->count; i++)
            program->steps[i] = share_step(d, program, program->steps[i]);
        d->steps[p] = by_core(graph, program);
    }
    return d;
}

/* ---- variants ---- */

static bool same_steps(const Variants *d, const Variant *a, const Variant *b)
{
    for (int p = 0; p < d->program_count; p++) {
        bool same = a->count[p] == b->count[p];
        for (int i = 0; same && i < a->count[p]; i++)
            same = plan_same_step(a->steps[p][i], b->steps[p][i]);
        if (!same)
            return false;
    }
    return true;
}

/* Forgets what the walk learnt from the step. */
static void forget(StepWalk *walk, const Step *step)
{
    walk->at[step->core->id] = NULL;
    for (int i = 0; i < step->argument_count; i++) {
        const Node *node = step->arguments[i].node;
        if (!node)
            continue;
        walk->needed[node->id] = false;
        walk->computed[node->id] = false;
    }
}

/* Of one program the steps of the fusions with that name. All others stay as they are, so what they
   read is known. */
static void plan_fusion(Variants *d, const Plan *plan, int p, int name, Variant *v)
{
    const Program *program = d->programs[p];
    StepWalk *walk = &d->walk;
    for (int i = 0; i < d->nodes_of[name].count; i++)
        walk->needed[d->nodes_of[name].node[i]->id] =
            d->read_by_others[p][d->nodes_of[name].node[i]->id];
    for (int i = d->nodes_of[name].count - 1; i >= 0; i--)
        plan_step_at(plan, program, d->nodes_of[name].node[i], walk);
    for (int i = 0; i < d->nodes_of[name].count; i++) {
        const Step *step = walk->at[d->nodes_of[name].node[i]->id];
        if (step) {
            v->steps[p] = arena_more(v->steps[p], v->count[p], sizeof *v->steps[p]);
            v->steps[p][v->count[p]++] = share_step(d, program, step);
        }
    }
    for (int i = 0; i < v->count[p]; i++)
        forget(walk, v->steps[p][i]);
    for (int i = 0; i < d->nodes_of[name].count; i++)
        walk->needed[d->nodes_of[name].node[i]->id] =
            walk->computed[d->nodes_of[name].node[i]->id] = false;
}

static void plan_variant(Variants *d, Variant *v, int name)
{
    const char *fusion = d->base->graph->fusion_of[d->nodes_of[name].node[0]->id]->name;
    const MemorySaving savings[2] = {
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->forward },
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->backward, .backward = true }
    };
    Plan plan = *d->base;
    savings_force(&plan, savings + (v->forward ? 0 : 1),
                  (v->forward ? 1 : 0) + (v->backward ? 1 : 0));
    for (int p = 0; p < d->program_count; p++)
        if (!d->programs[p]->rings)
            plan_fusion(d, &plan, p, name, v);
}

const Variant *variant_find(Variants *d, int name, const Kernel *forward, const Kernel *backward)
{
    for (Variant *v = d->variants[name]; v; v = v->next)
        if (v->forward == forward && v->backward == backward)
            return v->same;
    Variant *v = ARENA_NEW(Variant);
    *v = (Variant){ .forward = forward,
                    .backward = backward,
                    .steps = ARENA_ARRAY(const Step **, d->program_count),
                    .count = ARENA_ARRAY(int, d->program_count),
                    .same = v,
                    .next = d->variants[name] };
    plan_variant(d, v, name);
    for (const Variant *other = d->variants[name]; other && v->same == v; other = other->next)
        if (same_steps(d, other, v))
            v->same = other->same;
    d->variants[name] = v;
    return v->same;
}
