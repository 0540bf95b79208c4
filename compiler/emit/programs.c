#include "programs.h"

#include "../base/arena.h"
#include "../packing/codes.h"
#include "../program/memory.h"
#include "../program/terms.h"
#include "holes.h"
#include "summary.h"

#include <string.h>

/* Whether a program draws for its images, in a step from `first` on. */
static bool draws(const Program *program, int first)
{
    for (int i = first; i < program->count; i++)
        for (int k = 0; k < program->steps[i]->argument_count; k++)
            if (program->steps[i]->arguments[k].noise)
                return true;
    return false;
}

/* Whether the functions of the program take several images. */
static bool takes_images(const Plan *plan, const Program *program)
{
    return plan->microbatch > 1 || program->grouped;
}

/* A value of which each image has one: all of them for a batched step, else image i's. */
static const char *of_images(const Plan *plan, const Program *program, const Step *step,
                             const char *base, const Node *node)
{
    if (!takes_images(plan, program) || step->kernel->batched || step_takes_group(step)
        || node->op->of_group)
        return base;
    return arena_format("%s + i * %zu", base, plan_value_count(node));
}

static const char *workspace_expression(const Plan *plan, const Program *program, int place,
                                        const Node *node)
{
    const Step *step = program->steps[place];
    const Buffer *buffer = plan_value_at(program, place, node);
    if (!buffer)
        bug("%s does not lie in the workspace of %s", node->name, program->name);
    const char *base = arena_format("t->%s", buffer->name);
    return buffer->copies > 1 || buffer->shared ? of_images(plan, program, step, base, node) : base;
}

/* Of rows of windows that share the integers of the codes that a step writes, how many; 1: it
   writes none. */
static int rows_together(const Step *step)
{
    for (int i = 0; i < step->argument_count; i++) {
        const Node *node = step->arguments[i].node;
        if (node && node->type == TYPE_CODE && step_writes(step, node))
            return code_layout(node).down;
    }
    return 1;
}

/* Where the work of a band begins or ends: after units that share nothing with the next. */
static const char *band_limit(const Step *step, bool first, int units)
{
    const char *limit = arena_format("%d * %s / bands", units, first ? "band" : "(band + 1)");
    const int together = rows_together(step);
    if (together == 1)
        return limit;
    return first ? arena_format("%s / %d * %d", limit, together, together)
                 : arena_format("(band + 1 == bands ? %d : %s / %d * %d)", units, limit, together,
                                together);
}

static const char *loss_expression(const Plan *plan, const Program *program, const Node *node)
{
    const bool several = takes_images(plan, program);
    if (plan->loss_places == 1)
        return several ? "losses + i" : "&loss";
    const int place = terms_place(plan->graph, node);
    return several ? arena_format("losses + i * %d + %d", plan->loss_places, place)
                   : arena_format("losses + %d", place);
}

/* A value that the step reads or writes. */
static const char *value_expression(const Plan *plan, const Program *program, int place,
                                    const Node *node)
{
    const Graph *graph = plan->graph;
    const Step *step = program->steps[place];
    const bool several = takes_images(plan, program);
    if (node == graph->input)
        return several ? "images[i]" : "image";
    if (node_is_loss(node))
        return loss_expression(plan, program, node);
    if (node == program->given)
        return of_images(plan, program, step, several ? "latents" : "latent", node);
    if (node == program->result)
        return of_images(plan, program, step,
                         arena_format("%s%s", program == &plan->encode ? "latent" : "output",
                                      several ? "s" : ""),
                         node);
    if (plan_is_gradient(node))
        return arena_format("gradient + P_%s", upper(plan_gradient_of(graph, node)));
    return workspace_expression(plan, program, place, node);
}

static const char *packing_expression(const Program *program, int place, const Packing *packing)
{
    return packing->on_use ? arena_format("t->%s + %zu", plan_scratch_at(program, place)->name,
                                          program->steps[place]->on_use_at)
                           : arena_format("w + W_%s", upper(packing->name));
}

static const char *find_expression(const Plan *plan, const Program *program, int place,
                                   const Argument *a)
{
    const Step *step = program->steps[place];
    if (a->packing)
        return packing_expression(program, place, a->packing);
    if (a->scratch)
        return step->streams ? "scratch"
                             : arena_format("t->%s", plan_scratch_at(program, place)->name);
    if (a->sum)
        return arena_format("t->%s_sum", step->name);
    if (a->noise)
        return takes_images(plan, program) ? "noise ? noise[i] : 0" : "noise";
    return step->streams ? a->name : value_expression(plan, program, place, a->node);
}

