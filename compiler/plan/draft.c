#include "draft.h"

#include "../base/arena.h"
#include "../base/table.h"

#include <stdint.h>
#include <string.h>

enum { MICROBATCHES = 8, ALIGNMENT = 64 }; /* powers of two that a microbatch may have */

/* The steps of one fusion by some kernels: of each program, in the order of their cores. */
typedef struct Variant {
    const Kernel *forward, *backward; /* NULL: as the plan without savings has it */
    Step ***steps;
    int *count;
    const struct Variant *same; /* an earlier one with the same steps, or itself */
    struct Variant *next;
} Variant;

typedef struct NodeList {
    Node **node;
    int count;
} NodeList;

struct Drafts {
    Plan *base; /* steps of all programs without a saving */
    Force *forces;
    int force_count;
    Program **programs;
    int program_count;
    Step ***steps;         /* of each program of the base, by core */
    bool **read_by_others; /* likewise, by node: whether a step of a fusion with another name reads
                              it, or it is a result */
    StepWalk walk;         /* nothing known, but while a variant is planned */
    int *name_of;          /* by node: which of the fusions' names its fusion has */
    int name_count;
    NodeList *nodes_of; /* by name */
    Variant **variants;
    const Variant **chosen; /* by name, while a draft is made: what its savings want; NULL: the
                               base's */
    Step **slots;           /* by core, empty but while steps are put in order */
    Packing **packings;     /* by parameter, all that any step reads */
    int packing_count;
    Plan *kept; /* the plan of the draft that draft_make made last */
    double work;
    size_t (*bytes)[MICROBATCHES]; /* of each program of the base; 0: not worked out yet */
};

/* ---- steps ---- */

/* The one of equal packings that stands for all: packings that steps share are counted once. */
static Packing *shared_packing(Drafts *d, Packing *packing)
{
    Packing **end = &d->packings[packing->parameter->id];
    for (; *end; end = &(*end)->next)
        if (plan_same_packing(*end, packing))
            return *end;
    packing->place = d->packing_count++;
    return *end = packing;
}

/* The step with its turned packing made on use. */
static Step *late_step(const Drafts *d, const Step *step, const Packing *packing)
{
    Step *on_use = ARENA_NEW(Step);
    *on_use = *step;
    on_use->on_use = packing;
    on_use->on_use_at = plan_late_place(&d->base->settings, step);
    on_use->scratch = on_use->on_use_at + packing->count;
    return on_use;
}

/* Makes the step one that drafts may share: nothing is left to add to it later. */
static void share_step(Drafts *d, const Program *program, Step *step)
{
    const bool training = !program->result;
    for (int i = 0; i < step->argument_count; i++) {
        Packing **packing = &step->arguments[i].packing;
        if (!*packing)
            continue;
        (*packing)->training = training && plan_packings_apart(d->base);
        *packing = shared_packing(d, *packing);
    }
    step->estimate = plan_step_cost(d->base, step);
    const Packing *turned = training ? plan_turned_packing(step) : NULL;
    if (turned)
        step->when_late = late_step(d, step, turned);
    if (training && !step->core->backward)
        plan_recomputed(step);
}

static Step **by_core(const Graph *graph, const Program *program)
{
    Step **steps = ARENA_ARRAY(Step *, graph->count);
    for (int i = 0; i < program->count; i++)
        steps[program->steps[i]->core->id] = program->steps[i];
    return steps;
}

static int name_at(const Drafts *d, const Step *step)
{
    return d->name_of[step->core->id];
}

/* Whether training is there to compute it. */
static bool is_root(const Program *program, const Node *node)
{
    return node->stage == program->stage && (plan_is_gradient(node) || node_is_loss(node));
}

/* Fusions with one name, copies of a layer, change their kernels together. */
static void number_names(Drafts *d, const Graph *graph)
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
    d->chosen = ARENA_ARRAY(const Variant *, d->name_count + 1);
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
static bool *read_by_others(const Drafts *d, const Program *program)
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

