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

/* ---- prepared weights ---- */

static bool same_form(const Form *a, const Form *b)
{
    return a->parameter == b->parameter && strcmp(a->kind, b->kind) == 0 && a->block == b->block && a->lanes == b->lanes &&
           a->rotated == b->rotated && a->up == b->up && a->stride == b->stride;
}

/* "encoder_conv1_kernel", "..._turned", and the block where two blockings of one parameter are wanted. */
static const char *form_name(const Plan *plan, const Form *form)
{
    const char *base = arena_format("%s%s%s", plan_identifier(form->parameter->name), strcmp(form->kind, "plain") == 0 || strcmp(form->kind, "blocks") == 0 ? "" : arena_format("_%s", form->kind),
                                    form->rotated ? "_turned" : "");
    const char *name = base;
    for (int n = 2;; n++) {
        bool taken = false;
        for (int i = 0; i < plan->form_count; i++)
            taken = taken || strcmp(plan->forms[i]->name, name) == 0;
        if (!taken)
            return name;
        name = arena_format("%s_%d", base, n);
    }
}

static void add_forms(Plan *plan, Step *step)
{
    const size_t align = 64 / (size_t)settings_real_bytes(&plan->settings);
    for (int i = 0; i < step->argument_count; i++) {
        Argument *a = &step->arguments[i];
        if (!a->form)
            continue;
        Form *found = NULL;
        for (int k = 0; k < plan->form_count; k++)
            if (same_form(plan->forms[k], a->form))
                found = plan->forms[k];
        if (!found) {
            found = a->form;
            found->name = form_name(plan, found);
            found->offset = plan->prepared_reals;
            plan->prepared_reals += (found->count + align - 1) / align * align;
            plan->forms[plan->form_count++] = found;
        }
        a->form = found;
    }
}

/* ---- functions ---- */

static bool same_function(const Step *a, const Step *b)
{
    return a->kernel == b->kernel && a->core == b->core && a->bias == b->bias && a->act == b->act && a->pool == b->pool &&
           a->codes == b->codes;
}

static const char *function_name(const Plan *plan, const Step *step, const char *suffix)
{
    const char *base = plan_identifier(step->core->name);
    if (strcmp(step->core->name, step->core->layer) == 0)
        base = arena_format("%s_forward", base);
    base = arena_format("%s%s", base, suffix);
    const char *name = base;
    for (int n = 2;; n++) {
        bool taken = false;
        for (int i = 0; i < plan->function_count; i++)
            taken = taken || strcmp(plan->functions[i]->function, name) == 0;
        if (!taken)
            return name;
        name = arena_format("%s_%d", base, n);
    }
}

/* Steps of inference that do just what a step of training does share its function; the others are called ..._infer. */
static void name_functions(Plan *plan, Program *program, const char *suffix)
{
    for (int i = 0; i < program->count; i++) {
        Step *step = program->steps[i];
        for (int k = 0; k < plan->function_count && !step->function; k++)
            if (same_function(plan->functions[k], step))
                step->function = plan->functions[k]->function;
        add_forms(plan, step);
        if (step->function)
            continue;
        step->function = function_name(plan, step, step->core->infer ? "" : suffix);
        plan->functions[plan->function_count++] = step;
    }
}

/* ---- the whole ---- */

static void check_forces(const Plan *plan)
{
    const Graph *graph = plan->graph;
    for (int i = 0; i < plan->force_count; i++) {
        const Force *f = &plan->forces[i];
        bool replaced = false;              /* by a later one for the same stage and pass */
        for (int k = i + 1; k < plan->force_count; k++)
            replaced = replaced || (plan->forces[k].used && strcmp(plan->forces[k].stage, f->stage) == 0 &&
                                    (!plan->forces[k].pass || (f->pass && strcmp(plan->forces[k].pass, f->pass) == 0)));
        if (f->used || replaced)
            continue;
        Text names = { 0 };
        bool known = false;
        for (int k = 0; k < graph->stage_count; k++)
            if (node_heads_stage(graph->stages[k]->core) && !graph->stages[k]->core->infer) {
                text_add(&names, " %s", graph->stages[k]->name);
                known = known || strcmp(graph->stages[k]->name, f->stage) == 0;
            }
        if (!known)
            fail_with(EXIT_USAGE, "--kernel: there is no stage %s; stages are:%s", f->stage, names.data ? names.data : " none");
        fail_with(EXIT_USAGE, "--kernel: %s does not compute %s%s%s", f->kernel, f->stage, f->pass ? "." : "", f->pass ? f->pass : "");
    }
}

static void check_tuning(const Plan *plan)
{
    const Tuning *t = plan->tuning;
    const char *real = plan->settings.real_double ? "double" : "float";
    if (t && (strcmp(t->target, plan->settings.target->name) != 0 || strcmp(t->real, real) != 0))
        fail_with(EXIT_INPUT, "--tuned: the times are of %s, %s, but this is for %s, %s; measure again with --tune", t->target, t->real,
                  plan->settings.target->name, real);
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
        for (int k = 0; needed[i] && graph->nodes[i] != latent && k < graph->nodes[i]->op->arity; k++)
            needed[graph->nodes[i]->input[k]->id] = true;
    return needed[graph->input->id];
}

bool plan_decodes(const Plan *plan)
{
    return plan->decode.given != NULL;
}

Plan *plan_make(const Graph *graph, Settings settings, Force *forces, int force_count, const Tuning *tuning)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = (Plan){ .graph = graph, .settings = settings, .forces = forces, .force_count = force_count, .tuning = tuning };
    check_tuning(plan);
    plan->train = (Program){ .name = "train" };
    plan->encode = (Program){ .name = "encode", .result = node_storage(graph->latent) };
    plan->decode = (Program){ .name = "decode", .given = node_storage(graph->latent), .result = node_storage(graph->output) };
    if (reads_image(graph))
        plan->decode = (Program){ .name = "reconstruct", .result = node_storage(graph->output) };
    Node **roots = ARENA_ARRAY(Node *, graph->parameter_count + 1);
    for (int i = 0; i < graph->parameter_count; i++)
        roots[i] = graph->parameters[i].gradient;
    roots[graph->parameter_count] = graph->loss;
    plan_steps(plan, &plan->train, roots, graph->parameter_count + 1);
    plan_steps(plan, &plan->encode, (Node *[]){ graph->latent }, 1);
    plan_steps(plan, &plan->decode, (Node *[]){ graph->output }, 1);
    check_forces(plan);
    Program *programs[] = { &plan->train, &plan->encode, &plan->decode };
    int steps = plan->train.count + plan->encode.count + plan->decode.count;
    plan->functions = ARENA_ARRAY(const Step *, steps);
    plan->forms = ARENA_ARRAY(Form *, steps * STEP_ARGUMENTS);
    for (int i = 0; i < 3; i++)
        name_functions(plan, programs[i], i == 0 ? "" : "_infer");
    plan_group(plan);
    return plan;
}
