#include "microbatch.h"

#include "../base/arena.h"
#include "memory.h"

static bool is_batched(const Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    for (int p = 0; p < count; p++)
        for (int i = 0; i < programs[p]->count; i++)
            if (programs[p]->steps[i]->kernel->batched)
                return true;
    return false;
}

static void set_phases(Program *program)
{
    program->phase = ARENA_ARRAY(int, program->count + 1);
    for (int i = 1; i < program->count; i++)
        program->phase[i] = program->phase[i - 1]
                            + (step_takes_group(program->steps[i])
                               != step_takes_group(program->steps[i - 1]));
    program->phase_count = program->count ? program->phase[program->count - 1] + 1 : 1;
}

void plan_segments(Program *program)
{
    set_phases(program);
    program->segment = ARENA_ARRAY(int, program->count + 1);
    for (int i = 1; i < program->count; i++) {
        bool breaks = program->steps[i]->kernel->batched || program->steps[i - 1]->kernel->batched
                      || (i == program->forward_count && !program->grouped)
                      || program->phase[i] != program->phase[i - 1];
        program->segment[i] = program->segment[i - 1] + breaks;
    }
}

int plan_first_microbatch(const Plan *plan)
{
    if (plan->microbatch_at_most)
        return plan->microbatch_at_most;
    return is_batched(plan) && !plan->settings.library ? MAX_MICROBATCH : 1;
}

void plan_microbatch(Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    for (plan->microbatch = plan_first_microbatch(plan);; plan->microbatch /= 2) {
        size_t most = 0;
        for (int p = 0; p < count; p++) {
            plan_segments(programs[p]);
            plan_memory(plan, programs[p]);
            most = programs[p]->bytes > most ? programs[p]->bytes : most;
        }
        if (plan->microbatch <= MIN_MICROBATCH || most <= MICROBATCH_BYTES)
            break;
    }
    for (int p = 0; p < count; p++)
        plan_name_buffers(plan, programs[p]);
}
