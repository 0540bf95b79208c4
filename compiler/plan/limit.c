/* limit.c - a plan whose training stays within a limit of memory.
 *
 * It begins with the ordinary plan. While that takes too much, every change that can save something is tried, by planning anew with it, and the one
 * that saves most bytes for the least estimated time is kept: a kernel for another, as Winograd's weights weigh four times theirs; a group of fewer
 * images; a value that the forward half makes, given up behind its last reader there and made again before a reader of the backward half (Chen et al.,
 * "Training deep nets with sublinear memory cost", 2016, one value at a time); weights turned for dX before each call instead of once an update. As soon
 * as one change more is enough, the cheapest such ends the search; then whatever turns out to be needless is taken back.
 *
 * The smallest limit that works is what the bottom takes: the smallest of all plans that were tried on the way to where no change saves anything, and
 * from there lower, by any one change more or one fewer, until neither helps. It is the same for every limit, and the way to a limit is the way to the
 * bottom up to the last change; so a limit below the bottom is refused, and every other is kept, by the bottom's plan if by no other. */
#include "plan.h"

#include "../base/arena.h"
#include "check.h"

#include <string.h>

enum { ALIGNMENT = 64, STATE_OF_LIBRARY = 128, CHANGES_MOST = 256 };
static const double slower_most = 10;      /* a kernel that is so many times slower than the one in use takes its place nowhere */

/* ---- what training takes ---- */

