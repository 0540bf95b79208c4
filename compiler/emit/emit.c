#include "emit.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../ops/ops.h"
#include "emitter.h"
#include "holes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists for the skeletons; those of programs are made in programs.c ---- */

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

/* The kernel of the layer that makes the output, where its last activation can leave a channel at 0
   for ever. */
static int output_kernel(const Graph *graph)
{
    const Node *node = graph->output;
    bool dies = false;
    while (node && node->op->arity && !node_heads_fusion(node)) {
        /* other layers have a part in it */
        if (node->op->inputs_from_layers)
            return -1;
        dies = dies || activation_is_zero_below(node);
        node = node->input[0];
    }
    for (int i = 0; dies && i < graph->parameter_count; i++)
        if (node && graph->parameters[i].node == node->input[1])
            return i;
    return -1;
}

/* The bytes of a workspace that fits several programs. */
static double most_bytes(const Program *programs, int count, size_t least)
{
    size_t most = least;
    for (int i = 0; i < count; i++)
        most = programs[i].bytes > most ? programs[i].bytes : most;
    return (double)most;
}

/* The parameters of a packing, in the order of its function's arguments. */
static void set_packing_parameters(lua_State *L, const Packing *packing)
{
    const Node *one;
    lua_newtable(L);
    for (int i = 0; (one = packing_parameter(packing, i)) != NULL; i++) {
        lua_pushstring(L, upper(plan_identifier(one->name)));
        append_item(L);
    }
    lua_setfield(L, -2, "parameters");
}

void push_packing_row(lua_State *L, const Packing *packing)
{
    lua_newtable(L);
    set_text(L, "name", packing->name);
    set_text(L, "id", upper(packing->name));
    set_packing_parameters(L, packing);
    set_number(L, "offset", (double)packing->offset);
    set_number(L, "count", (double)packing->count);
    lua_pushboolean(L, packing->training);
    lua_setfield(L, -2, "training");
}

static void set_packings(lua_State *L, const Plan *plan)
{
    lua_newtable(L);
    for (int i = 0; i < plan->packing_count; i++) {
        push_packing_row(L, plan->packings[i]);
        append_item(L);
    }
    lua_setfield(L, -2, "packings");
    set_number(L, "prepared_reals", (double)plan->prepared_reals);
    set_number(L, "training_reals", (double)plan->training_reals);
}

/* `.name = "adam", .lr = 0.001, ...`, the numbers that are not 0 */
static const char *choice_text(const Choice *choice, const ChoiceSpec *spec)
{
    const char *text = arena_format(".name = \"%s\"", choice->word);
    for (int i = 0; spec->args[i].name; i++)
        if (choice->number[i] != 0)
            text = arena_format("%s, .%s = %s", text, spec->args[i].name,
                                shortest(choice->number[i]));
    return text;
}

/* The members of model.h's ModelTraining, a line each. */
static void set_training(lua_State *L, const Training *t)
{
    const struct {
        const char *name;
        double value;
    } rest[] = {
        { "clip_norm", t->clip_norm },   { "global_clip_norm", t->global_clip_norm },
        { "clip_value", t->clip_value }, { "patience", t->patience },
        { "min_delta", t->min_delta },   { "mirror", t->mirror },
    };
    const char *lines[] = {
        arena_format(".loss = \"%s\"", t->loss),
        arena_format(".optimizer = { %s }",
                     choice_text(&t->optimizer, optimizer_find(t->optimizer.word))),
        arena_format(".schedule = { %s }",
                     choice_text(&t->schedule, schedule_find(t->schedule.word))),
        arena_format(".batch = %d, .epochs = %d", t->batch, t->epochs),
    };
    const char *last = "";
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (rest[i].value != 0)
            last = arena_format("%s%s.%s = %s", last, *last ? ", " : "", rest[i].name,
                                shortest(rest[i].value));
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

/* Whether kernels call exp, tanh or log: ours, which a loop takes several of at once, instead of
   the C library's. */
static bool own_math(const Plan *plan)
{
    bool calls = plan->settings.library;
    for (int i = 0; i < plan->graph->count && !plan->settings.real_double; i++) {
        const Node *node = plan->graph->nodes[i];
        calls = calls || (node->op->value && strchr(node->op->value, '(')) || node->op->calls_math;
    }
    return calls;
}

/* Whether kernels call erf, which few do. */
static bool calls_erf(const Graph *graph)
{
    bool calls = false;
    for (int i = 0; i < graph->count; i++) {
        const Op *op = graph->nodes[i]->op;
        calls = calls || (op->value && strstr(op->value, "erf("));
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
    set_text(L, "kernel_flags", kernel_flags);
    set_text(L, "gcc_flags", gcc_flags);
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
    set_number(L, "microbatch", plan->microbatch);
    set_text(L, "memory_limit",
             plan->settings.memory_limit ? arena_format("%zu", plan->settings.memory_limit) : "");
    set_text(L, "limit", limit.data ? limit.data : "");
    lua_pushboolean(L, plan->accumulates_in_place);
    lua_setfield(L, -2, "accumulates_in_place");
    lua_pushboolean(L, plan->settings.library);
    lua_setfield(L, -2, "library");
    lua_pushboolean(L, own_math(plan));
    lua_setfield(L, -2, "own_math");
    lua_pushboolean(L, calls_erf(graph));
    lua_setfield(L, -2, "calls_erf");
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
    static const char *const lists[] = { "prototypes", "packing_prototypes",
                                         "sources",    "argument_names",
                                         "units",      "args" };
    lua_newtable(L);
    set_texts(L, plan, options);
    set_shape_fields(L, "input", graph->input->shape);
    set_shape_fields(L, "latent", graph->latent->shape);
    set_shape_fields(L, "output", graph->output->shape);
    set_parameters(L, graph);
    set_packings(L, plan);
    set_training(L, &graph->training);
    set_number(L, "train_bytes",
               most_bytes(plan->stages, plan->stage_count,
                          plan->train.bytes > 64 ? plan->train.bytes : 64));
    set_number(L, "infer_bytes",
               most_bytes(plan->previews, plan->stage_count,
                          plan->encode.bytes > plan->decode.bytes ? plan->encode.bytes
                                                                  : plan->decode.bytes));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, lists[i]);
    }
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
    emitter_skeleton(&e, "kernels.h.in", arena_format("%s_kernels.h", name));
    if (own_math(plan))
        emitter_skeleton(&e, "math.h.in", arena_format("%s_math.h", name));
    emitter_skeleton(&e, "supported.c.in", arena_format("%s_supported.c", name));
    emitter_skeleton(&e, "model.h.in", arena_format("%s.h", name));
    emitter_skeleton(&e, plan->microbatch > 1 ? "model_microbatch.c.in" : "model.c.in",
                     arena_format("%s.c", name));
    emitter_skeleton(&e, "CMakeLists.txt.in", "CMakeLists.txt");
    emitter_skeleton(&e, "README.md.in", "README.md");
    if (options->runtime)
        copy_runtime(&e);
    emitter_save(&e);
}

void emit_function(Text *out, const Plan *plan, const Step *step)
{
    lua_State *L = templates_open();
    push_step_holes(L, plan, step);
    *out = template_expand(L, step->kernel->text(step->core));
    lua_close(L);
}
