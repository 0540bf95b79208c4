#include "report.h"

#include "../base/arena.h"
#include "../program/training.h"

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

const char *limit_report(const Plan *plan, const MemorySaving *savings, int count)
{
    Text out = { 0 };
    const char *unit = plan->tuning ? "us" : "cycles";
    const double cost = plan_training_cost(plan);
    size_t saved = 0;
    double added = 0;
    text_add(
        &out,
        "memory limit %zu bytes: training takes %zu on one thread, pictures apart; threads that "
        "fit: %d\n",
        plan->settings.memory_limit, plan_training_bytes(plan, 1), threads_within(plan));
    if (count)
        text_add(&out, "    %12s %14s  what it took\n", "bytes saved",
                 arena_format("%s added", unit));
    for (int i = 0; i < count; i++) {
        const MemorySaving *c = &savings[i];
        text_add(&out, "    %12zu %14.3g  %s\n", c->bytes, c->cost, saving_text(c));
        saved += c->bytes;
        added += c->cost;
    }
    if (count)
        text_add(&out,
                 "    %12zu %14.3g  in all: by the estimate an image takes %.2f times as long\n",
                 saved, added, cost / (cost - added));
    return out.data;
}
