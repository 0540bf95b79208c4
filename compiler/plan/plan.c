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
           a->rotated == b->rotated && a->up == b->up && a->stride == b->stride && a->pad_top == b->pad_top && a->pad_left == b->pad_left &&
           a->training == b->training && a->late == b->late;
}

bool plan_forms_apart(const Plan *plan)
{
    return plan->settings.stream || plan->settings.baked;
}

/* "encoder_conv1_kernel", "..._turned", and the block where two blockings of one parameter are wanted. */
static const char *form_name(Form *const *forms, int form_count, const Form *form)
{
    const char *base = arena_format("%s%s%s", plan_identifier(form->parameter->name), strcmp(form->kind, "plain") == 0 || strcmp(form->kind, "blocks") == 0 ? "" : arena_format("_%s", form->kind),
                                    form->rotated ? "_turned" : "");
    const char *name = base;
    for (int n = 2;; n++) {
        bool taken = false;
        for (int i = 0; i < form_count; i++)
            taken = taken || strcmp(forms[i]->name, name) == 0;
        if (!taken)
            return name;
        name = arena_format("%s_%d", base, n);
    }
}

/* The blocks from which a late form is turned; NULL: no forward pass reads such. */
static const Form *source_of(const Plan *plan, const Form *late)
{
    for (int i = 0; i < plan->form_count; i++) {
        const Form *f = plan->forms[i];
        if (f->parameter == late->parameter && f->training == late->training && !f->rotated && strcmp(f->kind, late->kind) == 0)
            return f;
    }
    return NULL;
}

/* The form among those there are that is the same as this one, or this one, added to them. */
static Form *add_form(Form **forms, int *count, Form *form, size_t align, size_t *reals)
{
    for (int k = 0; k < *count; k++)
        if (same_form(forms[k], form))
            return forms[k];
    form->name = form_name(forms, *count, form);
    form->offset = *reals;
    *reals += (form->count + align - 1) / align * align;
    forms[(*count)++] = form;
    return form;
}

/* `training`: the forms are for training alone. */
static void add_forms(Plan *plan, Step *step, bool training)
{
    const size_t align = 64 / (size_t)settings_real_bytes(&plan->settings);
    for (int i = 0; i < step->argument_count; i++) {
        Argument *a = &step->arguments[i];
        if (!a->form)
            continue;
        a->form->training = training;
        a->form->source = a->form->late ? source_of(plan, a->form) : NULL;
        a->form->late = a->form->source != NULL;
        if (a->form->late) {
            step->late_at = (step->scratch + align - 1) / align * align;
            step->scratch = step->late_at;
            a->form = add_form(plan->late_forms, &plan->late_count, a->form, align, &step->scratch);
            step->scratch = step->late_at + a->form->count;
            step->late = a->form;
        } else {
            a->form = add_form(plan->forms, &plan->form_count, a->form, align, training ? &plan->training_reals : &plan->prepared_reals);
        }
    }
}

/* ---- functions ---- */

static bool same_function(const Step *a, const Step *b)
{
    return a->kernel == b->kernel && a->core == b->core && a->bias == b->bias && a->act == b->act && a->pool == b->pool &&
           a->codes == b->codes;
}

/* Whether two nodes, or two values, come out the same from the same: of one operator, or leaf, with the same numbers, shapes and types. */
static bool same_kind(const Node *a, const Node *b)
{
    if (!a || !b)
        return a == b;
    bool same = a->op == b->op && a->type == b->type && shape_equal(a->shape, b->shape);
    for (int i = 0; a->op->numbers[i]; i++)
        same = same && a->number[i] == b->number[i];
    for (int i = 0; same && i < a->op->arity; i++)
        same = a->input[i]->type == b->input[i]->type && shape_equal(a->input[i]->shape, b->input[i]->shape);
    return same;
}

static bool same_arguments(const Step *a, const Step *b)
{
    bool same = a->argument_count == b->argument_count && a->number_count == b->number_count && a->scratch == b->scratch;
    for (int i = 0; same && i < a->argument_count; i++) {
        const Argument *x = &a->arguments[i], *y = &b->arguments[i];
        same = strcmp(x->name, y->name) == 0 && x->form == y->form && x->scratch == y->scratch && x->sum == y->sum && x->noise == y->noise &&
               !x->node == !y->node && (!x->node || (x->node->type == y->node->type && shape_equal(x->node->shape, y->node->shape)));
    }
    for (int i = 0; same && i < a->number_count; i++)
        same = strcmp(a->numbers[i].name, b->numbers[i].name) == 0 && a->numbers[i].value == b->numbers[i].value;
    return same;
}

/* Whether a step of a phase does to its arguments what a step of another one, of the whole network, or of the phase's own inference does. Forms are added
   already. */
