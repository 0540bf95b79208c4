#include "plan.h"

#include "../base/arena.h"
#include "check.h"

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

static bool is_training(const Program *program)
{
    return !program->result;
}

/* ---- checks ---- */

static void check_forces(const Plan *plan)
{
    const Graph *graph = plan->graph;
    for (int i = 0; i < plan->force_count; i++) {
        const Force *f = &plan->forces[i];
        bool replaced = false; /* by a later one for the same fusion and direction */
        for (int k = i + 1; k < plan->force_count; k++)
            replaced = replaced
                       || (plan->forces[k].used && strcmp(plan->forces[k].fusion, f->fusion) == 0
                           && (!plan->forces[k].direction
                               || (f->direction
                                   && strcmp(plan->forces[k].direction, f->direction) == 0)));
        if (f->used || replaced)
            continue;
        Text names = { 0 };
        bool known = false;
        for (int k = 0; k < graph->fusion_count; k++)
            if (node_heads_fusion(graph->fusions[k]->core) && !graph->fusions[k]->core->infer
                && !graph->fusions[k]->core->stage) {
                text_add(&names, " %s", graph->fusions[k]->name);
                known = known || strcmp(graph->fusions[k]->name, f->fusion) == 0;
            }
        if (!known)
            fail_with(EXIT_USAGE,
                      "--kernel: there is no layer %s with a choice of kernels; there are:%s",
                      f->fusion, names.data ? names.data : " none");
        fail_with(EXIT_USAGE, "--kernel: %s does not compute %s%s%s", f->kernel, f->fusion,
                  f->direction ? "." : "", f->direction ? f->direction : "");
    }
}

static void check_tuning(const Plan *plan)
{
    const Tuning *t = plan->tuning;
    const char *real = plan->settings.real_double ? "double" : "float";
    if (t && (strcmp(t->target, plan->settings.target->name) != 0 || strcmp(t->real, real) != 0))
        fail_with(
            EXIT_INPUT,
            "--tuned: the times are of %s, %s, but this is for %s, %s; measure again with --tune",
            t->target, t->real, plan->settings.target->name, real);
}

bool plan_uses_openblas(const Plan *plan)
{
    for (int i = 0; i < plan->function_count; i++)
        if (plan->functions[i]->kernel->openblas)
            return true;
    return false;
}

/* Whether the output needs the image once the latent is known. */
static bool reads_image(const Graph *graph)
{
    const Node *latent = node_storage(graph->latent);
    bool *needed = ARENA_ARRAY(bool, graph->count);
    needed[graph->output->id] = true;
    for (int i = graph->output->id; i >= 0; i--)
        for (int k = 0; needed[i] && graph->nodes[i] != latent && k < graph->nodes[i]->op->arity;
             k++)
            needed[graph->nodes[i]->input[k]->id] = true;
    return needed[graph->input->id];
}

bool plan_decodes(const Plan *plan)
{
    return plan->decode.given != NULL;
}

int plan_programs(const Plan *plan, Program ***programs)
{
    Plan *p = (Plan *)plan;
    int count = 0;
    *programs = ARENA_ARRAY(Program *, 3 + 2 * plan->stage_count);
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
    return count;
}

/* The steps to the stage's loss and gradients, or the whole network's. */
static void plan_training(Plan *plan, Program *program)
{
    const Graph *graph = plan->graph;
    Node **roots = ARENA_ARRAY(Node *, graph->parameter_count + 1);
    int count = 0;
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, program->stage, i))
            roots[count++] = graph_gradient(graph, program->stage, i);
    roots[count++] = graph_loss(graph, program->stage);
    plan_steps(plan, program, roots, count);
}

/* What a program of inference computes. */
static Node *output_of(const Plan *plan, const Program *program)
{
    const Graph *graph = plan->graph;
    if (program->stage)
        return graph->stages[program->stage - 1].output;
    return program == &plan->encode ? graph->latent : graph->output;
}

void plan_program(Plan *plan, Program *program)
{
    if (program == &plan->stream)
        plan_stream(plan);
    else if (!is_training(program))
        plan_steps(plan, program, (Node *[]){ output_of(plan, program) }, 1);
    else if (!plan->settings.no_training)
        plan_training(plan, program);
}

static void open_stages(Plan *plan)
{
    /* a library trains the whole network alone */
    plan->stage_count = plan->settings.library ? 0 : graph_partial_stages(plan->graph);
    plan->stages = ARENA_ARRAY(Program, plan->stage_count + 1);
    plan->previews = ARENA_ARRAY(Program, plan->stage_count + 1);
    for (int i = 0; i < plan->stage_count; i++) {
        Node *output = plan->graph->stages[i].output;
        plan->stages[i] = (Program){ .name = arena_format("train stage %d", i + 1),
                                     .stage = i + 1 };
        plan->previews[i] = (Program){ .name = arena_format("reconstruct stage %d", i + 1),
                                       .stage = i + 1,
                                       .result = node_storage(output) };
    }
}

/* ---- the whole ---- */

Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning)
{
    Plan *plan = settings.memory_limit
                     ? plan_limited(graph, settings, forces, force_count, tuning)
                     : plan_with_savings(graph, settings, forces, force_count, tuning, NULL, 0);
    plan_check(plan);
    if (settings.memory_limit && plan_training_bytes(plan, 1) > settings.memory_limit)
        bug("plan: training takes %zu bytes, but the limit is %zu", plan_training_bytes(plan, 1),
            settings.memory_limit);
    return plan;
}

Plan *plan_open(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning, const MemorySaving *savings, int saving_count)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = (Plan){ .graph = graph,
                    .settings = settings,
                    .tuning = tuning,
                    .savings = savings,
                    .saving_count = saving_count };
    for (int i = 0; i < saving_count; i++)
        plan->accumulates_in_place = plan->accumulates_in_place
                                     || savings[i].kind == SAVING_IN_PLACE;
    plan_set_forces(plan, forces, force_count);
    check_tuning(plan);
    plan->train = (Program){ .name = "train" };
    plan->encode = (Program){ .name = "encode", .result = node_storage(graph->latent) };
    plan->decode = (Program){ .name = "decode",
                              .given = node_storage(graph->latent),
                              .result = node_storage(graph->output) };
    plan->stream = (Program){ .name = "stream", .result = node_storage(graph->output) };
    if (reads_image(graph))
        plan->decode = (Program){ .name = "reconstruct", .result = node_storage(graph->output) };
    open_stages(plan);
    return plan;
}

Plan *plan_with_savings(const Graph *graph, Settings settings, const Force *forces, int force_count,
                        const Tuning *tuning, const MemorySaving *savings, int saving_count)
{
    Plan *plan = plan_open(graph, settings, forces, force_count, tuning, savings, saving_count);
    Program **programs;
    const int count = plan_programs(plan, &programs);
    for (int i = 0; i < count; i++)
        plan_program(plan, programs[i]);
    check_forces(plan);
    for (int i = 0; i < count; i++)
        if (is_training(programs[i]))
            plan_apply_savings(plan, programs[i]);
    plan_functions(plan);
    plan_microbatch(plan);
    return plan;
}
