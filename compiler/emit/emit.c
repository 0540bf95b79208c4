#include "emit.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../ops/ops.h"
#include "emitter.h"
#include "holes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists for the skeletons ---- */

static const char *dims(Shape shape)
{
    const char *text = arena_format("%d", shape.dim[0]);
    for (int i = 1; i < shape.rank; i++)
        text = arena_format("%s, %d", text, shape.dim[i]);
    return text;
}

static void set_shape_fields(lua_State *L, const char *name, Shape shape)
{
    lua_newtable(L);
    set_number(L, "rank", shape.rank);
    set_text(L, "dims", dims(shape));
    set_text(L, "text", shape_text(shape));
    set_number(L, "count", (double)shape_count(shape));
    lua_setfield(L, -2, name);
}

/* Whether a program draws for its images, in a step from `first` on. */
static bool draws(const Program *program, int first)
{
    for (int i = first; i < program->count; i++)
        for (int k = 0; k < program->steps[i]->argument_count; k++)
            if (program->steps[i]->arguments[k].noise)
                return true;
    return false;
}

const char *shortest(double x)
{
    if (fabs(x) < 1e15 && x == floor(x))
        return arena_format("%.0f", x);
    for (int digits = 1;; digits++) {
        const char *text = arena_format("%.*g", digits, x);
        if (digits == 17 || strtod(text, NULL) == x)
            return text;
    }
}

static void set_parameters(lua_State *L, const Graph *graph)
{
    int64_t offset = 0;
    lua_newtable(L);
    for (int i = 0; i < graph->parameter_count; i++) {
        const Parameter *p = &graph->parameters[i];
        lua_newtable(L);
        set_text(L, "name", p->node->name);
        set_text(L, "id", upper(plan_identifier(p->node->name)));
        set_shape_fields(L, "shape", p->node->shape);
        set_number(L, "offset", (double)offset);
        set_text(L, "limit", shortest(p->limit));
        set_text(L, "fill", shortest(p->fill));
        append_item(L);
        offset += shape_count(p->node->shape);
    }
    lua_setfield(L, -2, "parameters");
    set_number(L, "parameter_reals", (double)offset);
}

/* The kernel of the layer that makes the output, where its last activation can leave a channel at 0 for ever. */
static int output_kernel(const Graph *graph)
{
    const Node *node = graph->output;
    bool dies = false;
    while (node && node->op->arity && !node_heads_stage(node)) {
        if (node_is(node, "concat") || node_is(node, "add") || node_is(node, "max_unpool2d"))       /* other layers have a part in it */
            return -1;
        dies = dies || node_is(node, "relu");
        node = node->input[0];
    }
    for (int i = 0; dies && i < graph->parameter_count; i++)
        if (node && graph->parameters[i].node == node->input[1])
            return i;
    return -1;
}

static double macs_of(const Program *program)
{
    double sum = 0;
    for (int i = 0; i < program->count; i++)
        sum += program->steps[i]->macs;
    return sum;
}

/* A value of a group of images: all of it for a step that takes the group at once, else image i's. */
static const char *in_group(const Plan *plan, const Step *step, const char *base, const Node *node)
{
    if (plan->group == 1 || step->kernel->grouped)
        return base;
    return arena_format("%s + i * %zu", base, plan_value_count(node));
}

static const char *workspace_expression(const Plan *plan, const Program *program, const Step *step, const Node *node)
{
    const Buffer *buffer = plan_value_at(program, step, node);
    if (!buffer)
        bug("%s does not lie in the workspace of %s", node->name, program->name);
    const char *base = arena_format("t->%s", buffer->name);
    return buffer->copies > 1 ? in_group(plan, step, base, node) : base;
}

/* Two rows of windows share the integers of their codes (kernels/codes.c.in), so a band ends behind an even unit where codes are written. */
static bool writes_codes(const Step *step)
{
    for (int i = 0; i < step->argument_count; i++)
        if (step->arguments[i].node && step->arguments[i].node->type == TYPE_CODE && step_writes(step, step->arguments[i].node))
            return true;
    return false;
}

/* Where the work of a band begins or ends. */
static const char *band_limit(const Step *step, bool first, int units)
{
    const char *limit = arena_format("%d * %s / bands", units, first ? "band" : "(band + 1)");
    if (!writes_codes(step))
        return limit;
    return first ? arena_format("%s / 2 * 2", limit) : arena_format("(band + 1 == bands ? %d : %s / 2 * 2)", units, limit);
}

