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

/* The one of equal packings that stands for all: packings that steps share are counted once. */
static const DraftPacking *shared_packing(Variants *all, const Packing *packing)
{
    DraftPacking **end = &all->packings[packing->parameter->id];
    for (; *end; end = &(*end)->next)
        if (plan_same_packing((*end)->packing, packing))
            return *end;
    *end = ARENA_NEW(DraftPacking);
    **end = (DraftPacking){ .packing = packing, .place = all->packing_count++ };
    return *end;
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

static const Step *share_step(Variants *all, const Program *program, const Step *step)
{
    DraftStep *shared = ARENA_NEW(DraftStep);
    const bool training = !program->result;
    shared->step = *step;
    for (int i = 0; i < step->argument_count; i++) {
        if (!step->arguments[i].packing)
            continue;
        const DraftPacking *packing = shared_packing(all, step->arguments[i].packing);
        shared->step.arguments[i].packing = packing->packing;
        shared->place[i] = packing->place;
    }
    const Packing *turned = training ? saving_turned_packing(&shared->step) : NULL;
    if (turned)
        shared->packed_on_use = step_on_use(&all->base->settings, &shared->step, turned);
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

static int name_at(const Variants *all, const Step *step)
{
    return all->name_of[step->core->id];
}

/* Whether training is there to compute it. */
static bool is_root(const Program *program, const Node *node)
{
    return node->stage == program->stage && (plan_is_gradient(node) || node_is_loss(node));
}

static void number_names(Variants *all, const Graph *graph)
{
    Table names = { 0 };
    all->name_of = ARENA_ARRAY(int, graph->count);
    for (int i = 0; i < graph->count; i++) {
        const Fusion *fusion = graph->fusion_of[i];
        if (!fusion)
            continue;
        if (table_find(&names, fusion->name) < 0)
            table_add(&names, fusion->name, (int)names.count);
        all->name_of[i] = table_find(&names, fusion->name);
    }
    all->name_count = (int)names.count;
    all->variants = ARENA_ARRAY(Variant *, all->name_count + 1);
    all->nodes_of = ARENA_ARRAY(NodeList, all->name_count + 1);
    for (int i = 0; i < graph->count; i++) {
        NodeList *list = &all->nodes_of[all->name_of[i]];
        if (!graph->fusion_of[i])
            continue;
        list->node = arena_more(list->node, list->count, sizeof *list->node);
        list->node[list->count++] = graph->nodes[i];
    }
}

/* What the steps of the program read of fusions with other names, and what the caller gets. */
static bool *read_by_others(const Variants *all, const Program *program)
{
    const Graph *graph = all->base->graph;
    bool *read = ARENA_ARRAY(bool, graph->count);
    for (int i = 0; i < program->count; i++) {
        const Step *step = program->steps[i];
        for (int k = 0; k < step->argument_count; k++) {
            const Node *node = step->arguments[k].node;
            if (node && !step_covers(step, node) && all->name_of[node->id] != name_at(all, step))
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
    Variants *all = ARENA_NEW(Variants);
    const Graph *graph = plain->graph;
    all->base = plan_open(graph, plain->settings, plain->forces, plain->force_count, plain->tuning);
    plan_choose_steps(all->base);
    all->packings = ARENA_ARRAY(DraftPacking *, graph->count);
    all->program_count = plan_programs(all->base, &all->programs);
    all->steps = ARENA_ARRAY(const Step **, all->program_count);
    all->read_by_others = ARENA_ARRAY(bool *, all->program_count);
    all->walk = (StepWalk){ ARENA_ARRAY(bool, graph->count), ARENA_ARRAY(bool, graph->count),
                            ARENA_ARRAY(const Step *, graph->count) };
    number_names(all, graph);
    for (int p = 0; p < all->program_count; p++) {
        Program *program = all->programs[p];
        all->read_by_others[p] = read_by_others(all, program);
        for (int i = 0; i < program->count; i++)
            program->steps[i] = share_step(all, program, program->steps[i]);
        all->steps[p] = by_core(graph, program);
    }
    return all;
}

/* ---- variants ---- */

static bool same_steps(const Variants *all, const Variant *a, const Variant *b)
{
    for (int p = 0; p < all->program_count; p++) {
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
static void plan_fusion(Variants *all, const Plan *plan, int p, int name, Variant *v)
{
    const Program *program = all->programs[p];
    StepWalk *walk = &all->walk;
    for (int i = 0; i < all->nodes_of[name].count; i++)
        walk->needed[all->nodes_of[name].node[i]->id] =
            all->read_by_others[p][all->nodes_of[name].node[i]->id];
    for (int i = all->nodes_of[name].count - 1; i >= 0; i--)
        plan_step_at(plan, program, all->nodes_of[name].node[i], walk);
    for (int i = 0; i < all->nodes_of[name].count; i++) {
        const Step *step = walk->at[all->nodes_of[name].node[i]->id];
        if (step) {
            v->steps[p] = arena_more(v->steps[p], v->count[p], sizeof *v->steps[p]);
            v->steps[p][v->count[p]++] = share_step(all, program, step);
        }
    }
    for (int i = 0; i < v->count[p]; i++)
        forget(walk, v->steps[p][i]);
    for (int i = 0; i < all->nodes_of[name].count; i++)
        walk->needed[all->nodes_of[name].node[i]->id] =
            walk->computed[all->nodes_of[name].node[i]->id] = false;
}

static void plan_variant(Variants *all, Variant *v, int name)
{
    const char *fusion = all->base->graph->fusion_of[all->nodes_of[name].node[0]->id]->name;
    const MemorySaving savings[2] = {
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->forward },
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->backward, .backward = true }
    };
    Plan plan = *all->base;
    savings_force(&plan, savings + (v->forward ? 0 : 1),
                  (v->forward ? 1 : 0) + (v->backward ? 1 : 0));
    for (int p = 0; p < all->program_count; p++)
        if (!all->programs[p]->rings)
            plan_fusion(all, &plan, p, name, v);
}

const Variant *variant_find(Variants *all, int name, const Kernel *forward, const Kernel *backward)
{
    for (Variant *v = all->variants[name]; v; v = v->next)
        if (v->forward == forward && v->backward == backward)
            return v->same;
    Variant *v = ARENA_NEW(Variant);
    *v = (Variant){ .forward = forward,
                    .backward = backward,
                    .steps = ARENA_ARRAY(const Step **, all->program_count),
                    .count = ARENA_ARRAY(int, all->program_count),
                    .same = v,
                    .next = all->variants[name] };
    plan_variant(all, v, name);
    for (const Variant *other = all->variants[name]; other && v->same == v; other = other->next)
        if (same_steps(all, other, v))
            v->same = other->same;
    all->variants[name] = v;
    return v->same;
}
