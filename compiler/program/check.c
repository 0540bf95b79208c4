#include "check.h"

#include "check_calls.h"
#include "check_lives.h"
#include "check_stream.h"
#include "check_values.h"

static const char *fault_in(const Plan *plan, const Program *program)
{
    Checker c = checker_open(plan, program);
    if (!c.fault) {
        check_lives(&c);
        check_values(&c);
    }
    checker_free(&c);
    return c.fault;
}

const char *plan_fault(const Plan *plan)
{
    Program **programs;
    const int count = plan_programs(plan, &programs);
    const char *fault = plan_fault_in_calls(plan);
    for (int i = 0; i < count && !fault; i++) {
        if (programs[i] == &plan->train && plan->settings.no_training)
            continue;
        fault = programs[i]->rings ? plan_fault_in_stream(plan) : fault_in(plan, programs[i]);
    }
    return fault;
}

void plan_check(const Plan *plan)
{
    const char *fault = plan_fault(plan);
    if (fault)
        bug("plan: %s", fault);
}