static const char *argument_expression(const Plan *plan, const Program *program, const Step *step, const char *name, int units)
{
    const Graph *graph = plan->graph;
    bool first = strcmp(name, "first") == 0, group = plan->group > 1, alone = !program->result || group || plan->settings.library;
    if (first || strcmp(name, "last") == 0)
        return alone ? arena_format("%d", first ? 0 : units) : band_limit(step, first, units);
    if (strcmp(name, "n") == 0)
        return group ? "n" : "1";
    if (strcmp(name, "row") == 0)
        return "t";
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (strcmp(a->name, name) != 0)
            continue;
        if (a->form && a->form->late)
            return arena_format("t->%s + %zu", plan_scratch_at(program, step)->name, step->late_at);
        if (a->form)
            return arena_format("w + W_%s", upper(a->form->name));
        if (a->scratch)
            return step->streams ? "scratch" : arena_format("t->%s", plan_scratch_at(program, step)->name);
        if (a->sum)
            return arena_format("t->%s_sum", step->function);
        if (a->noise)
            return group ? "noise ? noise[i] : 0" : "noise";
        if (step->streams)
            return name;
        if (a->node == graph->input)
            return group ? "images[i]" : "image";
        if (a->node == program->given)
            return in_group(plan, step, group ? "latents" : "latent", a->node);
        if (a->node == program->result)
            return in_group(plan, step, arena_format("%s%s", program == &plan->encode ? "latent" : "output", group ? "s" : ""), a->node);
        if (node_is_loss(a->node))
            return group ? "losses + i" : "&loss";
        int parameter = plan_gradient_of(graph, a->node);
        if (parameter >= 0)
            return arena_format("gradient + P_%s", upper(plan_identifier(graph->parameters[parameter].node->name)));
        return workspace_expression(plan, program, step, a->node);
    }
    bug("%s has no argument %s", step->function, name);
}

/* words of the call: step.words, from the argument names that the expansion of its function left in model.argument_names. */
static void set_words(lua_State *L, const Plan *plan, const Program *program, const Step *step)
{
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
        const char *expression = argument_expression(plan, program, step, lua_tostring(L, -1), units);
        lua_pop(L, 1);
        lua_pushstring(L, expression);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -4, "words");
    lua_pop(L, 2);
}

/* step.late: the call that makes its late form; "" where it reads none. */
static void set_late(lua_State *L, const Plan *plan, const Program *program, const Step *step)
{
    set_text(L, "late", !step->late ? "" : arena_format("%smake_%s(w + W_%s, t->%s + %zu);", plan_prefix(plan), step->late->name,
                                                        upper(step->late->source->name), plan_scratch_at(program, step)->name, step->late_at));
}

/* "PLACE, COUNT, CHANNELS" of the value that a step of training leaves in the workspace; zeros where it leaves none there, or inference runs it. */
static const char *value_left(const Plan *plan, const Program *program, int place)
{
    const Step *step = program->steps[place];
    bool learns = place < program->forward_count && (step->core->op->heads_stage || step->core->op->value);
    for (int i = 0; i < program->buffer_count && !program->result; i++) {
        const Buffer *b = &program->buffers[i];
        if (b->node && b->node->type == TYPE_REAL && step_writes(step, b->node))
            return arena_format("%zu, %zu, %d", b->offset / (size_t)settings_real_bytes(&plan->settings), plan_value_count(b->node),
                                learns ? b->node->shape.dim[b->node->shape.rank - 1] : 0);
    }
    return "0, 0, 0";
}

static void set_steps(lua_State *L, const Plan *plan, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i < program->count; i++) {
        const Step *step = program->steps[i];
        lua_newtable(L);
        set_text(L, "call", step->function);
        set_text(L, "layer", step->layer);
        set_text(L, "pass", step->pass);
        set_text(L, "kernel", step->kernel->name);
        set_text(L, "macs", arena_format("%.17g", step->macs));
        set_text(L, "value", value_left(plan, program, i));
        set_text(L, "shape", shape_text((step->pool ? step->pool : step->core)->shape));
        set_text(L, "title", step_title(step));
        set_number(L, "line", step->core->loc.line);
        lua_getfield(L, 2, "units");
        lua_getfield(L, -1, step->function);
        bool divided = !lua_isnil(L, -1);
        lua_pop(L, 2);
        lua_pushboolean(L, divided);
        lua_setfield(L, -2, "divided");
        set_number(L, "run", program->run[i]);
        lua_pushboolean(L, step->kernel->grouped);
        lua_setfield(L, -2, "grouped");
        set_text(L, "flush", step->sums ? upper(plan_identifier(arena_format("%s.kernel", step->layer))) : "");
        set_words(L, plan, program, step);
        set_late(L, plan, program, step);
        append_item(L);
    }
    lua_setfield(L, -2, "steps");
}

