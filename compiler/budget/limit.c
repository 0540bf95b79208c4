#include "limit.h"

#include "search.h"

/* On to the limit, or down to the bottom, and back as far as the limit allows, whichever is
   quicker: some savings only work together. */
int limit_savings(const Plan *plain, const MemorySaving **savings)
{
    const size_t limit = plain->settings.memory_limit;
    Search *on = search_open(plain);
    search_limit(on);
    const bool enough = on->now.bytes <= limit;
    Search *bottom = search_bottom(on);
    if (bottom->now.bytes > limit)
        fail_with(
            EXIT_INPUT,
            "--memory-limit %zu: the training of %s does not fit; the smallest limit that works is "
            "%zu bytes (%.2fM)",
            limit, plain->graph->name, bottom->now.bytes,
            (double)((bottom->now.bytes + 10485) / 10486) / 100);
    search_give_back(bottom);
    if (enough)
        search_give_back(on);
    Search *best = enough && on->now.cost <= bottom->now.cost ? on : bottom;
    search_account(best);
    *savings = best->savings;
    return best->count;
}
