#include "search.h"

#include "../base/arena.h"

#include <stdint.h>
#include <string.h>

/* steps times savings: of a round that keeps a single one; that are tried in one */
enum { WORK_FOR_ONE = 1 << 15, MAX_WORK = 1 << 22 };
/* drafts_work() of the ways; no network of some 40 layers comes near */
static const double WORK_DOWN = 2e7, WORK_BOTTOM = 1e7, WORK_BACK = 5e6;
/* the share of its bytes for a cycle that a saving must still give after others of its round */
static const double promise = 0.5;

/* ---- a saving ---- */

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
static void try_candidate(Search *s, Candidate *candidate, size_t bound)
{
    MemorySaving *saving = &candidate->saving;
    saving->bytes = 0;
    s->savings[s->count] = *saving;
    if (saving->kind == SAVING_KERNEL && !draft_differs(s->drafts, s->savings, s->count + 1))
        return;
    const Draft draft = draft_try(s->drafts, s->savings, s->count + 1, bound);
    if (draft.bytes >= s->now.bytes)
        return;
    if (draft.exact)
        weigh(s, s->savings, s->count + 1, draft.bytes);
    candidate->exact = draft.exact;
    saving->bytes = s->now.bytes - draft.bytes;
    saving->cost = draft.cost - s->now.cost;
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
    return steps * s->found->count;
}

/* Tries all savings, or this round's share of them; returns into how many shares they fall. */
static int try_all(Search *s)
{
    candidates_find(s->found, s->now.plan);
    const int share = 1 + (int)(work_of_round(s) / MAX_WORK);
    for (int i = 0; i < s->found->count; i++)
        if (i % share == s->round % share && has_time(s, WORK_DOWN + WORK_BOTTOM))
            try_candidate(s, &s->found->candidate[i], s->least_bytes);
        else
            s->found->candidate[i].saving.bytes = 0;
    s->round++;
    return share;
}

static void measure(Search *s)
{
    s->now = draft_make(s->drafts, s->savings, s->count);
    weigh(s, s->savings, s->count, s->now.bytes);
}

static Candidate *seemingly_best(const Search *s)
{
    Candidate *best = NULL;
    for (int i = 0; i < s->found->count; i++) {
        Candidate *other = &s->found->candidate[i];
        if (other->saving.bytes && (!best || is_better(s, &other->saving, &best->saving)))
            best = other;
    }
    return best;
}

/* The best of those that this round found, and not yet taken; NULL: none saves anything. One of
   which it is only known what it saves at most is tried to the end when it seems to be the best. */
static Candidate *best_of_round(Search *s)
{
    Candidate *best = seemingly_best(s);
    while (best && !best->exact) {
        try_candidate(s, best, SIZE_MAX);
        best = seemingly_best(s);
    }
    return best;
}

/* Nothing more is to be had by it then. */
static void take(Search *s, Candidate *candidate)
{
    s->savings[s->count++] = candidate->saving;
    candidate->saving.bytes = 0;
    measure(s);
}

static double bytes_for_a_cycle(const MemorySaving *saving)
{
    return (double)saving->bytes / (saving->cost > 0 ? saving->cost + 1 : 1);
}

/* Whether the saving, tried again after others of its round, still gives about what it gave. */
static bool keeps_promise(Search *s, Candidate *candidate)
{
    const double gave = bytes_for_a_cycle(&candidate->saving);
    try_candidate(s, candidate, SIZE_MAX);
    return candidate->saving.bytes && bytes_for_a_cycle(&candidate->saving) >= promise * gave;
}

static bool can_go_on(const Search *s)
{
    return s->count < MAX_SAVINGS && has_time(s, WORK_DOWN);
}

/* Keeps the best saving, or in large networks the best ones; false where none saves anything. */
static bool take_best(Search *s)
{
    Candidate *best = NULL;
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
    for (double more = work_of_round(s) / WORK_FOR_ONE;
         more > 1 && s->now.bytes > s->goal && can_go_on(s); more--) {
        best = best_of_round(s);
        if (!best)
            break;
        if (keeps_promise(s, best))
            take(s, best);
        best->saving.bytes = 0;
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

void search_give_back(Search *s)
{
    s->begin = drafts_work(s->drafts);
    while (has_time(s, WORK_BACK) && take_back(s))
        ;
}

Search *search_open(const Plan *plain)
{
    Search *s = ARENA_NEW(Search);
    *s = (Search){ .drafts = drafts_open(plain),
                   .settings = plain->settings,
                   .goal = plain->settings.memory_limit,
                   .found = candidates_open(plain) };
    measure(s);
    return s;
}

void search_limit(Search *s)
{
    take_free(s);
    s->round_start = s->count;
    descend(s);
}

Search *search_bottom(const Search *on)
{
    Search *s = ARENA_NEW(Search);
    *s = *on;
    s->goal = 0;
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

void search_account(Search *s)
{
    Draft before = draft_try(s->drafts, s->savings, 0, SIZE_MAX);
    for (int i = 0; i < s->count; i++) {
        const Draft after = draft_try(s->drafts, s->savings, i + 1, SIZE_MAX);
        s->savings[i].bytes = before.bytes > after.bytes ? before.bytes - after.bytes : 0;
        s->savings[i].cost = after.cost - before.cost;
        before = after;
    }
}