/* Of a stream: what a step reads and writes, and where the rows lie. The table of the program is at the top. */
static void set_rings(lua_State *L, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i <= program->count; i++) {
        const Ring *r = &program->rings[i];
        const int *dim = r->node->shape.dim;
        const struct { const char *name; double value; } numbers[] = {
            { "rows", r->rows }, { "depth", r->depth }, { "left", r->left }, { "room", r->room }, { "at", (double)r->offset }, { "count", dim[1] * dim[2] },
        };
        lua_newtable(L);
        set_text(L, "text", shape_text(r->node->shape));
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            set_number(L, numbers[k].name, numbers[k].value);
        append_item(L);
    }
    lua_setfield(L, -2, "rings");
    lua_newtable(L);
    for (int i = 0; i < program->count; i++) {
        const Rows *r = &program->steps[i]->rows;
        lua_newtable(L);
        lua_pushstring(L, arena_format("%d, %d, %d, %d, %d, %d", r->times, r->from, r->to, r->over, r->count, r->pool));
        lua_setfield(L, -2, "numbers");
        append_item(L);
    }
    lua_setfield(L, -2, "rows");
    set_number(L, "latent_ring", program->latent_ring);
    set_number(L, "scratch_at", (double)program->scratch);
}

static void set_buffers(lua_State *L, const Plan *plan, const Program *program)
{
    lua_newtable(L);
    for (int i = 0; i < program->buffer_count; i++) {
        const Buffer *b = &program->buffers[i];
        bool codes = b->node && b->node->type != TYPE_REAL;
        lua_newtable(L);
        set_text(L, "name", b->name);
        set_text(L, "type", codes ? code_type(plan) : plan->settings.real_double ? "double" : "float");
        set_text(L, "shape", b->node ? shape_text(b->node->shape) : "");
        set_number(L, "offset", (double)b->offset);
        set_number(L, "bytes", (double)b->bytes);
        lua_pushboolean(L, !b->node && !b->sum);
        lua_setfield(L, -2, "scratch");
        lua_pushboolean(L, b->sum);
        lua_setfield(L, -2, "sum");
        set_number(L, "first", b->first);
        set_number(L, "last", b->last);
        set_number(L, "copies", b->copies);
        append_item(L);
    }
    lua_setfield(L, -2, "buffers");
}

static void set_program(lua_State *L, const Plan *plan, const Program *program, const char *field)
{
    lua_newtable(L);
    set_number(L, "bytes", (double)program->bytes);
    set_number(L, "forward_count", program->forward_count);
    set_text(L, "macs", arena_format("%.17g", macs_of(program)));
    lua_pushboolean(L, draws(program, 0));
    lua_setfield(L, -2, "draws");
    lua_pushboolean(L, draws(program, program->forward_count));
    lua_setfield(L, -2, "backward_draws");
    set_steps(L, plan, program);
    set_buffers(L, plan, program);
    if (program == &plan->stream)
        set_rings(L, program);
    lua_setfield(L, -2, field);
}

/* model.phases: what is trained one after another, the whole network last; none where that is all. */
static void set_phases(lua_State *L, const Plan *plan)
{
    const Graph *graph = plan->graph;
    lua_newtable(L);
    for (int i = 0; i < graph->phase_count; i++) {
        const Phase *phase = &graph->phases[i];
        const char *trains = "";
        for (int k = 0; k < graph->parameter_count; k++)
            trains = arena_format("%s%s%d", trains, k ? ", " : "", phase_trains(phase, graph_layer_of(graph, graph->parameters[k].node)));
        lua_newtable(L);
        set_text(L, "title", emit_phase_title(graph, phase));
        set_text(L, "loss", phase->loss);
        set_number(L, "epochs", phase->epochs);
        set_text(L, "trains", trains);
        if (i < plan->phase_count) {
            set_program(L, plan, &plan->phases[i], "train");
            set_program(L, plan, &plan->sights[i], "sight");
        }
        append_item(L);
    }
    lua_setfield(L, -2, "phases");
}

