#include "assemble.h"

#include "../base/arena.h"
#include "choose.h"
#include "functions.h"
#include "microbatch.h"
#include "stream.h"
#include "terms.h"

#include <string.h>

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

/* ---- programs ---- */

static bool is_training(const Program *program)
{
    return !program->result;
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

/* The steps to the stage's loss and gradients, or the whole network's. */
static void plan_training(Plan *plan, Program *program)
{
    const Graph *graph = plan->graph;
    Node **roots = ARENA_ARRAY(Node *, graph->count + 1);
    int count = 0;
    for (int i = 0; i < graph->parameter_count; i++)
        for (Node *all = graph_gradient(graph, program->stage, i); all; all = gradient_before(all))
            roots[count++] = gradient_last(all);
    roots[count++] = graph_loss(graph, program->stage);
    plan_steps(plan, program, roots, count);
}

/* What a program of inference computes. */
static Node *output_of(const Plan *plan, const Program *program)
{
    const Graph *graph = plan->graph;
    if (node_is_loss(program->result))
        return graph_evaluation(graph, program->stage);
    if (program->stage)
        return graph->stages[program->stage - 1].output;
    return program == &plan->encode ? graph->latent : graph->output;
}

static void plan_program(Plan *plan, Program *program)
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
    plan->evaluations = ARENA_ARRAY(Program, plan->stage_count + 1);
    for (int i = 0; i < plan->stage_count; i++) {
        Node *output = plan->graph->stages[i].output;
        plan->stages[i] = (Program){ .name = arena_format("train stage %d", i + 1),
                                     .stage = i + 1,
                                     .grouped = plan->graph->grouped };
        plan->previews[i] = (Program){ .name = arena_format("reconstruct stage %d", i + 1),
                                       .stage = i + 1,
                                       .result = node_storage(output) };
        plan->evaluations[i] = (Program){ .name = arena_format("evaluate stage %d", i + 1),
                                          .stage = i + 1,
                                          .result = graph_evaluation(plan->graph, i + 1) };
    }
}

/* ---- the whole ---- */

Plan *plan_open(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = (Plan){ .graph = graph, .settings = settings, .tuning = tuning, .limit_report = "" };
    plan->forces = ARENA_ARRAY(Force, force_count + 1);
    if (force_count > 0)
        memcpy(plan->forces, forces, sizeof *forces * (size_t)force_count);
    plan->force_count = force_count;
    check_tuning(plan);
    plan->train = (Program){ .name = "train", .grouped = graph->grouped };
    plan->evaluate = (Program){ .name = "evaluate", .result = graph->evaluation };
    plan->encode = (Program){ .name = "encode", .result = node_storage(graph->latent) };
    plan->decode = (Program){ .name = "decode",
                              .given = node_storage(graph->latent),
                              .result = node_storage(graph->output) };
    plan->stream = (Program){ .name = "stream", .result = node_storage(graph->output) };
    if (reads_image(graph))
        plan->decode = (Program){ .name = "reconstruct", .result = node_storage(graph->output) };
    open_stages(plan);
    plan->loss_places = terms_places(graph);
    return plan;
}

void plan_choose_steps(Plan *plan)
{
    Program **programs;
    const int count = plan_programs(plan, &programs);
    for (int i = 0; i < count; i++)
        plan_program(plan, programs[i]);
    check_forces(plan);
}

void plan_finish(Plan *plan)
{
    plan_functions(plan);
    plan_microbatch(plan);
}
