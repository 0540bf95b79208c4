#include "functions.h"

#include "../base/arena.h"
#include "../base/table.h"

#include <string.h>

/* Above so many steps layers that do the same share a function: what a network costs to emit and to
   compile then grows with what is different in it. */
enum { STEPS_APART = 512 };

/* Packings of weights, found by parameter. */
typedef struct Packings {
    Packing **all; /* in order */
    int count;
    int *first, *next; /* by the parameter's node: place of its first, counted from 1, 0: none; by
                          place: of the next of the same parameter */
    Table names;
} Packings;

typedef struct Functions {
    Plan *plan;
    Packings packings, on_use;
    bool shared;        /* among layers */
    Table names, alike; /* of functions and of steps that share one; the first function of those
                           that may do the same */
    int *next, *last;   /* by function: the next that does alike, -1: none; of the first of such,
                           the last */
} Functions;

/* ---- prepared weights ---- */

bool plan_same_packing(const Packing *a, const Packing *b)
{
    return packing_same(a, b) && a->training == b->training && a->on_use == b->on_use;
}

/* "encoder_conv1_kernel", "..._turned", and the block where two blockings of one parameter are
   wanted. */
static const char *packing_name(Packings *packings, const Packing *packing)
{
    const char *base = arena_format("%s%s%s", plan_identifier(packing->parameter->name),
                                    packing->kind->suffix, packing->rotated ? "_turned" : "");
    return table_add_another(&packings->names, base, packings->count);
}

/* The blocks from which a packing is made on use; NULL: no forward step reads such. */
static const Packing *source_of(const Packings *packings, const Packing *on_use)
{
    for (int i = packings->first[on_use->parameter->id]; i; i = packings->next[i - 1]) {
        const Packing *f = packings->all[i - 1];
        if (f->training == on_use->training && !f->rotated && f->kind == on_use->kind)
            return f;
    }
    return NULL;
}

static size_t aligned(const Settings *settings, size_t reals)
{
    const size_t align = 64 / (size_t)settings_real_bytes(settings);
    return (reals + align - 1) / align * align;
}

size_t plan_on_use_place(const Settings *settings, const Step *step)
{
    return aligned(settings, step->scratch);
}

size_t plan_packing_room(const Settings *settings, const Packing *packing)
{
    return aligned(settings, packing->count);
}

static size_t scaling_room(const Settings *settings, const Packing *packing)
{
    const bool ready = settings->baked && settings->no_training;
    return packing->from && !ready ? aligned(settings, packing->from->count) : 0;
}

void plan_count_scaling(Plan *plan, const Packing *packing)
{
    const size_t room = scaling_room(&plan->settings, packing);
    plan->scaling_reals = room > plan->scaling_reals ? room : plan->scaling_reals;
}

void plan_end_prepared(Plan *plan)
{
    plan->scaling_at = plan->prepared_reals;
    plan->prepared_reals += plan->scaling_reals;
}

static const Packing *named(const Packing *from, const char *name)
{
    Packing *copy = ARENA_NEW(Packing);
    *copy = *from;
    copy->name = name;
    return copy;
}

/* The packing among those there are that is the one wanted, or that one, added to them. */
static Packing *add_packing(const Plan *plan, Packings *packings, const Packing *wanted,
                            size_t *reals)
{
    int *end = &packings->first[wanted->parameter->id];
    for (; *end; end = &packings->next[*end - 1])
        if (plan_same_packing(packings->all[*end - 1], wanted))
            return packings->all[*end - 1];
    Packing *packing = ARENA_NEW(Packing);
    *packing = *wanted;
    packing->name = packing_name(packings, packing);
    if (packing->from)
        packing->from = named(packing->from, arena_format("%s_values", packing->name));
    packing->offset = *reals;
    *reals += plan_packing_room(&plan->settings, packing);
    packings->all[packings->count] = packing;
    *end = ++packings->count;
    return packing;
}

/* The packing lies in the step's scratch memory, after what the kernel works in. */
static const Packing *pack_on_use(Functions *f, Step *step, const Packing *wanted)
{
    step->scratch = step->on_use_at = plan_on_use_place(&f->plan->settings, step);
    step->on_use = add_packing(f->plan, &f->on_use, wanted, &step->scratch);
    step->scratch = step->on_use_at + step->on_use->count;
    return step->on_use;
}