/* The bytes of a workspace that fits several programs. */
static double most_bytes(const Program *programs, int count, size_t least)
{
    size_t most = least;
    for (int i = 0; i < count; i++)
        most = programs[i].bytes > most ? programs[i].bytes : most;
    return (double)most;
}

static void set_forms(lua_State *L, const Plan *plan)
{
    lua_newtable(L);
    for (int i = 0; i < plan->form_count; i++) {
        const Form *form = plan->forms[i];
        lua_newtable(L);
        set_text(L, "name", form->name);
        set_text(L, "id", upper(form->name));
        set_text(L, "parameter", upper(plan_identifier(form->parameter->name)));
        set_number(L, "offset", (double)form->offset);
        set_number(L, "count", (double)form->count);
        lua_pushboolean(L, form->training);
        lua_setfield(L, -2, "training");
        append_item(L);
    }
    lua_setfield(L, -2, "forms");
    set_number(L, "prepared_reals", (double)plan->prepared_reals);
    set_number(L, "training_reals", (double)plan->training_reals);
}

/* `.name = "adam", .lr = 0.001, ...`, the numbers that are not 0 */
static const char *choice_text(const Choice *choice, const ChoiceSpec *spec)
{
    const char *text = arena_format(".name = \"%s\"", choice->word);
    for (int i = 0; spec->args[i].name; i++)
        if (choice->number[i] != 0)
            text = arena_format("%s, .%s = %s", text, spec->args[i].name, shortest(choice->number[i]));
    return text;
}

/* The members of model.h's ModelTraining, a line each. */
static void set_training(lua_State *L, const Training *t)
{
    const struct { const char *name; double value; } rest[] = {
        { "clip_norm", t->clip_norm }, { "global_clip_norm", t->global_clip_norm }, { "clip_value", t->clip_value },
        { "patience", t->patience }, { "min_delta", t->min_delta }, { "mirror", t->mirror },
    };
    const char *lines[] = {
        arena_format(".loss = \"%s\"", t->loss),
        arena_format(".optimizer = { %s }", choice_text(&t->optimizer, optimizer_find(t->optimizer.word))),
        arena_format(".schedule = { %s }", choice_text(&t->schedule, schedule_find(t->schedule.word))),
        arena_format(".batch = %d, .epochs = %d", t->batch, t->epochs),
    };
    const char *last = "";
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (rest[i].value != 0)
            last = arena_format("%s%s.%s = %s", last, *last ? ", " : "", rest[i].name, shortest(rest[i].value));
    lua_newtable(L);
    for (int i = 0; i < 5; i++) {
        lua_pushstring(L, i < 4 ? lines[i] : last);
        if (i < 4 || *last)
            lua_rawseti(L, -2, i + 1);
        else
            lua_pop(L, 1);
    }
    lua_setfield(L, -2, "training");
}

/* Whether kernels call exp, tanh or log: ours, which a loop takes several of at once, instead of the C library's. */
static bool own_math(const Plan *plan)
{
    bool calls = plan->settings.library;
    for (int i = 0; i < plan->graph->count && !plan->settings.real_double; i++) {
        const Node *node = plan->graph->nodes[i];
        calls = calls || (node->op->value && strchr(node->op->value, '(')) || node_is(node, "bce");
    }
    return calls;
}