Drafts *drafts_open(const Graph *graph, Settings settings, const Force *forces, int force_count,
                    const Tuning *tuning)
{
    Drafts *d = ARENA_NEW(Drafts);
    d->base = plan_open(graph, settings, forces, force_count, tuning, NULL, 0);
    d->forces = d->base->forces;
    d->force_count = force_count;
    d->packings = ARENA_ARRAY(Packing *, graph->count);
    d->program_count = plan_programs(d->base, &d->programs);
    d->bytes = arena_alloc(sizeof *d->bytes * (size_t)d->program_count);
    d->slots = ARENA_ARRAY(Step *, graph->count);
    d->steps = ARENA_ARRAY(Step **, d->program_count);
    d->read_by_others = ARENA_ARRAY(bool *, d->program_count);
    d->walk = (StepWalk){ ARENA_ARRAY(bool, graph->count), ARENA_ARRAY(bool, graph->count),
                          ARENA_ARRAY(Step *, graph->count) };
    number_names(d, graph);
    for (int p = 0; p < d->program_count; p++) {
        Program *program = d->programs[p];
        plan_program(d->base, program);
        d->steps[p] = by_core(graph, program);
        d->read_by_others[p] = read_by_others(d, program);
        for (int i = 0; i < program->count; i++)
            share_step(d, program, program->steps[i]);
    }
    return d;
}

/* ---- variants ---- */

static bool same_steps(const Drafts *d, const Variant *a, const Variant *b)
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
static void plan_fusion(Drafts *d, const Plan *plan, int p, int name, Variant *v)
{
    const Program *program = d->programs[p];
    StepWalk *walk = &d->walk;
    for (int i = 0; i < d->nodes_of[name].count; i++)
        walk->needed[d->nodes_of[name].node[i]->id] =
            d->read_by_others[p][d->nodes_of[name].node[i]->id];
    for (int i = d->nodes_of[name].count - 1; i >= 0; i--)
        plan_step_at(plan, program, d->nodes_of[name].node[i], walk);
    for (int i = 0; i < d->nodes_of[name].count; i++) {
        Step *step = walk->at[d->nodes_of[name].node[i]->id];
        if (step) {
            v->steps[p] = arena_more(v->steps[p], v->count[p], sizeof *v->steps[p]);
            v->steps[p][v->count[p]++] = step;
            share_step(d, program, step);
        }
    }
    for (int i = 0; i < v->count[p]; i++)
        forget(walk, v->steps[p][i]);
    for (int i = 0; i < d->nodes_of[name].count; i++)
        walk->needed[d->nodes_of[name].node[i]->id] =
            walk->computed[d->nodes_of[name].node[i]->id] = false;
}

static void plan_variant(Drafts *d, Variant *v, int name, const char *fusion)
{
    const MemorySaving savings[2] = {
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->forward },
        { .kind = SAVING_KERNEL, .fusion = fusion, .kernel = v->backward, .backward = true }
    };
    Plan plan = *d->base;
    plan.savings = savings + (v->forward ? 0 : 1);
    plan.saving_count = (v->forward ? 1 : 0) + (v->backward ? 1 : 0);
    plan_set_forces(&plan, d->forces, d->force_count);
    for (int p = 0; p < d->program_count; p++)
        if (!d->programs[p]->rings)
            plan_fusion(d, &plan, p, name, v);
}

static const Variant *find_variant(Drafts *d, int name, const char *fusion, const Kernel *forward,
                                   const Kernel *backward)
{
    for (Variant *v = d->variants[name]; v; v = v->next)
        if (v->forward == forward && v->backward == backward)
            return v->same;
    Variant *v = ARENA_NEW(Variant);
    *v = (Variant){ .forward = forward,
                    .backward = backward,
                    .steps = ARENA_ARRAY(Step **, d->program_count),
                    .count = ARENA_ARRAY(int, d->program_count),
                    .same = v,
                    .next = d->variants[name] };
    plan_variant(d, v, name, fusion);
    for (const Variant *other = d->variants[name]; other && v->same == v; other = other->next)
        if (same_steps(d, other, v))
            v->same = other->same;
    d->variants[name] = v;
    return v->same;
}

