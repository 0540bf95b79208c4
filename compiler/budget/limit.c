/* limit.c - a plan whose training stays within a limit of memory.
 *
 * It begins with the ordinary plan. While that takes too much, every saving that can save something
 * is tried on a draft (draft.h), and the one that saves most bytes for the least estimated time is
 * kept: a kernel for another, as Winograd's weights weigh four times theirs; a smaller microbatch;
 * a value that the forward half makes, dropped after its last reader there and recomputed before a
 * reader of the backward half (Chen et al., "Training deep nets with sublinear memory cost", 2016,
 * one value at a time); weights packed for dX before each call instead of once an update. As soon
 * as one more saving is enough, the cheapest such ends the search; then savings that turn out to be
 * needless are taken back.
 *
 * The smallest limit that works is what the bottom takes: the smallest of all drafts that were
 * tried on the way to where nothing more is saved, and from there lower, by any one saving more or
 * one fewer, until neither helps. It is the same for every limit, and the way to a limit is the way
 * to the bottom up to the last saving; so a limit below the bottom is refused, and every other is
 * kept, by the bottom's plan if by no other.
 *
 * A round tries all savings and keeps one. That is work like the cube of the layers, so in large
 * networks a round keeps several, each as long as it still saves what it promised; and where even
 * one round is too much work, it tries a share of the savings, the next round another. How many
 * depends on the network alone. Networks of some 40 layers are searched saving by saving. */
#include "draft.h"

#include "../base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SAVINGS = DRAFT_SAVINGS - 1 };
/* steps times savings: of a round that keeps a single one; that are tried in one */
enum { WORK_FOR_ONE = 1 << 15, MAX_WORK = 1 << 22 };
/* drafts_work() of the ways; no network of some 40 layers comes near */
static const double WORK_DOWN = 2e7, WORK_BOTTOM = 1e7, WORK_BACK = 5e6;
/* a kernel that is so many times slower than the one in use takes its place nowhere */
static const double slower_most = 10;
/* the share of its bytes for a cycle that a saving must still give after others of its round */
static const double promise = 0.5;

/* ---- what may be saved ---- */

typedef struct Search {
    Drafts *drafts;
    const Graph *graph;
    Settings settings;
    const Force *forces; /* the user's */
    int force_count;
    size_t goal; /* bytes; savings are sought until training takes no more */
    MemorySaving savings[MAX_SAVINGS + 1];
    int count;
    Draft now;                           /* with these savings */
    MemorySaving least[MAX_SAVINGS + 1]; /* those of the smallest draft that was tried ... */
    int least_count;
    size_t least_bytes;  /* ... and its bytes; 0: none was tried */
    MemorySaving *found; /* what this round may save by: what it saves and costs stands in it, bytes
                            0: nothing */
    int found_count, found_room;
    int round, round_start;   /* how many rounds there were; savings when the last one began */
    int round_first;          /* `round` when it began: a round may try several shares */
    double begin, round_work; /* drafts_work() when the search began; and from there on, when the
                                 last round did */
    const Kernel *
        *kernel_of; /* of a round, by node: the kernel of the training step of that core */
    int *maker;     /* of a round and program, by node: the step of the forward half that
                                 makes it, counted from 1 */
} Search;

/* The smallest draft is kept. */
static void weigh(Search *s, const MemorySaving *savings, int count, size_t bytes)
{
    if (s->least_bytes && bytes >= s->least_bytes)
        return;
    s->least_bytes = bytes;
    s->least_count = count;
    memcpy(s->least, savings, sizeof *savings * (size_t)count);
}

/* The savings but number `without`. */
static Draft try_without(const Search *s, int without, size_t bound, MemorySaving *rest)
{
    memcpy(rest, s->savings, sizeof *rest * (size_t)s->count);
    memmove(&rest[without], &rest[without + 1], sizeof *rest * (size_t)(s->count - without - 1));
    return draft_try(s->drafts, rest, s->count - 1, bound);
}

static bool is_enough(const Search *s, const MemorySaving *saving)
{
    /* after the first of a round, what others save is a guess */
    return s->count == s->round_start && s->now.bytes - saving->bytes <= s->goal;
}

/* What is enough beats what is not, by its cost; of others the one with most bytes for a cycle is
   better. */