static bool same_in_phases(const Step *a, const Step *b)
{
    bool copies = a->core->phase != b->core->phase || (a->core->phase && a->core->infer != b->core->infer);
    return copies && a->kernel == b->kernel && strcmp(a->layer, b->layer) == 0 && same_kind(a->core, b->core) &&
           same_kind(a->bias, b->bias) && same_kind(a->act, b->act) && same_kind(a->pool, b->pool) && same_kind(a->codes, b->codes) &&
           same_kind(a->d_act, b->d_act) && same_kind(a->d_pool, b->d_pool) && same_kind(a->db, b->db) && same_kind(a->dx, b->dx) &&
           same_arguments(a, b);
}

const char *plan_prefix(const Plan *plan)
{
    return plan->settings.library ? arena_format("%s_", plan->graph->name) : "";
}

static const char *function_name(const Plan *plan, const Step *step, const char *suffix)
{
    const char *base = arena_format("%s%s", plan_prefix(plan), plan_identifier(step->core->name));
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

static bool is_training(const Program *program)
{
    return !program->result;
}

/* Steps of inference that do just what a step of training does share its function; the others are called ..._infer. */
static void name_functions(Plan *plan, Program *program, const char *suffix)
{
    for (int i = 0; i < program->count; i++) {
        Step *step = program->steps[i];
        add_forms(plan, step, plan_forms_apart(plan) && is_training(program));
        for (int k = 0; k < plan->function_count && !step->function; k++)
            if (same_function(plan->functions[k], step) || same_in_phases(plan->functions[k], step))
                step->function = plan->functions[k]->function;
        if (step->function)
            continue;
        step->function = function_name(plan, step, step->core->infer ? "" : suffix);
        plan->functions[plan->function_count++] = step;
    }
}

/* ---- checks ---- */

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
            if (node_heads_stage(graph->stages[k]->core) && !graph->stages[k]->core->infer && !graph->stages[k]->core->phase) {
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

int plan_programs(const Plan *plan, Program ***programs)
{
    Plan *p = (Plan *)plan;
    int count = 0;
    *programs = ARENA_ARRAY(Program *, 3 + 2 * plan->phase_count);
    (*programs)[count++] = &p->train;
    if (plan->settings.stream) {
        (*programs)[count++] = &p->stream;
    } else {
        (*programs)[count++] = &p->encode;
        (*programs)[count++] = &p->decode;
    }
    for (int i = 0; i < plan->phase_count; i++) {
        (*programs)[count++] = &p->phases[i];
        (*programs)[count++] = &p->sights[i];
    }
    return count;
}

/* The steps to the phase's loss and gradients, or the whole network's. */
static void plan_training(Plan *plan, Program *program)
{
    const Graph *graph = plan->graph;
    Node **roots = ARENA_ARRAY(Node *, graph->parameter_count + 1);
    int count = 0;
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, program->phase, i))
            roots[count++] = graph_gradient(graph, program->phase, i);
    roots[count++] = graph_loss(graph, program->phase);
    plan_steps(plan, program, roots, count);
}

static void plan_phases(Plan *plan)
{
    plan->phase_count = plan->settings.library ? 0 : graph_parts(plan->graph);      /* a library trains the whole network alone */
    plan->phases = ARENA_ARRAY(Program, plan->phase_count + 1);
    plan->sights = ARENA_ARRAY(Program, plan->phase_count + 1);
    for (int i = 0; i < plan->phase_count; i++) {
        Node *output = plan->graph->phases[i].output;
        plan->phases[i] = (Program){ .name = arena_format("train stage %d", i + 1), .phase = i + 1 };
        plan->sights[i] = (Program){ .name = arena_format("reconstruct stage %d", i + 1), .phase = i + 1, .result = node_storage(output) };
        plan_training(plan, &plan->phases[i]);
        plan_steps(plan, &plan->sights[i], &output, 1);
    }
}

/* ---- changes for a limit of memory ---- */

static void add_force(Plan *plan, const char *stage, const char *pass, const Kernel *kernel)
{
    plan->forces[plan->force_count++] = (Force){ .stage = stage, .pass = pass, .kernel = kernel->name, .used = true };
}

/* The user's forces, and one for each pass whose kernel changed. */
static void set_forces(Plan *plan, const Force *forces, int force_count)
{
    plan->forces = ARENA_ARRAY(Force, force_count + 2 * plan->change_count + 1);
    memcpy(plan->forces, forces, sizeof *forces * (size_t)force_count);
    plan->force_count = force_count;
    for (int i = 0; i < plan->change_count; i++) {
        const Change *c = &plan->changes[i];
        if (c->kind == CHANGE_KERNEL && c->backward)
            add_force(plan, c->stage, "dx", c->kernel);
        if (c->kind == CHANGE_KERNEL)
            add_force(plan, c->stage, c->backward ? "dw" : "forward", c->kernel);
    }
}