/* ---- drafts ---- */

/* Sets d->chosen for the savings; what is not known yet is planned here, so that it stays. */
static void choose_variants(Drafts *d, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++) {
        const MemorySaving *c = &savings[i];
        if (c->kind != SAVING_KERNEL)
            continue;
        const int name = d->name_of[c->core->id];
        const Variant *now = d->chosen[name];
        const Kernel *forward = now ? now->forward : NULL, *backward = now ? now->backward : NULL;
        d->chosen[name] = find_variant(d, name, c->fusion, c->backward ? forward : c->kernel,
                                       c->backward ? c->kernel : backward);
    }
}

static void forget_variants(Drafts *d, const MemorySaving *savings, int count)
{
    for (int i = 0; i < count; i++)
        if (savings[i].kind == SAVING_KERNEL)
            d->chosen[d->name_of[savings[i].core->id]] = NULL;
}

/* Puts the steps of the chosen variants at their places in d->slots; returns how many there are, or
   more. */
static int fill_slots(Drafts *d, int p, const MemorySaving *savings, int count)
{
    int all = 0;
    for (int i = 0; i < count; i++) {
        const Variant *v = savings[i].kind == SAVING_KERNEL
                               ? d->chosen[d->name_of[savings[i].core->id]]
                               : NULL;
        for (int k = 0; v && k < v->count[p]; k++)
            d->slots[v->steps[p][k]->core->id] = v->steps[p][k];
        all += v ? v->count[p] : 0;
    }
    return all;
}

/* The steps of the program, before any saving but that of kernels; false where no kernel has
   changed. */
static bool set_steps(Drafts *d, Program *program, int p, const MemorySaving *savings, int count)
{
    const Graph *graph = d->base->graph;
    const int more = fill_slots(d, p, savings, count);
    if (!more && program->result)
        return false; /* the base's own list */
    program->steps = ARENA_ARRAY(Step *, d->programs[p]->count + more + 1);
    if (!more) {
        memcpy(program->steps, d->programs[p]->steps,
               sizeof *program->steps * (size_t)program->count);
        return false;
    }
    d->work += graph->count / 4.0;
    program->count = 0;
    for (int i = 0; i < graph->count; i++) {
        Step *step = d->slots[i] ? d->slots[i] : d->chosen[d->name_of[i]] ? NULL : d->steps[p][i];
        d->slots[i] = NULL;
        if (!step)
            continue;
        program->steps[program->count++] = step;
        if (node_is_loss(step->core))
            program->forward_count = program->count;
    }
    return true;
}

/* Whether the blocks from which a packing made on use is turned are read by a step that was
   seen. */
static bool has_source(const Drafts *d, const bool *seen, const Packing *on_use)
{
    for (const Packing *f = d->packings[on_use->parameter->id]; f; f = f->next)
        if (seen[f->place] && f->training == on_use->training && !f->rotated
            && f->kind == on_use->kind)
            return true;
    return false;
}

/* Counts the packings of the program's steps that were not seen before, and takes the on_use steps
   in the place of those whose turned packing is to be made on use. */
static void count_packings(const Drafts *d, Plan *plan, Program *program, const bool *on_use,
                           bool *seen)
{
    for (int i = 0; i < program->count; i++) {
        Step *step = program->steps[i];
        const Packing *turned = NULL;
        if (on_use && step->when_late && !step->recomputes && i >= program->forward_count
            && on_use[step->when_late->on_use->parameter->id]
            && has_source(d, seen, step->when_late->on_use))
            turned = step->when_late->on_use;
        for (int k = 0; k < step->argument_count; k++) {
            const Packing *packing = step->arguments[k].packing;
            if (!packing || packing == turned || seen[packing->place])
                continue;
            seen[packing->place] = true;
            *(packing->training
                  ? &plan->training_reals
                  : &plan->prepared_reals) += plan_packing_room(&plan->settings, packing);
        }
        if (turned)
            program->steps[i] = step->when_late;
    }
}

