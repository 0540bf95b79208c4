/* group.c - how many images go through the programs together, and which steps run image by image. */
#include "plan.h"

#include "../base/arena.h"

bool plan_is_grouped(const Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    for (int p = 0; p < count; p++)
        for (int i = 0; i < programs[p]->count; i++)
            if (programs[p]->steps[i]->kernel->grouped)
                return true;
    return false;
}

void plan_runs(Program *program)
{
    program->run = ARENA_ARRAY(int, program->count + 1);
    for (int i = 1; i < program->count; i++) {
        bool breaks = program->steps[i]->kernel->grouped || program->steps[i - 1]->kernel->grouped || i == program->forward_count;
        program->run[i] = program->run[i - 1] + breaks;
    }
}

int plan_first_group(const Plan *plan)
{
    int group = plan_is_grouped(plan) && !plan->settings.library ? GROUP_MOST : 1;
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_GROUP)
            group = plan->changes[i].group;
    return group;
}

void plan_group(Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    for (plan->group = plan_first_group(plan);; plan->group /= 2) {
        size_t most = 0;
        for (int p = 0; p < count; p++) {
            plan_runs(programs[p]);
            plan_memory(plan, programs[p]);
            most = programs[p]->bytes > most ? programs[p]->bytes : most;
        }
        if (plan->group <= GROUP_LEAST || most <= GROUP_BYTES)
            break;
    }
    for (int p = 0; p < count; p++)
        plan_name_buffers(plan, programs[p]);
}