static size_t block(size_t bytes)
{
    return ((bytes ? bytes : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t parameter_bytes(const Plan *plan)
{
    size_t count = 0;
    for (int i = 0; i < plan->graph->parameter_count; i++)
        count += (size_t)shape_count(plan->graph->parameters[i].node->shape);
    return count * (size_t)settings_real_bytes(&plan->settings);
}

/* Of one thread: it fits training and inference, of all stages of training. */
static size_t workspace_bytes(const Plan *plan)
{
    const size_t latent = (size_t)shape_count(plan->graph->latent->shape) * (size_t)plan->group * (size_t)settings_real_bytes(&plan->settings);
    size_t train = larger(plan->train.bytes, ALIGNMENT), infer = larger(plan->encode.bytes, plan->decode.bytes);
    for (int i = 0; i < plan->phase_count; i++) {
        train = larger(train, plan->phases[i].bytes);
        infer = larger(infer, plan->sights[i].bytes);
    }
    return larger(train, block(latent) + infer);
}

size_t plan_training_bytes(const Plan *plan, int threads)
{
    const Training *t = &plan->graph->training;
    const size_t vector = block(parameter_bytes(plan)), real_bytes = (size_t)settings_real_bytes(&plan->settings);
    const size_t prepared = (plan_forms_apart(plan) ? plan->training_reals : plan->prepared_reals) * real_bytes;
    const size_t own = strcmp(t->optimizer.word, "sgd") == 0 ? 1 : 2;       /* vectors of the optimizer */
    if (plan->settings.library)
        return parameter_bytes(plan) + STATE_OF_LIBRARY + larger(prepared, ALIGNMENT) + (1 + own) * vector + larger(plan->train.bytes, ALIGNMENT);
    const size_t sums = plan->straight ? 0 : threads > 1 ? (size_t)threads + 1 : 1;
    return (2 + own + sums) * vector + block(prepared) + block((size_t)t->batch * sizeof(double)) + (size_t)threads * block(workspace_bytes(plan));
}

/* ---- what may change ---- */

typedef struct Search {
    const Graph *graph;
    Settings settings;
    const Force *forces;        /* the user's */
    int force_count;
    const Tuning *tuning;
    size_t goal;                /* bytes; changes are sought until training takes no more */
    Change *changes;
    int count;
    const Plan *plan;           /* with these changes */
    const Plan *least;          /* the smallest of all that were tried */
    size_t bytes;               /* that its training takes */
    double cost;                /* of an image */
    Change best;                /* of those tried: what it saves and costs stands in it */
    bool found;
} Search;

/* With the first `count` changes but number `without`; -1: with all these. */
static const Plan *plan_but(const Search *s, int count, int without)
{
    Change *changes = ARENA_ARRAY(Change, count + 1);
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (i != without)
            changes[kept++] = s->changes[i];
    return plan_changed(s->graph, s->settings, s->forces, s->force_count, s->tuning, changes, kept);
}

static const Plan *plan_of(const Search *s, int count)
{
    return plan_but(s, count, -1);
}

/* What the plan takes; the smallest is kept. */
static size_t weigh(Search *s, const Plan *plan)
{
    size_t bytes = plan_training_bytes(plan, 1);
    if (!s->least || bytes < plan_training_bytes(s->least, 1))
        s->least = plan;
    return bytes;
}

/* A dense layer's weights are read once for each group and pass. */
static double cost_of_groups(const Plan *plan)
{
    return plan->group > 1 ? 3 * cost_of_moving((double)parameter_bytes(plan), &plan->settings) / plan->group : 0;
}

/* Values that lie far apart are moved one by one. */
static double cost_of_turning(const Plan *plan, const Step *step)
{
    return step->late ? cost_of_moving((double)step->late->count, &plan->settings) * settings_lanes(&plan->settings) : 0;
}

static double cost_of_training(const Plan *plan)
{
    double cost = cost_of_groups(plan);
    for (int i = 0; i < plan->train.count; i++)
        cost += plan_step_cost(plan, plan->train.steps[i]) + cost_of_turning(plan, plan->train.steps[i]);
    for (int p = 0; p < plan->phase_count; p++)
        for (int i = 0; i < plan->phases[p].count; i++)
            cost += plan->phases[p].steps[i]->repeats ? plan_step_cost(plan, plan->phases[p].steps[i]) : 0;
    return cost;
}

static bool is_enough(const Search *s, const Change *change)
{
    return s->bytes - change->bytes <= s->goal;
}

/* What is enough beats what is not, by its cost; of others the one with most bytes for a cycle is better. */
static bool is_better(const Search *s, const Change *a, const Change *b)
{
    if (is_enough(s, a) != is_enough(s, b))
        return is_enough(s, a);
    double cost_a = a->cost > 0 ? a->cost : 0, cost_b = b->cost > 0 ? b->cost : 0;
    if (is_enough(s, a))
        return cost_a < cost_b || (cost_a == cost_b && a->bytes > b->bytes);
    return (double)a->bytes * (cost_b + 1) > (double)b->bytes * (cost_a + 1);
}

static void try_change(Search *s, Change change)
{
    s->changes[s->count] = change;
    const Plan *plan = plan_of(s, s->count + 1);
    size_t bytes = weigh(s, plan);
    if (bytes >= s->bytes)
        return;
    change.bytes = s->bytes - bytes;
    change.cost = cost_of_training(plan) - s->cost;
    if (!s->found || is_better(s, &change, &s->best))
        s->best = change;
    s->found = true;
}

static bool is_forced(const Search *s, const char *stage)
{
    for (int i = 0; i < s->force_count; i++)
        if (strcmp(s->forces[i].stage, stage) == 0)
            return true;
    return false;
}

/* Whether the kernel can compute the pass and is not much slower than the one in use; a pass that the stage has not is no hindrance. */
static bool is_fitting(const Search *s, const Stage *stage, const Node *core, const char *pass, const Kernel *kernel)
{
    Step step = { .stage = stage, .core = core, .pass = pass, .kernel = kernel };
    if (!core)
        return true;
    if (kernel->rows || !kernel_computes(kernel, core) || (kernel->fits && !kernel->fits(&step, &s->settings)))
        return false;
    for (int i = 0; i < s->plan->train.count; i++) {
        const Step *now = s->plan->train.steps[i];
        if (now->core == core)
            return kernel->cost(&step, &s->settings) <= slower_most * now->kernel->cost(&step, &s->settings);
    }
    return true;
}

static void try_kernels(Search *s, const Stage *stage)
{
    if (!node_heads_stage(stage->core) || stage->core->infer || stage->core->phase || is_forced(s, stage->name))
        return;
    for (int i = 0; all_kernels[i]; i++) {
        if (is_fitting(s, stage, stage->core, "forward", all_kernels[i]))
            try_change(s, (Change){ .kind = CHANGE_KERNEL, .stage = stage->name, .kernel = all_kernels[i] });
        if (stage->dw && is_fitting(s, stage, stage->dw, "dW", all_kernels[i]) && is_fitting(s, stage, stage->dx, "dX", all_kernels[i]))
            try_change(s, (Change){ .kind = CHANGE_KERNEL, .stage = stage->name, .backward = true, .kernel = all_kernels[i] });
    }
}

static bool reads(const Step *step, const Node *node)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node == node)
            return !step_writes(step, node);
    return false;
}

/* Whether step `from` makes what step `to` reads, and no step next to that one has it at hand. */
static bool is_far(const Program *program, int from, int to)
{
    const Step *maker = program->steps[from];
    for (int i = 0; i < maker->argument_count; i++) {
        const Node *node = maker->arguments[i].node;
        if (node && step_writes(maker, node) && reads(program->steps[to], node) && !reads(program->steps[to - 1], node))
            return true;
    }
    return false;
}

static void try_repeats(Search *s, const Program *program)
{
    for (int from = 0; from + 1 < program->forward_count; from++)
        for (int to = program->forward_count; to < program->count; to++)
            if (!program->steps[from]->sums && !program->steps[to]->repeats && is_far(program, from, to))
                try_change(s, (Change){ .kind = CHANGE_REPEAT, .core = program->steps[from]->core, .reader = program->steps[to]->core });
}

static void try_late(Search *s)
{
    for (int i = s->plan->train.forward_count; i < s->plan->train.count; i++) {
        const Form *form = plan_turned_form(s->plan->train.steps[i]);
        if (form && !form->late)
            try_change(s, (Change){ .kind = CHANGE_LATE, .parameter = form->parameter });
    }
}

static void try_all(Search *s)
{
    if (s->plan->group > 2)
        try_change(s, (Change){ .kind = CHANGE_GROUP, .group = s->plan->group / 2 });
    for (int i = 0; i < s->graph->stage_count; i++)
        try_kernels(s, s->graph->stages[i]);
    try_late(s);
    try_repeats(s, &s->plan->train);
    for (int i = 0; i < s->plan->phase_count; i++)
        try_repeats(s, &s->plan->phases[i]);
}

/* ---- the search ---- */

static void measure(Search *s)
{
    s->plan = plan_of(s, s->count);
    plan_check(s->plan);
    s->bytes = weigh(s, s->plan);
    s->cost = cost_of_training(s->plan);
}

/* Keeps the best change; false where none saves anything. */
static bool take_best(Search *s)
{
    s->found = false;
    try_all(s);
    if (!s->found)
        return false;
    s->changes[s->count++] = s->best;
    measure(s);
    return true;
}

/* The changes that cost no time. */
static void take_free(Search *s)
{
    s->changes[s->count++] = (Change){ .kind = CHANGE_ORDER };
    if (!s->settings.library)
        s->changes[s->count++] = (Change){ .kind = CHANGE_STRAIGHT };
    measure(s);
}

/* Changes on, until training takes no more than the goal or nothing helps any more. */
static void descend(Search *s, size_t goal)
{
    s->goal = goal;
    s->changes = ARENA_ARRAY(Change, CHANGES_MOST + 1);
    measure(s);
    if (s->bytes > goal)
        take_free(s);
    while (s->bytes > goal && s->count < CHANGES_MOST && take_best(s))
        ;
}

static void return_to_least(Search *s)
{
    s->count = s->least->change_count;
    memcpy(s->changes, s->least->changes, sizeof *s->changes * (size_t)s->count);
    measure(s);
}

/* From the end of the way down to the smallest plan of all, and on from there while one change more or one fewer makes it smaller still. */
static void descend_to_bottom(Search *s)
{
    const Plan *before;
    do {
        before = s->least;
        return_to_least(s);
        if (s->count < CHANGES_MOST)
            try_all(s);
        for (int i = 0; i < s->count; i++)
            weigh(s, plan_but(s, s->count, i));
    } while (s->least != before);
}

/* Takes back a change that is not needed any more, the one that cost most; false where all are needed. */
static bool take_back(Search *s)
{
    int best = -1;
    double least = 0;
    for (int i = 0; i < s->count; i++) {
        const Plan *plan = plan_but(s, s->count, i);
        double cost = cost_of_training(plan);
        if (plan_training_bytes(plan, 1) <= s->settings.memory_limit && cost <= s->cost + 1 && (best < 0 || cost < least)) {
            best = i;
            least = cost;
        }
    }
    if (best < 0)
        return false;
    memmove(&s->changes[best], &s->changes[best + 1], sizeof *s->changes * (size_t)(s->count - best - 1));
    s->count--;
    measure(s);
    return true;
}

static void give_back(Search *s)
{
    while (take_back(s))
        ;
}

/* Each change with what it saved and cost behind those before it. */
static const Plan *account(Search *s)
{
    const Plan *before = plan_of(s, 0);
    for (int i = 0; i < s->count; i++) {
        const Plan *after = plan_of(s, i + 1);
        size_t had = plan_training_bytes(before, 1), has = plan_training_bytes(after, 1);
        s->changes[i].bytes = had > has ? had - has : 0;
        s->changes[i].cost = cost_of_training(after) - cost_of_training(before);
        before = after;
    }
    return plan_of(s, s->count);
}

/* On to the limit, or down to the bottom, and back as far as the limit allows, whichever is quicker: some changes only save together. */
Plan *plan_limited(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning)
{
    const Search start = { .graph = graph, .settings = settings, .forces = forces, .force_count = force_count, .tuning = tuning };
    Search on = start;
    descend(&on, settings.memory_limit);
    if (!on.count)
        return (Plan *)on.plan;
    const bool fits = on.bytes <= settings.memory_limit;
    Search bottom = fits ? start : on;          /* where nothing was enough, the way led as far down already */
    if (fits)
        descend(&bottom, 0);
    descend_to_bottom(&bottom);
    if (bottom.bytes > settings.memory_limit)
        fail_with(EXIT_INPUT, "--memory-limit %zu: the training of %s does not fit; the smallest limit that works is %zu bytes (%.2fM)",
                  settings.memory_limit, graph->name, bottom.bytes, (double)((bottom.bytes + 10485) / 10486) / 100);
    give_back(&bottom);
    if (fits)
        give_back(&on);
    return (Plan *)account(fits && on.cost <= bottom.cost ? &on : &bottom);
}

/* ---- what it cost ---- */

static const char *change_text(const Change *c)
{
    switch (c->kind) {
    case CHANGE_ORDER: return "dW of a layer before its dX";
    case CHANGE_STRAIGHT: return "gradients straight into their total, so one thread alone";
    case CHANGE_GROUP: return arena_format("groups of %d images", c->group);
    case CHANGE_KERNEL: return arena_format("%s of %s by %s", c->backward ? "backward" : "forward", c->stage, c->kernel->name);
    case CHANGE_LATE: return arena_format("%s turned for dX image by image", c->parameter->name);
    case CHANGE_REPEAT: return arena_format("%s again before %s", c->core->name, c->reader->name);
    }
    bug("a change of kind %d", (int)c->kind);
}

static int threads_within(const Plan *plan)
{
    int threads = 1;
    while (!plan->straight && !plan->settings.library && threads < 999 && plan_training_bytes(plan, threads + 1) <= plan->settings.memory_limit)
        threads++;
    return threads;
}

void plan_print_limit(Text *out, const Plan *plan)
{
    if (!plan->settings.memory_limit)
        return;
    const char *unit = plan->tuning ? "us" : "cycles";
    const double cost = cost_of_training(plan);
    size_t saved = 0;
    double added = 0;
    text_add(out, "memory limit %zu bytes: training takes %zu on one thread, pictures apart; threads that fit: %d\n", plan->settings.memory_limit,
             plan_training_bytes(plan, 1), threads_within(plan));
    if (plan->change_count)
        text_add(out, "    %12s %14s  what was changed for it\n", "bytes saved", arena_format("%s added", unit));
    for (int i = 0; i < plan->change_count; i++) {
        const Change *c = &plan->changes[i];
        text_add(out, "    %12zu %14.3g  %s\n", c->bytes, c->cost, change_text(c));
        saved += c->bytes;
        added += c->cost;
    }
    if (plan->change_count)
        text_add(out, "    %12zu %14.3g  in all: by the estimate an image takes %.2f times as long\n", saved, added, cost / (cost - added));
}