static void add_packings(Functions *f, Step *step, bool training)
{
    Plan *plan = f->plan;
    for (int i = 0; i < step->argument_count; i++) {
        Argument *a = &step->arguments[i];
        if (!a->packing)
            continue;
        Packing wanted = *a->packing;
        wanted.source = wanted.on_use ? source_of(&f->packings, &wanted) : NULL;
        wanted.on_use = wanted.source != NULL;
        if (wanted.on_use) {
            a->packing = pack_on_use(f, step, &wanted);
            continue;
        }
        Packing *packing = add_packing(plan, &f->packings, &wanted,
                                       wanted.training ? &plan->training_reals
                                                       : &plan->prepared_reals);
        packing->learns = packing->learns || training;
        a->packing = packing;
    }
}

/* ---- functions ---- */

static bool same_function(const Step *a, const Step *b)
{
    return a->kernel == b->kernel && a->core == b->core && a->bias == b->bias && a->act == b->act
           && a->pool == b->pool && a->codes == b->codes;
}

bool plan_same_step(const Step *a, const Step *b)
{
    return same_function(a, b) && a->d_act == b->d_act && a->d_pool == b->d_pool && a->db == b->db
           && a->dx == b->dx && a->scratch == b->scratch;
}

/* Whether two nodes, or two values, come out the same from the same: of one operator, or leaf, with
   the same numbers, shapes and types. */
static bool same_kind(const Node *a, const Node *b)
{
    if (!a || !b)
        return a == b;
    bool same = a->op == b->op && a->type == b->type && shape_equal(a->shape, b->shape)
                && node_same_numbers(a, b);
    for (int i = 0; same && i < a->op->arity; i++)
        same = a->input[i]->type == b->input[i]->type
               && shape_equal(a->input[i]->shape, b->input[i]->shape);
    return same;
}

/* Whether two packings, of two parameters maybe, lie alike. */
static bool same_layout(const Packing *a, const Packing *b)
{
    if (!a || !b)
        return a == b;
    return packing_alike(a, b) && a->training == b->training && a->on_use == b->on_use;
}

/* `alike`: packings need not be the same, but lie alike. */
static bool same_arguments(const Step *a, const Step *b, bool alike)
{
    bool same = a->argument_count == b->argument_count && a->number_count == b->number_count
                && a->scratch == b->scratch;
    for (int i = 0; same && i < a->argument_count; i++) {
        const Argument *x = &a->arguments[i], *y = &b->arguments[i];
        same = strcmp(x->name, y->name) == 0
               && (alike ? same_layout(x->packing, y->packing) : x->packing == y->packing)
               && x->scratch == y->scratch && x->sum == y->sum && x->noise == y->noise
               && !x->node == !y->node
               && (!x->node
                   || (x->node->type == y->node->type
                       && shape_equal(x->node->shape, y->node->shape)));
    }
    for (int i = 0; same && i < a->number_count; i++)
        same = strcmp(a->numbers[i].name, b->numbers[i].name) == 0
               && a->numbers[i].value == b->numbers[i].value;
    return same;
}

/* Whether two steps compute the same of the same, but for the values and weights that they are
   handed. Packings are added already. */
static bool same_work(const Step *a, const Step *b, bool alike)
{
    return a->kernel == b->kernel && same_kind(a->core, b->core) && same_kind(a->bias, b->bias)
           && same_kind(a->act, b->act) && same_kind(a->pool, b->pool)
           && same_kind(a->codes, b->codes) && same_kind(a->d_act, b->d_act)
           && same_kind(a->d_pool, b->d_pool) && same_kind(a->db, b->db) && same_kind(a->dx, b->dx)
           && same_arguments(a, b, alike);
}

/* Whether a step of a stage does to its arguments what a step of another one, of the whole network,
   or of the stage's own inference does. */
