#include "make.h"

#include "../program/assemble.h"
#include "../program/check.h"
#include "../program/training.h"
#include "limit.h"
#include "report.h"

static bool fits(const Plan *plan)
{
    return plan_training_bytes(plan, 1) <= plan->settings.memory_limit;
}

/* The plan, or the same one with savings. */
static Plan *within_limit(Plan *plan)
{
    const MemorySaving *savings = NULL;
    const int count = fits(plan) ? 0 : limit_savings(plan, &savings);
    if (count)
        plan = plan_with_savings(plan, savings, count);
    if (!fits(plan))
        bug("plan: training takes %zu bytes, but the limit is %zu", plan_training_bytes(plan, 1),
            plan->settings.memory_limit);
    plan->limit_report = limit_report(plan, savings, count);
    return plan;
}

Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning)
{
    Plan *plan = plan_open(graph, settings, forces, force_count, tuning);
    plan_choose_steps(plan);
    plan_finish(plan);
    if (settings.memory_limit)
        plan = within_limit(plan);
    plan_check(plan);
    return plan;
}
