#include "emit.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../ops/ops.h"
#include "../program/print.h"
#include "holes.h"
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    bool all = true, warms = false;
    lua_newtable(L);
    for (int i = 0; i < graph->parameter_count; i++) {
        const Parameter *p = &graph->parameters[i];
        lua_newtable(L);
        set_bool(L, "trained", !p->non_trainable);
        all = all && !p->non_trainable;
        set_text(L, "name", p->node->name);
        set_text(L, "id", upper(plan_identifier(p->node->name)));
        set_shape_fields(L, "shape", graph_shape_as_written(graph, p->node->shape));
        set_number(L, "offset", (double)offset);
        set_text(L, "limit", shortest(p->limit));
        set_text(L, "fill", shortest(p->fill));
        set_bool(L, "penalized", p->l1 > 0 || p->l2 > 0);
        set_text(L, "l1", shortest(p->l1));
        set_text(L, "l2", shortest(p->l2));
        set_text(L, "warmup", shortest(p->warmup));
        warms = warms || p->warmup > 0;
        append_item(L);
        offset += shape_count(p->node->shape);
    }
    lua_setfield(L, -2, "parameters");
    set_number(L, "parameter_reals", (double)offset);
    set_bool(L, "all_trained", all);
    set_bool(L, "warms", warms);
}

/* The layer that makes the output, and how a channel of it that is 0 for ever shows there. */
typedef struct OutputLayer {
    int kernel; /* among the parameters; -1: no channel can die, or others have a part in it */
    int block;  /* its channels are pixels of blocks of so many a side; 1: channels */
    bool moved; /* as some constant, which need not be 0 */
} OutputLayer;

static int kernel_of(const Graph *graph, const Node *node)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if (node_heads_fusion(node) && graph->parameters[i].node == node->input[1])
            return i;
    return -1;
}

/* Whether training has what its batch has seen in the place of one of the node's inputs: what is 0
   for a picture by itself need not be so there. */
static bool reads_statistic(const Graph *graph, const Node *node)
{
    for (int i = 0; i < graph->parameter_count; i++)
        for (int k = 0; graph->parameters[i].statistic && k < node->op->arity; k++)
            if (node->input[k] == graph->parameters[i].node)
                return true;
    return false;
}