static void set_texts(lua_State *L, const Plan *plan, const EmitOptions *options)
{
    const Graph *graph = plan->graph;
    Text summary = { 0 }, memory = { 0 }, limit = { 0 };
    emit_summary(&summary, graph);
    plan_print_memory(&memory, plan);
    plan_print_limit(&limit, plan);
    set_text(L, "model", graph->name);
    set_text(L, "MODEL", upper(graph->name));
    set_text(L, "file", plan_graph_file(graph));
    set_text(L, "target", plan->settings.target->name);
    set_text(L, "target_about", plan->settings.target->about);
    set_text(L, "target_helpers", plan->settings.target->helpers);
    set_number(L, "pointer_bits", plan->settings.target->pointer_bits);
    set_text(L, "clang_helpers", plan->settings.target->clang_helpers);
    set_text(L, "target_cmake", plan->settings.target->cmake);
    lua_pushboolean(L, plan->settings.target->hosted);
    lua_setfield(L, -2, "hosted");
    set_text(L, "features", plan->settings.target->features);
    set_text(L, "flags", plan->settings.target->flags);
    set_text(L, "version", options->version);
    set_text(L, "fingerprint", options->fingerprint);
    set_text(L, "options", options->options);
    set_text(L, "real", plan->settings.real_double ? "double" : "float");
    set_text(L, "summary", summary.data);
    set_text(L, "memory", memory.data);
    set_weight(L, plan);
    lua_pushboolean(L, plan->settings.baked);
    lua_setfield(L, -2, "baked");
    set_number(L, "vector_bytes", plan->settings.target->vector_bytes);
    set_number(L, "real_bytes", settings_real_bytes(&plan->settings));
    set_text(L, "CODE_TYPE", code_type(plan));
    set_number(L, "L", settings_lanes(&plan->settings));
    set_number(L, "output_kernel", output_kernel(graph));
    set_number(L, "group", plan->group);
    set_text(L, "memory_limit", plan->settings.memory_limit ? arena_format("%zu", plan->settings.memory_limit) : "");
    set_text(L, "limit", limit.data ? limit.data : "");
    lua_pushboolean(L, plan->straight);
    lua_setfield(L, -2, "straight");
    lua_pushboolean(L, plan->settings.library);
    lua_setfield(L, -2, "library");
    lua_pushboolean(L, own_math(plan));
    lua_setfield(L, -2, "own_math");
    lua_pushboolean(L, plan->settings.stream);
    lua_setfield(L, -2, "streams");
    lua_pushboolean(L, plan_uses_openblas(plan));
    lua_setfield(L, -2, "openblas");
    lua_pushboolean(L, plan_decodes(plan));
    lua_setfield(L, -2, "decodes");
}

/* The table of holes that the skeletons have. */
void push_model(lua_State *L, const Plan *plan, const EmitOptions *options)
{
    const Graph *graph = plan->graph;
    static const char *const lists[] = { "prototypes", "form_prototypes", "sources", "argument_names", "units", "args" };
    lua_newtable(L);
    set_texts(L, plan, options);
    set_shape_fields(L, "input", graph->input->shape);
    set_shape_fields(L, "latent", graph->latent->shape);
    set_shape_fields(L, "output", graph->output->shape);
    set_parameters(L, graph);
    set_forms(L, plan);
    set_training(L, &graph->training);
    set_number(L, "train_bytes", most_bytes(plan->phases, plan->phase_count, plan->train.bytes > 64 ? plan->train.bytes : 64));
    set_number(L, "infer_bytes", most_bytes(plan->sights, plan->phase_count, plan->encode.bytes > plan->decode.bytes ? plan->encode.bytes
                                                                                                                    : plan->decode.bytes));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, lists[i]);
    }
}

void set_programs(lua_State *L, const Plan *plan)
{
    set_program(L, plan, &plan->train, "train");
    set_program(L, plan, &plan->encode, "encode");
    set_program(L, plan, &plan->decode, "decode");
    if (plan->settings.stream)
        set_program(L, plan, &plan->stream, "stream");
    set_phases(L, plan);
}

/* ---- the output: programs, or one kernel ---- */

static void copy_runtime(Emitter *e)
{
    for (int i = 0; embedded_files[i].name; i++)
        if (strncmp(embedded_files[i].name, "runtime/", 8) == 0)
            emitter_copy(e, embedded_files[i].name, embedded_files[i].name);
}

void emit_model(const Plan *plan, const EmitOptions *options)
{
    const char *name = plan->graph->name;
    Emitter e = emitter_open(plan, options);
    emitter_kernels(&e);
    emitter_programs(&e);
    emitter_skeleton(&e, "emit/kernels.h.in", arena_format("%s_kernels.h", name));
    if (own_math(plan))
        emitter_skeleton(&e, "emit/math.h.in", arena_format("%s_math.h", name));
    emitter_skeleton(&e, "emit/supported.c.in", arena_format("%s_supported.c", name));
    emitter_skeleton(&e, "emit/model.h.in", arena_format("%s.h", name));
    emitter_skeleton(&e, plan->group > 1 ? "emit/model_group.c.in" : "emit/model.c.in", arena_format("%s.c", name));
    emitter_skeleton(&e, "emit/CMakeLists.txt.in", "CMakeLists.txt");
    emitter_skeleton(&e, "emit/README.md.in", "README.md");
    if (options->runtime)
        copy_runtime(&e);
    emitter_save(&e);
}

void emit_function(Text *out, const Plan *plan, const Step *step)
{
    lua_State *L = templates_open();
    push_step_holes(L, plan, step);
    *out = template_expand(L, arena_format("kernels/%s", step->kernel->text(step->core)));
    lua_close(L);
}