/* The same programs in memory of the draft's own. */
static Plan *copy_base(const Drafts *d, const MemorySaving *savings, int count)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = *d->base;
    plan->savings = savings;
    plan->saving_count = count;
    plan->stages = ARENA_ARRAY(Program, plan->stage_count + 1);
    plan->previews = ARENA_ARRAY(Program, plan->stage_count + 1);
    for (int i = 0; i < plan->stage_count; i++) {
        plan->stages[i] = d->base->stages[i];
        plan->previews[i] = d->base->previews[i];
    }
    for (int i = 0; i < count; i++)
        plan->accumulates_in_place = plan->accumulates_in_place
                                     || savings[i].kind == SAVING_IN_PLACE;
    return plan;
}

/* All but the memory; changed[p]: program p is not that of the base. */
static Plan *draft_steps(Drafts *d, const MemorySaving *savings, int count, bool *changed)
{
    Plan *plan = copy_base(d, savings, count);
    const bool *on_use = plan_late_parameters(plan);
    bool *seen = ARENA_ARRAY(bool, d->packing_count + 1);
    Program **programs;
    plan_programs(plan, &programs);
    for (int p = 0; p < d->program_count; p++) {
        if (programs[p]->rings)
            continue;
        const bool kernels = set_steps(d, programs[p], p, savings, count),
                   training = !programs[p]->result;
        d->work += programs[p]->count;
        changed[p] = kernels || (training && count > 0);
        if (training)
            plan_saving_order(plan, programs[p]);
        count_packings(d, plan, programs[p], training ? on_use : NULL, seen);
    }
    return plan;
}

/* ---- memory ---- */

/* How little and how much the memory of the programs can come to, whatever offsets the buffers get;
   where the program is the base's, its bytes are known. */
typedef struct Range {
    size_t least, most;
} Range;

static int log_of(int microbatch)
{
    int log = 0;
    while (microbatch >> (log + 1))
        log++;
    return log;
}

/* Buffers of all programs for the plan's microbatch, without offsets; what is known of the base is
   taken from there. */
static Range find_range(Drafts *d, const Plan *plan, Program **programs, const bool *changed)
{
    Range range = { 0, 0 };
    for (int p = 0; p < d->program_count; p++) {
        Program *program = programs[p];
        if (program->rings)
            continue;
        const size_t known = changed[p] ? 0 : d->bytes[p][log_of(plan->microbatch)];
        program->bytes = known;
        size_t most = known;
        if (!known) {
            plan_segments(program);
            plan_lives(plan, program);
            program->bytes = plan_least_bytes(program);
            for (int i = 0; i < program->buffer_count; i++)
                most += program->buffers[i].bytes + ALIGNMENT;
        }
        range.least = program->bytes > range.least ? program->bytes : range.least;
        range.most = most > range.most ? most : range.most;
    }
    return range;
}

/* In steps' time: each buffer is held against more others the more there are. */
static double work_of_offsets(int buffers)
{
    return buffers * (8 + buffers / 64.0);
}

static void set_offsets(Drafts *d, const Plan *plan, Program **programs, const bool *changed)
{
    for (int p = 0; p < d->program_count; p++) {
        if (programs[p]->rings || (!changed[p] && d->bytes[p][log_of(plan->microbatch)]))
            continue;
        plan_offsets(programs[p]);
        d->work += work_of_offsets(programs[p]->buffer_count);
        if (!changed[p])
            d->bytes[p][log_of(plan->microbatch)] = programs[p]->bytes;
    }
}

/* As plan_microbatch() does. Where training takes `bound` bytes whatever the offsets are, these are
   not sought; then false. */