static OutputLayer output_layer(const Graph *graph)
{
    OutputLayer layer = { .kernel = -1, .block = 1 };
    const Node *node = graph->output;
    bool dies = false, moves = false; /* something behind the node */
    for (; node->op->arity && !node_heads_fusion(node); node = node->input[0]) {
        const Op *op = node->op;
        if (op->inputs_from_layers || reads_statistic(graph, node))
            return layer;
        if (activation_is_zero_below(node)) {
            dies = true;
            layer.moved = moves;
        }
        moves = moves || node_has_role(node, ROLE_ACTIVATION)
                || (op->moves_zero && op->moves_zero(node));
        layer.block *= op->spreads_channels ? node_number(node, "size") : 1;
    }
    layer.kernel = dies ? kernel_of(graph, node) : -1;
    return layer;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The bytes of a workspace that fits several programs. */
static size_t most_bytes(const Program *programs, int count, size_t least)
{
    size_t most = least;
    for (int i = 0; i < count; i++)
        most = larger(programs[i].bytes, most);
    return most;
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
    set_text(L, "id", packing->made ? "SCALING" : upper(packing->name));
    if (packing->from) {
        push_packing_row(L, packing->from);
        lua_setfield(L, -2, "from");
    }
    set_bool(L, "learns", packing->learns);
    set_packing_parameters(L, packing);
    set_number(L, "offset", (double)packing->offset);
    set_number(L, "count", (double)packing->count);
    set_bool(L, "training", packing->training);
}

static void set_packings(lua_State *L, const Plan *plan)
{
    bool all_learn = true;
    lua_newtable(L);
    for (int i = 0; i < plan->packing_count; i++) {
        push_packing_row(L, plan->packings[i]);
        append_item(L);
        all_learn = all_learn && plan->packings[i]->learns;
    }
    lua_setfield(L, -2, "packings");
    set_bool(L, "all_learn", all_learn);
    set_number(L, "scaling_reals", (double)plan->scaling_reals);
    set_number(L, "scaling_at", (double)plan->scaling_at);
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

/* `.clip_norm = 1, .patience = 5`, the numbers that are not 0; "" where all are */
static const char *rest_text(const Training *t)
{
    const struct {
        const char *name;
        double value;
    } rest[] = {
        { "clip_norm", t->clip_norm },   { "global_clip_norm", t->global_clip_norm },
        { "clip_value", t->clip_value }, { "patience", t->patience },
        { "min_delta", t->min_delta },   { "mirror", t->mirror },
    };
    const char *text = "";
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (rest[i].value != 0)
            text = arena_format("%s%s.%s = %s", text, *text ? ", " : "", rest[i].name,
                                shortest(rest[i].value));
    return text;
}

/* The members of model.h's ModelTraining, a line each. */
static void set_training(lua_State *L, const Training *t)
{
    const char *const lines[] = {
        arena_format(".loss = \"%s\"", t->loss.text),
        arena_format(".optimizer = { %s%s }",
                     choice_text(&t->optimizer, optimizer_find(t->optimizer.word)),
                     t->ema > 0 ? arena_format(", .ema = %s", shortest(t->ema)) : ""),
        arena_format(".schedule = { %s }",
                     choice_text(&t->schedule, schedule_find(t->schedule.word))),
        arena_format(".batch = %d, .epochs = %d", t->batch, t->epochs),
        rest_text(t),
    };
    lua_newtable(L);
    for (int i = 0; i < 5 && *lines[i]; i++) {
        lua_pushstring(L, lines[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "training");
}

bool own_math(const Plan *plan)
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

static void set_target(lua_State *L, const Target *target)
{
    set_text(L, "target", target->name);
    set_text(L, "target_about", target->about);
    set_text(L, "target_helpers", target->helpers);
    set_text(L, "clang_helpers", target->clang_helpers);
    set_text(L, "target_cmake", target->cmake);
    set_text(L, "features", target->features);
    set_text(L, "flags", target->flags);
    set_text(L, "kernel_flags", kernel_flags);
    set_text(L, "gcc_flags", gcc_flags);
    set_number(L, "pointer_bits", target->pointer_bits);
    set_number(L, "vector_bytes", target->vector_bytes);
    set_bool(L, "hosted", target->hosted);
}

/* What was asked for, and by what. */
static void set_settings(lua_State *L, const Settings *settings, const EmitOptions *options)
{
    set_text(L, "version", options->version);
    set_text(L, "fingerprint", options->fingerprint);
    set_text(L, "options", options->options);
    set_text(L, "real", settings->real_double ? "double" : "float");
    set_number(L, "real_bytes", settings_real_bytes(settings));
    set_number(L, "L", settings_lanes(settings));
    set_text(L, "memory_limit",
             settings->memory_limit ? arena_format("%zu", settings->memory_limit) : "");
    set_bool(L, "baked", settings->baked);
    set_bool(L, "library", settings->library);
    set_bool(L, "streams", settings->stream);
}

/* What the plan is, and says of itself. */
static void set_plan(lua_State *L, const Plan *plan)
{
    Text summary = { 0 }, memory = { 0 };
    emit_summary(&summary, plan->graph);
    plan_print_memory(&memory, plan);
    set_text(L, "summary", summary.data);
    set_text(L, "memory", memory.data);
    set_text(L, "limit", plan->limit_report);
    set_weight(L, plan);
    set_text(L, "CODE_TYPE", code_type(plan));
    OutputLayer output = output_layer(plan->graph);
    set_number(L, "output_kernel", output.kernel);
    set_number(L, "output_block", output.kernel < 0 ? 1 : output.block);
    set_bool(L, "output_moved", output.kernel >= 0 && output.moved);
    set_bool(L, "latent_is_normal", node_storage(plan->graph->latent)->op->normal);
    set_number(L, "microbatch", plan->microbatch);
    set_bool(L, "grouped", plan->graph->grouped);
    set_number(L, "over", plan->graph->over);
    set_number(L, "group_images", plan_group_images(plan));
    set_bool(L, "accumulates_in_place", plan->accumulates_in_place);
    set_bool(L, "own_math", own_math(plan));
    set_bool(L, "calls_erf", calls_erf(plan->graph));
    set_bool(L, "openblas", plan_uses_openblas(plan));
    set_bool(L, "decodes", plan_decodes(plan));
}

/* The table of holes that the skeletons have. */
void push_model(lua_State *L, const Plan *plan, const EmitOptions *options)
{
    const Graph *graph = plan->graph;
    static const char *const lists[] = { "prototypes", "packing_prototypes",
                                         "sources",    "argument_names",
                                         "units",      "args" };
    lua_newtable(L);
    set_text(L, "model", graph->name);
    set_text(L, "MODEL", upper(graph->name));
    set_text(L, "file", plan_graph_file(graph));
    set_target(L, plan->settings.target);
    set_settings(L, &plan->settings, options);
    set_plan(L, plan);
    set_shape_fields(L, "input", graph_shape_as_written(graph, graph->input->shape));
    set_shape_fields(L, "latent", graph_shape_as_written(graph, graph->latent->shape));
    set_shape_fields(L, "output", graph_shape_as_written(graph, graph->output->shape));
    set_bool(L, "turned", graph->turned);
    set_parameters(L, graph);
    set_packings(L, plan);
    set_training(L, &graph->training);
    const size_t train = larger(larger(plan->train.bytes, plan->evaluate.bytes), 64);
    set_number(L, "train_bytes",
               (double)most_bytes(plan->evaluations, plan_evaluates(plan) ? plan->stage_count : 0,
                                  most_bytes(plan->stages, plan->stage_count, train)));
    set_number(L, "infer_bytes",
               (double)most_bytes(plan->previews, plan->stage_count,
                                  larger(plan->encode.bytes, plan->decode.bytes)));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, lists[i]);
    }
}