static bool is_better(const Search *s, const MemorySaving *a, const MemorySaving *b)
{
    if (is_enough(s, a) != is_enough(s, b))
        return is_enough(s, a);
    double cost_a = a->cost > 0 ? a->cost : 0, cost_b = b->cost > 0 ? b->cost : 0;
    if (is_enough(s, a))
        return cost_a < cost_b || (cost_a == cost_b && a->bytes > b->bytes);
    return (double)a->bytes * (cost_b + 1) > (double)b->bytes * (cost_a + 1);
}

/* Sets what the saving costs now, and what it saves: no more than that, or just that where it is
   fewer than `bound` bytes that are left. */
static void try_saving(Search *s, MemorySaving *saving, size_t bound)
{
    saving->bytes = 0;
    s->savings[s->count] = *saving;
    if (saving->kind == SAVING_KERNEL && !draft_differs(s->drafts, s->savings, s->count + 1))
        return;
    const Draft draft = draft_try(s->drafts, s->savings, s->count + 1, bound);
    if (draft.bytes >= s->now.bytes)
        return;
    if (draft.exact)
        weigh(s, s->savings, s->count + 1, draft.bytes);
    saving->exact = draft.exact;
    saving->bytes = s->now.bytes - draft.bytes;
    saving->cost = draft.cost - s->now.cost;
}

/* ---- the savings there are ---- */

static void add_saving(Search *s, MemorySaving saving)
{
    if (s->found_count == s->found_room) {
        s->found = arena_more(s->found, s->found_room, sizeof *s->found);
        s->found_room = s->found_room ? 2 * s->found_room : 1;
    }
    s->found[s->found_count++] = saving;
}

static bool is_forced(const Search *s, const char *fusion)
{
    for (int i = 0; i < s->force_count; i++)
        if (strcmp(s->forces[i].fusion, fusion) == 0)
            return true;
    return false;
}

/* Whether the kernel can compute the direction and is not much slower than the one in use; a
   direction that the fusion lacks is no hindrance. */
static bool is_fitting(const Search *s, const Fusion *fusion, const Node *core,
                       const char *direction, const Kernel *kernel)
{
    Step step = { .fusion = fusion, .core = core, .direction = direction, .kernel = kernel };
    if (!core)
        return true;
    if (kernel->rows || !kernel_computes(kernel, core)
        || (kernel->fits && !kernel->fits(&step, &s->settings)))
        return false;
    const Kernel *now = s->kernel_of[core->id];
    return !now
           || kernel->cost(&step, &s->settings) <= slower_most * now->cost(&step, &s->settings);
}