static const char *argument_expression(const Plan *plan, const Program *program, int place,
                                       const char *name, int units)
{
    const Step *step = program->steps[place];
    bool first = strcmp(name, "first") == 0, several = takes_images(plan, program),
         alone = !program->result || node_is_loss(program->result) || several
                 || plan->settings.library;
    if (first || strcmp(name, "last") == 0)
        return alone ? arena_format("%d", first ? 0 : units) : band_limit(step, first, units);
    if (strcmp(name, "n") == 0)
        return several ? "n" : "1";
    if (strcmp(name, "row") == 0)
        return "t";
    for (int i = 0; i < step->argument_count; i++)
        if (strcmp(step->arguments[i].name, name) == 0)
            return find_expression(plan, program, place, &step->arguments[i]);
    bug("%s has no argument %s", step->function, name);
}

/* words of the call: step.words, from the argument names that the expansion of its function left in
   model.argument_names. */
static void set_words(lua_State *L, const Plan *plan, const Program *program, int place)
{
    const Step *step = program->steps[place];
    lua_getfield(L, 2, "units");
    lua_getfield(L, -1, step->function);
    int units = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
    lua_getfield(L, 2, "argument_names");
    lua_getfield(L, -1, step->function);
    lua_newtable(L);
    int count = (int)lua_length(L, -2);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, -2, i);
        const char *expression = argument_expression(plan, program, place, lua_tostring(L, -1),
                                                     units);
        lua_pop(L, 1);
        lua_pushstring(L, expression);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -4, "words");
    lua_pop(L, 2);
}

/* step.on_use: the call that makes the packing it reads; "" if there is none. */
static void set_on_use(lua_State *L, const Plan *plan, const Program *program, int place)
{
    const Step *step = program->steps[place];
    set_text(L, "on_use",
             !step->on_use ? ""
                           : arena_format("%smake_%s(w + W_%s, t->%s + %zu);", plan_prefix(plan),
                                          step->on_use->name, upper(step->on_use->source->name),
                                          plan_scratch_at(program, place)->name, step->on_use_at));
}

/* "PLACE, COUNT, CHANNELS" of the value that a step of training leaves in the workspace, of a
   recomputed step where that one leaves it; zeros where it leaves none there, or inference runs
   it. */
static const char *value_left(const Plan *plan, const Program *program, int place)
{
    const Step *step = program->steps[place];
    bool learns = place < program->forward_count
                  && (node_heads_fusion(step->core) || step->core->op->value || step->act);
    const Buffer *left = NULL; /* the first of those that the step writes */
    for (int i = 0; i < step->argument_count && !program->result; i++) {
        const Node *node = step->arguments[i].node;
        const Buffer *b = node && node->type == TYPE_REAL && step_writes(step, node)
                              ? plan_value_at(program, place, node)
                              : NULL;
        left = b && (!left || b < left) ? b : left;
    }
    if (left)
        return arena_format("%zu, %zu, %d",
                            (left->offset + (left->shared ? program->bytes : 0))
                                / (size_t)settings_real_bytes(&plan->settings),
                            plan_value_count(left->node),
                            learns ? left->node->shape.dim[left->node->shape.rank - 1] : 0);
    return "0, 0, 0";
}

/* Whether the function is divided into units that threads can share. */
static bool is_divided(lua_State *L, const Step *step)
{
    lua_getfield(L, 2, "units");
    lua_getfield(L, -1, step->function);
    bool divided = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return divided;
}

static void set_step(lua_State *L, const Plan *plan, const Program *program, int place)
{
    const Step *step = program->steps[place];
    set_text(L, "call", step->function);
    set_text(L, "own", step->name);
    set_text(L, "layer", step->layer);
    set_text(L, "direction", step->direction);
    set_text(L, "kernel", step->kernel->name);
    set_text(L, "macs", arena_format("%.17g", step->macs));
    set_text(L, "value", value_left(plan, program, place));
    set_text(L, "shape", shape_text((step->pool ? step->pool : step->core)->shape));
    set_text(L, "title", step_title(step));
    set_number(L, "line", step->core->loc.line);
    set_bool(L, "divided", is_divided(L, step));
    set_number(L, "segment", program->segment[place]);
    set_number(L, "phase", program->phase ? program->phase[place] : 0);
    set_bool(L, "batched", step->kernel->batched);
    set_bool(L, "takes_group", step_takes_group(step));
    set_text(L, "flush", step->sums ? upper(plan_gradient_of(plan->graph, step->core)) : "");
    set_words(L, plan, program, place);
    set_on_use(L, plan, program, place);
}