static bool same_in_stages(const Step *a, const Step *b)
{
    bool copies = a->core->stage != b->core->stage
                  || (a->core->stage && a->core->infer != b->core->infer);
    return copies && strcmp(a->layer, b->layer) == 0 && same_work(a, b, false);
}

/* Whether a step of one layer does what that of another does. */
static bool same_in_layers(const Step *a, const Step *b)
{
    return a->streams == b->streams && memcmp(&a->rows, &b->rows, sizeof a->rows) == 0
           && a->on_use_at == b->on_use_at && same_work(a, b, true);
}

static const char *own_name(Functions *f, const Step *step, const char *suffix)
{
    /* dW with dX taken in: the backward half of the layer */
    const char *core = step->dx
                           ? arena_format("%s_backward", plan_identifier(step->fusion->core->name))
                           : plan_identifier(step->core->name);
    const char *base = arena_format("%s%s", plan_prefix(f->plan), core);
    if (strcmp(step->core->name, step->core->layer) == 0)
        base = arena_format("%s_forward", base);
    return table_add_another(&f->names, arena_format("%s%s", base, suffix),
                             f->plan->function_count);
}

/* What only steps that may share a function have in common. */
static const char *what_it_does(const Functions *f, const Step *step)
{
    return arena_format("%s %s %s %s", step->kernel->name, step->core->op->name,
                        shape_text(step->core->shape), f->shared ? "" : step->layer);
}

static void add_function(Functions *f, Step *step, const char *what)
{
    const int place = f->plan->function_count++, first = table_find(&f->alike, what);
    f->plan->functions[place] = step;
    f->next[place] = -1;
    if (first < 0) {
        table_add(&f->alike, what, place);
        f->last[place] = place;
    } else {
        f->next[f->last[first]] = place;
        f->last[first] = place;
    }
}

/* Of the first function that does what the step does; a step that takes another layer's keeps a
   name of its own. */
static void choose_function(Functions *f, Step *step, const char *suffix)
{
    const char *what = what_it_does(f, step);
    for (int k = table_find(&f->alike, what); k >= 0 && !step->function; k = f->next[k]) {
        const Step *other = f->plan->functions[k];
        const bool same = same_function(other, step) || same_in_stages(other, step);
        if (!same && !(f->shared && same_in_layers(other, step)))
            continue;
        step->function = other->function;
        step->name = same ? other->name : own_name(f, step, suffix);
    }
    if (step->function)
        return;
    step->function = step->name = own_name(f, step, suffix);
    add_function(f, step, what);
}

static Packings packings_of(const Plan *plan, int most)
{
    return (Packings){ .all = ARENA_ARRAY(Packing *, most),
                       .first = ARENA_ARRAY(int, plan->graph->count),
                       .next = ARENA_ARRAY(int, most) };
}

void plan_functions(Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs), steps = 0;
    for (int p = 0; p < count; p++)
        steps += programs[p]->count;
    Functions f = { .plan = plan,
                    .packings = packings_of(plan, steps * STEP_ARGUMENTS),
                    .on_use = packings_of(plan, steps),
                    .shared = plan->settings.shared || steps > STEPS_APART,
                    .next = ARENA_ARRAY(int, steps),
                    .last = ARENA_ARRAY(int, steps) };
    plan->functions = ARENA_ARRAY(const Step *, steps);
    for (int p = 0; p < count; p++) {
        const bool training = !programs[p]->result;
        const char *suffix = programs[p]->rings                       ? "_row"
                             : training || plan->settings.no_training ? ""
                                                                      : "_infer";
        for (int i = 0; i < programs[p]->count; i++) {
            Step *step = ARENA_NEW(Step);
            *step = *programs[p]->steps[i];
            programs[p]->steps[i] = step;
            add_packings(&f, step, training);
            choose_function(&f, step, step->core->infer ? "" : suffix);
        }
    }
    plan->packings = (const Packing **)f.packings.all;
    plan->packing_count = f.packings.count;
    plan->on_use_packings = (const Packing **)f.on_use.all;
    plan->on_use_count = f.on_use.count;
    for (int i = 0; i < plan->packing_count; i++)
        plan_count_scaling(plan, plan->packings[i]);
    plan_end_prepared(plan);
}