static void find_kernels(Search *s, const Fusion *fusion)
{
    if (!node_heads_fusion(fusion->core) || fusion->core->infer || fusion->core->stage
        || is_forced(s, fusion->name))
        return;
    for (int i = 0; all_kernels[i]; i++) {
        MemorySaving saving = { .kind = SAVING_KERNEL,
                                .fusion = fusion->name,
                                .core = fusion->core,
                                .kernel = all_kernels[i] };
        if (is_fitting(s, fusion, fusion->core, "forward", all_kernels[i]))
            add_saving(s, saving);
        saving.backward = true;
        if (fusion->dw && is_fitting(s, fusion, fusion->dw, "dW", all_kernels[i])
            && is_fitting(s, fusion, fusion->dx, "dX", all_kernels[i]))
            add_saving(s, saving);
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
static void find_makers(Search *s, const Program *program)
{
    memset(s->maker, 0, sizeof *s->maker * (size_t)s->graph->count);
    for (int from = program->forward_count - 2; from >= 0; from--)
        for (int i = 0; i < program->steps[from]->argument_count && !program->steps[from]->sums;
             i++) {
            const Node *node = program->steps[from]->arguments[i].node;
            if (node && step_writes(program->steps[from], node))
                s->maker[node->id] = from + 1;
        }
}

static void add_repeat(Search *s, const Step *maker, const Step *reader)
{
    const MemorySaving *last = s->found_count ? &s->found[s->found_count - 1] : NULL;
    if (!last || last->core != maker->core || last->reader != reader->core)
        add_saving(s, (MemorySaving){
                          .kind = SAVING_RECOMPUTE, .core = maker->core, .reader = reader->core });
}

static int by_places(const void *a, const void *b)
{
    const MemorySaving *x = a, *y = b;
    return x->core != y->core ? x->core->id - y->core->id : x->place - y->place;
}

/* What is made in the forward half and read by a step after it, and no step next to that one has it
   at hand. */
static void find_repeats(Search *s, const Program *program)
{
    const int first = s->found_count;
    find_makers(s, program);
    for (int to = program->forward_count; to < program->count; to++) {
        const Step *reader = program->steps[to];
        for (int i = 0; i < reader->argument_count && !reader->recomputes; i++) {
            const Node *node = reader->arguments[i].node;
            if (!node || !s->maker[node->id] || !reads(reader, node)
                || reads(program->steps[to - 1], node))
                continue;
            add_repeat(s, program->steps[s->maker[node->id] - 1], reader);
            s->found[s->found_count - 1].place = to;
        }
    }
    if (s->found_count > first)
        qsort(&s->found[first], (size_t)(s->found_count - first), sizeof *s->found, by_places);
}

static void find_on_use(Search *s, const Program *train)
{
    for (int i = train->forward_count; i < train->count; i++) {
        const Packing *packing = train->steps[i]->on_use ? NULL
                                                         : plan_turned_packing(train->steps[i]);
        if (packing)
            add_saving(s, (MemorySaving){ .kind = SAVING_ON_USE, .parameter = packing->parameter });
    }
}

static void find_savings(Search *s)
{
    const Plan *plan = s->now.plan;
    s->found_count = 0;
    memset(s->kernel_of, 0, sizeof *s->kernel_of * (size_t)s->graph->count);
    for (int i = plan->train.count - 1; i >= 0; i--)
        s->kernel_of[plan->train.steps[i]->core->id] = plan->train.steps[i]->kernel;
    if (plan->microbatch > 2)
        add_saving(s,
                   (MemorySaving){ .kind = SAVING_MICROBATCH, .microbatch = plan->microbatch / 2 });
    for (int i = 0; i < s->graph->fusion_count; i++)
        find_kernels(s, s->graph->fusions[i]);
    find_on_use(s, &plan->train);
    find_repeats(s, &plan->train);
    for (int i = 0; i < plan->stage_count; i++)
        find_repeats(s, &plan->stages[i]);
}

/* ---- a round ---- */

/* Whether the work so far leaves some of what a search may do. */
static bool has_time(const Search *s, double most)
{
    return drafts_work(s->drafts) - s->begin < most;
}

static double work_of_round(const Search *s)
{
    const Plan *plan = s->now.plan;
    double steps = plan->train.count;
    for (int i = 0; i < plan->stage_count; i++)
        steps += plan->stages[i].count;
    return steps * s->found_count;
}

/* Tries all savings, or this round's share of them; returns into how many shares they fall. */
static int try_all(Search *s)
{
    find_savings(s);
    const int share = 1 + (int)(work_of_round(s) / MAX_WORK);
    for (int i = 0; i < s->found_count; i++)
        if (i % share == s->round % share && has_time(s, WORK_DOWN + WORK_BOTTOM))
            try_saving(s, &s->found[i], s->least_bytes);
        else
            s->found[i].bytes = 0;
    s->round++;
    return share;
}

static void measure(Search *s)
{
    s->now = draft_make(s->drafts, s->savings, s->count);
    weigh(s, s->savings, s->count, s->now.bytes);
}

static MemorySaving *seemingly_best(const Search *s)
{
    MemorySaving *best = NULL;
    for (int i = 0; i < s->found_count; i++)
        if (s->found[i].bytes && (!best || is_better(s, &s->found[i], best)))
            best = &s->found[i];
    return best;
}

/* The best of those that this round found, and not yet taken; NULL: none saves anything. One of
   which it is only known what it saves at most is tried to the end when it seems to be the best. */
static MemorySaving *best_of_round(Search *s)
{
    MemorySaving *best = seemingly_best(s);
    while (best && !best->exact) {
        try_saving(s, best, SIZE_MAX);
        best = seemingly_best(s);
    }
    return best;
}

static void take(Search *s, const MemorySaving *saving)
{
    s->savings[s->count++] = *saving;
    measure(s);
}

/* Whether the saving, tried again after others of its round, still gives about what it gave. */
static bool keeps_promise(Search *s, MemorySaving *saving)
{
    const double gave = (double)saving->bytes / (saving->cost > 0 ? saving->cost + 1 : 1);
    try_saving(s, saving, SIZE_MAX);
    return saving->bytes
           && (double)saving->bytes / (saving->cost > 0 ? saving->cost + 1 : 1) >= promise * gave;
}

static bool can_go_on(const Search *s)
{
    return s->count < MAX_SAVINGS && has_time(s, WORK_DOWN);
}

/* Keeps the best saving, or in large networks the best ones; false where none saves anything. */
static bool take_best(Search *s)
{
    MemorySaving *best = NULL;
    s->round_start = s->count;
    s->round_first = s->round;
    s->round_work = drafts_work(s->drafts) - s->begin;
    for (int tried = 0, share = 1; tried < share && !best; tried++) {
        share = try_all(s);
        best = best_of_round(s);
    }
    if (!best)
        return false;
    take(s, best);
    best->bytes = 0;
    for (double more = work_of_round(s) / WORK_FOR_ONE;
         more > 1 && s->now.bytes > s->goal && can_go_on(s); more--) {
        best = best_of_round(s);
        if (!best)
            break;
        if (keeps_promise(s, best))
            take(s, best);
        best->bytes = 0;
    }
    return true;
}

/* ---- the search ---- */

/* The savings that cost no time. */
static void take_free(Search *s)
{
    s->savings[s->count++] = (MemorySaving){ .kind = SAVING_ORDER };
    if (!s->settings.library)
        s->savings[s->count++] = (MemorySaving){ .kind = SAVING_IN_PLACE };
    measure(s);
}

/* Saves on, until training takes no more than the goal or nothing helps any more. */
static void descend(Search *s)
{
    while (s->now.bytes > s->goal && can_go_on(s) && take_best(s))
        ;
}

static void return_to_least(Search *s)
{
    s->count = s->least_count;
    memcpy(s->savings, s->least, sizeof *s->savings * (size_t)s->count);
    measure(s);
}

/* From the end of the way down to the smallest draft of all, and on from there while one saving
   more or one fewer makes it smaller still; in large networks only as long as there is time. */
static void descend_to_bottom(Search *s)
{
    size_t before;
    do {
        before = s->least_bytes;
        return_to_least(s);
        if (s->count < MAX_SAVINGS)
            try_all(s);
        for (int i = 0; i < s->count && has_time(s, WORK_DOWN + WORK_BOTTOM); i++) {
            MemorySaving rest[MAX_SAVINGS + 1];
            const Draft draft = try_without(s, i, s->least_bytes, rest);
            if (draft.exact)
                weigh(s, rest, s->count - 1, draft.bytes);
        }
    } while (s->least_bytes != before && has_time(s, WORK_DOWN + WORK_BOTTOM));
    return_to_least(s);
}

/* Takes back a saving that is not needed any more, the one that cost most; false where all are
   needed. */
static bool take_back(Search *s)
{
    int best = -1;
    double least = 0;
    for (int i = 0; i < s->count && has_time(s, WORK_BACK); i++) {
        MemorySaving rest[MAX_SAVINGS + 1];
        const Draft draft = try_without(s, i, 0, rest);
        if (draft.cost > s->now.cost + 1 || (best >= 0 && draft.cost >= least)
            || draft.bytes > s->settings.memory_limit
            || try_without(s, i, SIZE_MAX, rest).bytes > s->settings.memory_limit)
            continue;
        best = i;
        least = draft.cost;
    }
    if (best < 0)
        return false;
    memmove(&s->savings[best], &s->savings[best + 1],
            sizeof *s->savings * (size_t)(s->count - best - 1));
    s->count--;
    measure(s);
    return true;
}

static void give_back(Search *s)
{
    s->begin = drafts_work(s->drafts);
    while (has_time(s, WORK_BACK) && take_back(s))
        ;
}

static Search *search_open(const Graph *graph, Settings settings, const Force *forces,
                           int force_count, const Tuning *tuning)
{
    Search *s = ARENA_NEW(Search);
    *s = (Search){ .drafts = drafts_open(graph, settings, forces, force_count, tuning),
                   .graph = graph,
                   .settings = settings,
                   .forces = forces,
                   .force_count = force_count,
                   .goal = settings.memory_limit,
                   .kernel_of = ARENA_ARRAY(const Kernel *, graph->count),
                   .maker = ARENA_ARRAY(int, graph->count) };
    measure(s);
    return s;
}

/* The way to the bottom, which is the same up to where the last round to the limit began. */
static Search *search_bottom(const Search *on)
{
    Search *s = ARENA_NEW(Search);
    *s = *on;
    s->goal = 0;
    s->found = NULL;
    s->found_count = s->found_room = 0;
    if (on->now.bytes <= on->goal) {
        s->begin = drafts_work(s->drafts) - s->round_work;
        s->count = s->round_start;
        s->round = s->round_first;
        measure(s);
        descend(s);
    }
    descend_to_bottom(s);
    return s;
}

/* Each saving with its bytes and its cost, given those before it. */
static void account(Search *s)
{
    Draft before = draft_try(s->drafts, s->savings, 0, SIZE_MAX);
    for (int i = 0; i < s->count; i++) {
        const Draft after = draft_try(s->drafts, s->savings, i + 1, SIZE_MAX);
        s->savings[i].bytes = before.bytes > after.bytes ? before.bytes - after.bytes : 0;
        s->savings[i].cost = after.cost - before.cost;
        before = after;
    }
}

/* On to the limit, or down to the bottom, and back as far as the limit allows, whichever is
   quicker: some savings only work together. */
Plan *plan_limited(const Graph *graph, Settings settings, const Force *forces, int force_count,
                   const Tuning *tuning)
{
    Plan *plan = plan_with_savings(graph, settings, forces, force_count, tuning, NULL, 0);
    if (plan_training_bytes(plan, 1) <= settings.memory_limit)
        return plan;
    Search *on = search_open(graph, settings, forces, force_count, tuning);
    take_free(on);
    on->round_start = on->count;
    descend(on);
    const bool fits = on->now.bytes <= settings.memory_limit;
    Search *bottom = search_bottom(on);
    if (bottom->now.bytes > settings.memory_limit)
        fail_with(
            EXIT_INPUT,
            "--memory-limit %zu: the training of %s does not fit; the smallest limit that works is "
            "%zu bytes (%.2fM)",
            settings.memory_limit, graph->name, bottom->now.bytes,
            (double)((bottom->now.bytes + 10485) / 10486) / 100);
    give_back(bottom);
    if (fits)
        give_back(on);
    Search *best = fits && on->now.cost <= bottom->now.cost ? on : bottom;
    account(best);
    return plan_with_savings(graph, settings, forces, force_count, tuning, best->savings,
                             best->count);
}

/* ---- what it cost ---- */

static const char *saving_text(const MemorySaving *c)
{
    switch (c->kind) {
    case SAVING_ORDER: return "dW of a layer before its dX";
    case SAVING_IN_PLACE: return "gradients accumulated in place, so one thread alone";
    case SAVING_MICROBATCH: return arena_format("microbatches of %d images", c->microbatch);
    case SAVING_KERNEL:
        return arena_format("%s of %s by %s", c->backward ? "backward" : "forward", c->fusion,
                            c->kernel->name);
    case SAVING_ON_USE:
        return arena_format("%s turned for dX on use, image by image", c->parameter->name);
    case SAVING_RECOMPUTE:
        return arena_format("%s recomputed before %s", c->core->name, c->reader->name);
    }
    bug("a saving of kind %d", (int)c->kind);
}

static int threads_within(const Plan *plan)
{
    int threads = 1;
    while (!plan->accumulates_in_place && !plan->settings.library && threads < 999
           && plan_training_bytes(plan, threads + 1) <= plan->settings.memory_limit)
        threads++;
    return threads;
}

void plan_print_limit(Text *out, const Plan *plan)
{
    if (!plan->settings.memory_limit)
        return;
    const char *unit = plan->tuning ? "us" : "cycles";
    const double cost = plan_training_cost(plan);
    size_t saved = 0;
    double added = 0;
    text_add(
        out,
        "memory limit %zu bytes: training takes %zu on one thread, pictures apart; threads that "
        "fit: %d\n",
        plan->settings.memory_limit, plan_training_bytes(plan, 1), threads_within(plan));
    if (plan->saving_count)
        text_add(out, "    %12s %14s  what it took\n", "bytes saved",
                 arena_format("%s added", unit));
    for (int i = 0; i < plan->saving_count; i++) {
        const MemorySaving *c = &plan->savings[i];
        text_add(out, "    %12zu %14.3g  %s\n", c->bytes, c->cost, saving_text(c));
        saved += c->bytes;
        added += c->cost;
    }
    if (plan->saving_count)
        text_add(out,
                 "    %12zu %14.3g  in all: by the estimate an image takes %.2f times as long\n",
                 saved, added, cost / (cost - added));
}