static void set_steps(lua_State *L, const Plan *plan, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i < program->count; i++) {
        lua_newtable(L);
        set_step(L, plan, program, i);
        append_item(L);
    }
    lua_setfield(L, -2, "steps");
}

/* Where the rows of a value lie. */
static void set_ring(lua_State *L, const Ring *r)
{
    const int *dim = r->node->shape.dim;
    set_text(L, "text", shape_text(r->node->shape));
    set_number(L, "rows", r->rows);
    set_number(L, "depth", r->depth);
    set_number(L, "left", r->left);
    set_number(L, "room", r->room);
    set_number(L, "at", (double)r->offset);
    set_number(L, "count", dim[1] * dim[2]);
}

/* Of a stream: what a step reads and writes, and where the rows lie. The table of the program is at
   the top. */
static void set_rings(lua_State *L, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i <= program->count; i++) {
        lua_newtable(L);
        set_ring(L, &program->rings[i]);
        append_item(L);
    }
    lua_setfield(L, -2, "rings");
    lua_newtable(L);
    for (int i = 0; i < program->count; i++) {
        const Rows *r = &program->steps[i]->rows;
        lua_newtable(L);
        set_text(L, "numbers",
                 arena_format("%d, %d, %d, %d, %d, %d", r->times, r->from, r->to, r->over, r->count,
                              r->pool));
        append_item(L);
    }
    lua_setfield(L, -2, "rows");
    set_number(L, "latent_ring", program->latent_ring);
    set_number(L, "scratch_at", (double)program->scratch);
}

/* The reals of the flat gradient that a phase adds to: from the first parameter whose gradient it
   makes to the last. */
static void set_range(lua_State *L, const Plan *plan, const Program *program, int phase)
{
    const Graph *graph = plan->graph;
    int64_t at = 0, from = 0, to = 0;
    for (int i = 0; i < graph->parameter_count; i++) {
        Node *gradient = graph_gradient(graph, program->stage, i);
        const int64_t end = at + shape_count(graph->parameters[i].node->shape);
        for (int s = 0; s < program->count && gradient; s++) {
            if (program->phase[s] != phase || !step_adds_to(program->steps[s], gradient))
                continue;
            from = to ? from : at;
            to = end;
        }
        at = end;
    }
    set_number(L, "from", (double)from);
    set_number(L, "to", (double)to);
}

/* Of each parameter what an update leaves of it where the program sees it as a statistic, else
   -1. */
static void set_momenta(lua_State *L, const Plan *plan, const Program *program)
{
    const Graph *graph = plan->graph;
    lua_newtable(L);
    for (int i = 0; i < graph->parameter_count; i++) {
        const bool seen = graph_statistic(graph, program->stage, i) != NULL;
        lua_pushstring(L, arena_format("%.17g", seen ? graph->parameters[i].momentum : -1));
        append_item(L);
    }
    lua_setfield(L, -2, "momenta");
}

/* The phases of training in groups, with their first and last steps. */
static void set_phases(lua_State *L, const Plan *plan, const Program *program)
{
    lua_newtable(L);
    for (int first = 0, last; first < program->count; first = last + 1) {
        for (last = first;
             last + 1 < program->count && program->phase[last + 1] == program->phase[first]; last++)
            ;
        lua_newtable(L);
        set_number(L, "number", program->phase[first]);
        set_number(L, "first", first);
        set_number(L, "last", last);
        set_bool(L, "alone", step_takes_group(program->steps[first]));
        set_range(L, plan, program, program->phase[first]);
        append_item(L);
    }
    lua_setfield(L, -2, "phases");
}

static void set_buffers(lua_State *L, const Plan *plan, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i < program->buffer_count; i++) {
        const Buffer *b = &program->buffers[i];
        bool codes = b->node && b->node->type != TYPE_REAL;
        lua_newtable(L);
        set_text(L, "name", b->name);
        set_text(L, "type",
                 codes                        ? code_type(plan)
                 : plan->settings.real_double ? "double"
                                              : "float");
        set_text(L, "shape", b->node ? shape_text(b->node->shape) : "");
        set_number(L, "offset", (double)b->offset);
        set_number(L, "bytes", (double)b->bytes);
        set_bool(L, "scratch", !b->node && !b->sum);
        set_bool(L, "sum", b->sum);
        set_bool(L, "shared", b->shared);
        set_number(L, "count",
                   b->shared && !b->node->op->of_group ? (double)plan_value_count(b->node) : 0);
        set_number(L, "phase", program->phase[b->made]);
        set_number(L, "first", b->first);
        set_number(L, "last", b->last);
        set_number(L, "copies", b->copies);
        append_item(L);
    }
    lua_setfield(L, -2, "buffers");
}

