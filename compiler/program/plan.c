#include "plan.h"

#include "../base/arena.h"

#include <ctype.h>
#include <string.h>

const char *plan_identifier(const char *name)
{
    char *copy = (char *)arena_copy(name, strlen(name));
    for (char *p = copy; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return copy;
}

const char *plan_graph_file(const Graph *graph)
{
    const char *slash = strrchr(graph->file, '/'), *name = slash ? slash + 1 : graph->file;
    char *copy = (char *)arena_copy(name, strlen(name));
    for (char *p = copy; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '_';
    return copy;
}

bool plan_packings_apart(const Plan *plan)
{
    return plan->settings.stream || plan->settings.baked;
}

const char *plan_prefix(const Plan *plan)
{
    return plan->settings.library ? arena_format("%s_", plan->graph->name) : "";
}

bool plan_uses_openblas(const Plan *plan)
{
    for (int i = 0; i < plan->function_count; i++)
        if (plan->functions[i]->kernel->openblas)
            return true;
    return false;
}

bool plan_decodes(const Plan *plan)
{
    return plan->decode.given != NULL;
}

bool plan_evaluates(const Plan *plan)
{
    return plan->graph->evaluation && !plan->settings.library;
}

bool step_takes_group(const Step *step)
{
    return step->core->op->of_group;
}

int plan_group_images(const Plan *plan)
{
    const int batch = plan->graph->training.batch, over = plan->graph->over;
    return over && over < batch ? over : batch;
}

bool plan_is_gradient(const Node *node)
{
    return node->parameter > 0;
}

const char *plan_gradient_of(const Graph *graph, const Node *gradient)
{
    return plan_identifier(graph->parameters[gradient->parameter - 1].node->name);
}

double program_macs(const Program *program)
{
    double sum = 0;
    for (int i = 0; i < program->count; i++)
        sum += program->steps[i]->macs;
    return sum;
}

int plan_programs(const Plan *plan, Program ***programs)
{
    Plan *p = (Plan *)plan;
    int count = 0;
    *programs = ARENA_ARRAY(Program *, 4 + 3 * plan->stage_count);
    (*programs)[count++] = &p->train;
    if (plan->settings.stream) {
        (*programs)[count++] = &p->stream;
    } else {
        (*programs)[count++] = &p->encode;
        (*programs)[count++] = &p->decode;
    }
    for (int i = 0; i < plan->stage_count; i++) {
        (*programs)[count++] = &p->stages[i];
        (*programs)[count++] = &p->previews[i];
    }
    if (!plan_evaluates(plan))
        return count;
    (*programs)[count++] = &p->evaluate;
    for (int i = 0; i < plan->stage_count; i++)
        (*programs)[count++] = &p->evaluations[i];
    return count;
}
