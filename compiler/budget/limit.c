#include "limit.h"

#include "../base/arena.h"
#include "../program/training.h"
#include "search.h"

static _Noreturn void refuse(const Plan *plan, size_t smallest, const char *instead)
{
    fail_with(EXIT_INPUT,
              "--memory-limit %zu: the training of %s does not fit; the smallest limit that works "
              "is %zu bytes (%.2fM)%s",
              plan->settings.memory_limit, plan->graph->name, smallest,
              (double)((smallest + 10485) / 10486) / 100, instead);
}

/* What makes groups smaller, by the word of a layer that takes something of one; "" where they are
   single images. */
static const char *smaller_groups(const Plan *plan)
{
    const Graph *graph = plan->graph;
    const int images = plan_group_images(plan);
    for (int i = 0; i < graph->count && images > 1; i++)
        if (graph->nodes[i]->op->of_group)
            return arena_format(", as %s keeps values of %d images at the same time; give it over "
                                "= fewer images, or training a smaller batch",
                                graph->nodes[i]->word, images);
    return "";
}

/* On to the limit, or down to the bottom, and back as far as the limit allows, whichever is
   quicker: some savings only work together. */
int limit_savings(const Plan *plain, const MemorySaving **savings)
{
    const size_t limit = plain->settings.memory_limit;
    if (plain->graph->grouped)
        refuse(plain, plan_training_bytes(plain, 1), smaller_groups(plain));
    Search *on = search_open(plain);
    search_limit(on);
    const bool enough = on->now.bytes <= limit;
    Search *bottom = search_bottom(on);
    if (bottom->now.bytes > limit)
        refuse(plain, bottom->now.bytes, "");
    search_give_back(bottom);
    if (enough)
        search_give_back(on);
    Search *best = enough && on->now.cost <= bottom->now.cost ? on : bottom;
    search_account(best);
    *savings = best->savings;
    return best->count;
}