static bool is_of(const Step *step, const char *pass)
{
    return strcmp(step->pass, pass) == 0;
}

/* dW of a stage before its dX: the stage's input, which dX does not read, may go before the gradient by it comes. */
static void put_dw_first(Program *program)
{
    for (int i = 0; i + 1 < program->count; i++) {
        Step *a = program->steps[i], *b = program->steps[i + 1];
        if (a->stage == b->stage && is_of(a, "dX") && is_of(b, "dW")) {
            program->steps[i] = b;
            program->steps[++i] = a;
        }
    }
}

static int find_step(const Program *program, const Node *core)
{
    for (int i = 0; i < program->count; i++)
        if (program->steps[i]->core == core && !program->steps[i]->repeats)
            return i;
    return -1;
}

static void repeat_step(Program *program, const Change *change)
{
    int from = find_step(program, change->core), to = find_step(program, change->reader);
    if (from < 0 || to < program->forward_count)
        return;
    Step *again = ARENA_NEW(Step), **steps = ARENA_ARRAY(Step *, program->count + 1);
    *again = *program->steps[from];
    again->repeats = true;
    again->pass = "again";
    again->macs = 0;                    /* the direct algorithm needs it once */
    memcpy(steps, program->steps, sizeof *steps * (size_t)to);
    steps[to] = again;
    memcpy(steps + to + 1, program->steps + to, sizeof *steps * (size_t)(program->count - to));
    program->steps = steps;
    program->count++;
}

Form *plan_turned_form(const Step *step)
{
    for (int i = 0; step->scratch && i < step->argument_count; i++) {
        Form *form = step->arguments[i].form;
        if (form && form->rotated && form->stride == 1 && strcmp(form->kind, "blocks") == 0)
            return form;
    }
    return NULL;
}

/* The turned form of the parameter is made late. */
static void make_late(const Program *program, const Node *parameter)
{
    for (int i = program->forward_count; i < program->count; i++) {
        Form *form = plan_turned_form(program->steps[i]);
        if (form && form->parameter == parameter)
            form->late = true;
    }
}

static void change_steps(const Plan *plan, Program *program)
{
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_LATE)
            make_late(program, plan->changes[i].parameter);
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_ORDER)
            put_dw_first(program);
    for (int i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_REPEAT)
            repeat_step(program, &plan->changes[i]);
}

/* ---- the whole ---- */

Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning)
{
    if (settings.memory_limit)
        return plan_limited(graph, settings, forces, force_count, tuning);
    return plan_changed(graph, settings, forces, force_count, tuning, NULL, 0);
}

Plan *plan_changed(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning, const Change *changes, int change_count)
{
    Plan *plan = ARENA_NEW(Plan);
    *plan = (Plan){ .graph = graph, .settings = settings, .tuning = tuning, .changes = changes, .change_count = change_count };
    for (int i = 0; i < change_count; i++)
        plan->straight = plan->straight || changes[i].kind == CHANGE_STRAIGHT;
    set_forces(plan, forces, force_count);
    check_tuning(plan);
    plan->train = (Program){ .name = "train" };
    plan->encode = (Program){ .name = "encode", .result = node_storage(graph->latent) };
    plan->decode = (Program){ .name = "decode", .given = node_storage(graph->latent), .result = node_storage(graph->output) };
    if (reads_image(graph))
        plan->decode = (Program){ .name = "reconstruct", .result = node_storage(graph->output) };
    if (!settings.no_training)
        plan_training(plan, &plan->train);
    if (settings.stream) {
        plan_stream(plan);
    } else {
        plan_steps(plan, &plan->encode, (Node *[]){ graph->latent }, 1);
        plan_steps(plan, &plan->decode, (Node *[]){ graph->output }, 1);
    }
    plan_phases(plan);
    check_forces(plan);
    Program **programs;
    int count = plan_programs(plan, &programs), steps = 0;
    for (int i = 0; i < count; i++) {
        if (is_training(programs[i]))
            change_steps(plan, programs[i]);
        steps += programs[i]->count;
    }
    plan->functions = ARENA_ARRAY(const Step *, steps);
    plan->forms = ARENA_ARRAY(Form *, steps * STEP_ARGUMENTS);
    plan->late_forms = ARENA_ARRAY(Form *, steps);
    for (int i = 0; i < count; i++)
        name_functions(plan, programs[i], programs[i]->rings ? "_row" : is_training(programs[i]) || settings.no_training ? "" : "_infer");
    plan_group(plan);
    return plan;
}