static bool set_memory(Drafts *d, Plan *plan, const bool *changed, size_t bound)
{
    Program **programs;
    plan_programs(plan, &programs);
    for (plan->microbatch = plan_first_microbatch(plan);; plan->microbatch /= 2) {
        const Range range = find_range(d, plan, programs, changed);
        const bool last = plan->microbatch <= MIN_MICROBATCH || range.most <= MICROBATCH_BYTES;
        if (last && plan_training_bytes(plan, 1) >= bound)
            return false;
        if (!last && range.least > MICROBATCH_BYTES)
            continue;
        set_offsets(d, plan, programs, changed);
        size_t most = 0;
        for (int p = 0; p < d->program_count; p++)
            most = programs[p]->bytes > most ? programs[p]->bytes : most;
        if (last || most <= MICROBATCH_BYTES)
            return true;
    }
}

static Draft finish(Drafts *d, const MemorySaving *savings, int count, size_t bound)
{
    bool *changed = ARENA_ARRAY(bool, d->program_count);
    Plan *plan = draft_steps(d, savings, count, changed);
    const bool exact = set_memory(d, plan, changed, bound);
    return (Draft){ .plan = plan,
                    .bytes = plan_training_bytes(plan, 1),
                    .exact = exact,
                    .cost = plan_training_cost(plan) };
}

static void keep_steps(const Graph *graph, Program *kept, const Program *program)
{
    Step **steps = kept->steps ? kept->steps : ARENA_ARRAY(Step *, graph->count + DRAFT_SAVINGS);
    *kept = (Program){ .name = program->name,
                       .stage = program->stage,
                       .count = program->count,
                       .forward_count = program->forward_count,
                       .steps = steps };
    memcpy(steps, program->steps, sizeof *steps * (size_t)program->count);
}

/* A mark cannot be under what stays, so there is one plan that takes over what is looked at of a
   draft: the steps of training, and numbers. */
static Plan *kept_plan(Drafts *d)
{
    if (!d->kept) {
        d->kept = ARENA_NEW(Plan);
        *d->kept = *d->base;
        d->kept->train = (Program){ .name = "train" };
        d->kept->stages = ARENA_ARRAY(Program, d->base->stage_count + 1);
        keep_steps(d->base->graph, &d->kept->train, &d->base->train);
        for (int i = 0; i < d->base->stage_count; i++)
            keep_steps(d->base->graph, &d->kept->stages[i], &d->base->stages[i]);
    }
    return d->kept;
}

double drafts_work(const Drafts *d)
{
    return d->work;
}

Draft draft_make(Drafts *d, const MemorySaving *savings, int count)
{
    Plan *kept = kept_plan(d);
    choose_variants(d, savings, count);
    const ArenaMark mark = arena_mark();
    Draft draft = finish(d, savings, count, SIZE_MAX);
    kept->microbatch = draft.plan->microbatch;
    keep_steps(d->base->graph, &kept->train, &draft.plan->train);
    for (int i = 0; i < kept->stage_count; i++)
        keep_steps(d->base->graph, &kept->stages[i], &draft.plan->stages[i]);
    arena_release(mark);
    forget_variants(d, savings, count);
    draft.plan = kept;
    return draft;
}

Draft draft_try(Drafts *d, const MemorySaving *savings, int count, size_t bound)
{
    choose_variants(d, savings, count);
    const ArenaMark mark = arena_mark();
    Draft draft = finish(d, savings, count, bound);
    arena_release(mark);
    forget_variants(d, savings, count);
    draft.plan = NULL;
    return draft;
}

bool draft_differs(Drafts *d, const MemorySaving *savings, int count)
{
    const int name = d->name_of[savings[count - 1].core->id];
    choose_variants(d, savings, count - 1);
    const Variant *before = d->chosen[name]
                                ? d->chosen[name]
                                : find_variant(d, name, savings[count - 1].fusion, NULL, NULL);
    choose_variants(d, &savings[count - 1], 1);
    const bool differs = d->chosen[name] != before;
    forget_variants(d, savings, count);
    return differs;
}