static int column_of(const Plan *plan, const Node *term)
{
    const char *const *columns;
    const int count = terms_columns(plan->graph, &columns);
    int i = 0;
    while (i < count && strcmp(columns[i], term->op->loss) != 0)
        i++;
    return i;
}

/* Of training: in which column and place each term is; none where there are no columns. */
static void set_terms(lua_State *L, const Plan *plan, const Program *program)
{
    const char *const *columns;
    const Node **terms;
    const bool listed = !program->result && terms_columns(plan->graph, &columns) > 0;
    const int count = listed ? terms_of(plan->graph, program->stage, &terms) : 0;
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        lua_newtable(L);
        set_number(L, "column", column_of(plan, terms[i]));
        set_number(L, "place", terms_place(plan->graph, terms[i]));
        append_item(L);
    }
    lua_setfield(L, -2, "terms");
}

/* What all programs of training share of the loss. */
static void set_columns(lua_State *L, const Plan *plan)
{
    const char *const *columns;
    const int count = terms_columns(plan->graph, &columns);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, columns[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "columns");
    set_number(L, "loss_places", plan->loss_places);
    const bool l1 = terms_penalizes(plan->graph, false), l2 = terms_penalizes(plan->graph, true);
    set_bool(L, "penalizes", l1 || l2);
    set_number(L, "l1_column", l1 ? count - 1 - l2 : -1);
    set_number(L, "l2_column", l2 ? count - 1 : -1);
}

static void set_program(lua_State *L, const Plan *plan, const Program *program, const char *field)
{
    lua_newtable(L);
    set_terms(L, plan, program);
    set_number(L, "bytes", (double)program->bytes);
    set_number(L, "shared_bytes", (double)program->shared_bytes);
    set_number(L, "phase_count", program->phase_count);
    set_number(L, "forward_count", program->forward_count);
    set_text(L, "macs", arena_format("%.17g", program_macs(program)));
    set_bool(L, "draws", draws(program, 0));
    set_bool(L, "backward_draws", draws(program, program->forward_count));
    set_steps(L, plan, program);
    set_buffers(L, plan, program);
    if (program->grouped) {
        set_phases(L, plan, program);
        set_momenta(L, plan, program);
    }
    if (program == &plan->stream)
        set_rings(L, program);
    lua_setfield(L, -2, field);
}

/* model.stages: what is trained one after another, the whole network last; none where that is
   all. */
static void set_stages(lua_State *L, const Plan *plan)
{
    const Graph *graph = plan->graph;
    lua_newtable(L);
    for (int i = 0; i < graph->stage_count; i++) {
        const Stage *stage = &graph->stages[i];
        const char *trains = "";
        for (int k = 0; k < graph->parameter_count; k++)
            trains = arena_format("%s%s%d", trains, k ? ", " : "",
                                  graph_trains(graph, stage->whole ? 0 : i + 1, k));
        lua_newtable(L);
        set_text(L, "title", emit_stage_title(graph, stage));
        set_text(L, "loss", stage->loss.text);
        set_number(L, "epochs", stage->epochs);
        set_text(L, "trains", trains);
        if (i < plan->stage_count) {
            set_program(L, plan, &plan->stages[i], "train");
            set_program(L, plan, &plan->previews[i], "preview");
            if (plan_evaluates(plan))
                set_program(L, plan, &plan->evaluations[i], "evaluate");
        }
        append_item(L);
    }
    lua_setfield(L, -2, "stages");
}

void set_programs(lua_State *L, const Plan *plan)
{
    set_columns(L, plan);
    set_program(L, plan, &plan->train, "train");
    set_program(L, plan, &plan->encode, "encode");
    set_program(L, plan, &plan->decode, "decode");
    if (plan->settings.stream)
        set_program(L, plan, &plan->stream, "stream");
    if (plan_evaluates(plan))
        set_program(L, plan, &plan->evaluate, "evaluate");
    set_stages(L, plan);
}
