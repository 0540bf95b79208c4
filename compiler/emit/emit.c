#include "emit.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../ops/ops.h"
#include "holes.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 4096 };

typedef struct Emitter {
    lua_State *L;               /* template.lua's expand is at index 1, the model's holes at index 2 */
    const Plan *plan;
    const EmitOptions *options;
    const char *folder;
    SavedText *files;
    int file_count;
} Emitter;

static const char *upper(const char *name)
{
    char *copy = (char *)arena_copy(name, strlen(name));
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}

/* ---- templates ---- */

static int push_embedded(lua_State *L)
{
    const EmbeddedFile *file = embedded_find(luaL_checkstring(L, 1));
    lua_pushlstring(L, file->text, file->length);
    return 1;
}

static lua_State *open_templates(void)
{
    lua_State *L = lua_new_trusted();
    const EmbeddedFile *file = embedded_find("emit/template.lua");
    if (lua_load_text(L, file->text, file->length, "=template.lua") != 0)
        bug("%s", lua_tostring(L, -1));
    lua_pushcfunction(L, push_embedded);
    if (lua_pcall(L, 1, 1, 0) != 0)
        bug("%s", lua_tostring(L, -1));
    return L;
}

/* Expands a template with the table of holes at the top of the stack, which it replaces by the prototype, the list of argument names and the number of
   units (nil: the work is not divided). */
static Text expand(lua_State *L, const char *name)
{
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_pushstring(L, name);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 4, 0) != 0)
        bug("%s", lua_tostring(L, -1));
    Text text = { 0 };
    text_append(&text, lua_tostring(L, -4), lua_length(L, -4));
    lua_remove(L, -4);
    return text;
}

static void add_file(Emitter *e, const char *name, Text text)
{
    if (e->file_count == MAX_FILES)
        bug("more than %d files", MAX_FILES);
    for (int i = 0; i < e->file_count; i++)
        if (strcmp(e->files[i].path, arena_format("%s/%s", e->folder, name)) == 0)
            fail(e->plan->graph->loc, "autoencoder: two files of the emitted C would be called %s; choose another name than \"%s\"", name,
                 e->plan->graph->name);
    e->files[e->file_count++] = (SavedText){ arena_format("%s/%s", e->folder, name), text };
}

/* ---- lists for the skeletons ---- */

static void append_item(lua_State *L)       /* the table at the top goes to the end of the list below it */
{
    lua_rawseti(L, -2, (int)lua_length(L, -2) + 1);
}

/* Sets model.<list>[#+1] = the value at the top of the stack. */
static void append_to(lua_State *L, const char *list)
{
    lua_getfield(L, 2, list);
    lua_insert(L, -2);
    append_item(L);
    lua_pop(L, 1);
}

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

/* The shortest decimal that gives the number back. */
static const char *shortest(double x)
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
    const char *base = arena_format("t->%s", plan_identifier(node->name));
    for (int i = 0; i < program->buffer_count; i++)
        if (program->buffers[i].node == node && program->buffers[i].copies > 1)
            return in_group(plan, step, base, node);
    return base;
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
    bool first = strcmp(name, "first") == 0, group = plan->group > 1, alone = !program->result || group;
    if (first || strcmp(name, "last") == 0)
        return alone ? arena_format("%d", first ? 0 : units) : band_limit(step, first, units);
    if (strcmp(name, "n") == 0)
        return "n";
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (strcmp(a->name, name) != 0)
            continue;
        if (a->form)
            return arena_format("w + W_%s", upper(a->form->name));
        if (a->scratch)
            return arena_format("t->%s_scratch", step->function);
        if (a->sum)
            return arena_format("t->%s_sum", step->function);
        if (a->noise)
            return group ? "noise ? noise[i] : 0" : "noise";
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
        append_item(L);
    }
    lua_setfield(L, -2, "steps");
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
        append_item(L);
    }
    lua_setfield(L, -2, "forms");
    set_number(L, "prepared_reals", (double)plan->prepared_reals);
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

static void set_texts(lua_State *L, const Plan *plan, const EmitOptions *options)
{
    const Graph *graph = plan->graph;
    Text summary = { 0 }, memory = { 0 };
    emit_summary(&summary, graph);
    plan_print_memory(&memory, plan);
    set_text(L, "model", graph->name);
    set_text(L, "MODEL", upper(graph->name));
    set_text(L, "file", plan_graph_file(graph));
    set_text(L, "target", plan->settings.target->name);
    set_text(L, "target_about", plan->settings.target->about);
    set_text(L, "features", plan->settings.target->features);
    set_text(L, "flags", plan->settings.target->flags);
    set_text(L, "version", options->version);
    set_text(L, "fingerprint", options->fingerprint);
    set_text(L, "options", options->options);
    set_text(L, "real", plan->settings.real_double ? "double" : "float");
    set_text(L, "summary", summary.data);
    set_text(L, "memory", memory.data);
    set_number(L, "vector_bytes", plan->settings.target->vector_bytes);
    set_number(L, "real_bytes", settings_real_bytes(&plan->settings));
    set_text(L, "CODE_TYPE", code_type(plan));
    set_number(L, "L", settings_lanes(&plan->settings));
    set_number(L, "output_kernel", output_kernel(graph));
    set_number(L, "group", plan->group);
    lua_pushboolean(L, plan_uses_openblas(plan));
    lua_setfield(L, -2, "openblas");
    lua_pushboolean(L, plan_decodes(plan));
    lua_setfield(L, -2, "decodes");
}

/* The holes of the skeletons, at index 2 of the stack. */
static void push_model(lua_State *L, const Plan *plan, const EmitOptions *options)
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

