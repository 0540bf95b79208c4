/* functions.c - which C functions and which forms of weights a plan's steps need, and which of them are the same. */
#include "plan.h"

#include "../base/arena.h"

#include <string.h>

/* ---- prepared weights ---- */

static bool same_form(const Form *a, const Form *b)
{
    return a->parameter == b->parameter && strcmp(a->kind, b->kind) == 0 && a->block == b->block && a->lanes == b->lanes &&
           a->rotated == b->rotated && a->up == b->up && a->stride == b->stride && a->pad_top == b->pad_top && a->pad_left == b->pad_left &&
           a->training == b->training && a->late == b->late;
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

void plan_functions(Plan *plan, Program *program, const char *suffix)
{
    for (int i = 0; i < program->count; i++) {
        Step *step = program->steps[i];
        add_forms(plan, step, plan_forms_apart(plan) && !program->result);
        for (int k = 0; k < plan->function_count && !step->function; k++)
            if (same_function(plan->functions[k], step) || same_in_phases(plan->functions[k], step))
                step->function = plan->functions[k]->function;
        if (step->function)
            continue;
        step->function = function_name(plan, step, step->core->infer ? "" : suffix);
        plan->functions[plan->function_count++] = step;
    }
}
