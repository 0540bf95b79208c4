/* group.c - how many images go through the programs together, and which steps run image by image. */
#include "plan.h"

#include "../base/arena.h"

/* A group spreads the reading of a dense layer's weights, and OpenBLAS's packing of them, over its images; more images gain little, and leave large batches in
   fewer chunks for threads. The values of a group stay within the limit as long as two images do. */
enum { GROUP_MOST = 32, GROUP_LEAST = 2 };
static const size_t memory_limit = 128u << 20;

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

void plan_group(Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    bool grouped = plan_is_grouped(plan);
    plan->group = grouped && !plan->settings.library ? GROUP_MOST : 1;
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_GROUP)
            plan->group = plan->changes[i].group;
    for (;; plan->group /= 2) {
        size_t most = 0;
        for (int p = 0; p < count; p++) {
            plan_runs(programs[p]);
            plan_memory(plan, programs[p]);
            most = programs[p]->bytes > most ? programs[p]->bytes : most;
        }
        if (plan->group <= GROUP_LEAST || most <= memory_limit)
            break;
    }
    for (int p = 0; p < count; p++)
        plan_name_buffers(plan, programs[p]);
}