/* ---- files ---- */

/* Appends the function that ends a chunk, and its prototype to the list. */
static void emit_flush(Emitter *e, const Step *step, Text *text)
{
    lua_State *L = e->L;
    push_flush_holes(L, e->plan, step);
    Text flush = expand(L, arena_format("kernels/%s", step->kernel->flush_text));
    text_add(text, "\n%s", flush.data);
    lua_pop(L, 2);
    append_to(L, "prototypes");
}

/* model.<table>.<key> = the value at the top of the stack, which goes. */
static void keep(lua_State *L, const char *table, const char *key)
{
    lua_getfield(L, 2, table);
    lua_insert(L, -2);
    lua_setfield(L, -2, key);
    lua_pop(L, 1);
}

static void emit_steps(Emitter *e)
{
    lua_State *L = e->L;
    for (int i = 0; i < e->plan->function_count; i++) {
        const Step *step = e->plan->functions[i];
        const char *file = arena_format("%s.c", step->function);
        push_step_holes(L, e->plan, step);
        Text text = expand(L, arena_format("kernels/%s", step->kernel->text(step->core)));
        if (step->sums)
            emit_flush(e, step, &text);
        add_file(e, file, text);
        keep(L, "units", step->function);
        keep(L, "argument_names", step->function);
        append_to(L, "prototypes");
        lua_pushstring(L, file);
        append_to(L, "sources");
    }
}

static void emit_forms(Emitter *e)
{
    lua_State *L = e->L;
    const char *file = arena_format("%s_prepare.c", e->plan->graph->name);
    Text text = { 0 };
    text_add(&text, "/* The weights in the forms that the kernels read. */\n#include \"%s_kernels.h\"\n", e->plan->graph->name);
    for (int i = 0; i < e->plan->form_count; i++) {
        const Form *form = e->plan->forms[i];
        push_form_holes(L, e->plan, form);
        Text one = expand(L, arena_format("kernels/form_%s.c.in", form->kind));
        text_add(&text, "\n%s", one.data);
        lua_pop(L, 2);
        append_to(L, "form_prototypes");
    }
    add_file(e, file, text);
    lua_pushstring(L, file);
    append_to(L, "sources");
}

static void emit_skeleton(Emitter *e, const char *template, const char *file)
{
    lua_pushvalue(e->L, 2);
    add_file(e, file, expand(e->L, template));
    lua_pop(e->L, 3);
}

static void copy_runtime(Emitter *e)
{
    for (int i = 0; embedded_files[i].name; i++) {
        if (strncmp(embedded_files[i].name, "runtime/", 8) != 0)
            continue;
        Text text = { 0 };
        text_append(&text, embedded_files[i].text, embedded_files[i].length);
        add_file(e, embedded_files[i].name, text);
    }
}

/* Sources that an earlier caec listed in this folder's CMakeLists.txt and that are no longer written: their names, to be removed once all is saved. */
static const char **stale_sources(const Emitter *e, int *count)
{
    const char *list = arena_format("%s/CMakeLists.txt", e->folder);
    const char **stale = ARENA_ARRAY(const char *, MAX_FILES);
    if (!text_exists(list))
        return stale;
    Text old = text_read(list, 1 << 20);
    for (const char *p = old.data; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        size_t n = strcspn(p, "\n");
        if (n < 5 || strncmp(p, "  ", 2) != 0 || strncmp(p + n - 2, ".c", 2) != 0 || memchr(p + 2, '/', n - 2))
            continue;
        const char *path = arena_format("%s/%s", e->folder, arena_copy(p + 2, n - 2));
        bool written = false;
        for (int i = 0; i < e->file_count; i++)
            written = written || strcmp(e->files[i].path, path) == 0;
        if (!written && *count < MAX_FILES)
            stale[(*count)++] = path;
    }
    return stale;
}

void emit_model(const Plan *plan, const EmitOptions *options)
{
    const char *name = plan->graph->name;
    Emitter e = { .L = open_templates(), .plan = plan, .options = options, .files = ARENA_ARRAY(SavedText, MAX_FILES) };
    e.folder = arena_format("%s/%s", options->directory, name);
    push_model(e.L, plan, options);
    emit_steps(&e);
    emit_forms(&e);
    lua_pushvalue(e.L, 2);
    set_program(e.L, plan, &plan->train, "train");
    set_program(e.L, plan, &plan->encode, "encode");
    set_program(e.L, plan, &plan->decode, "decode");
    set_phases(e.L, plan);
    lua_pop(e.L, 1);
    emit_skeleton(&e, "emit/kernels.h.in", arena_format("%s_kernels.h", name));
    emit_skeleton(&e, "emit/supported.c.in", arena_format("%s_supported.c", name));
    emit_skeleton(&e, "emit/model.h.in", arena_format("%s.h", name));
    emit_skeleton(&e, plan->group > 1 ? "emit/model_group.c.in" : "emit/model.c.in", arena_format("%s.c", name));
    emit_skeleton(&e, "emit/CMakeLists.txt.in", "CMakeLists.txt");
    emit_skeleton(&e, "emit/README.md.in", "README.md");
    if (options->runtime)
        copy_runtime(&e);
    lua_close(e.L);
    int stale_count = 0;
    const char **stale = stale_sources(&e, &stale_count);
    text_save_all(e.files, e.file_count);
    for (int i = 0; i < stale_count; i++)
        remove(stale[i]);
}

void emit_function(Text *out, const Plan *plan, const Step *step)
{
    lua_State *L = open_templates();
    push_step_holes(L, plan, step);
    *out = expand(L, arena_format("kernels/%s", step->kernel->text(step->core)));
    lua_close(L);
}
