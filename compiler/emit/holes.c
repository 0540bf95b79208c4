#include "holes.h"

#include "../base/arena.h"
#include "../kernels/conv.h"
#include "../packing/codes.h"
#include "../packing/kinds/points.h"

#include <ctype.h>
#include <string.h>

const char *upper(const char *name)
{
    char *copy = (char *)arena_copy(name, strlen(name));
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}

void append_item(lua_State *L)
{
    lua_rawseti(L, -2, (int)lua_length(L, -2) + 1);
}

void set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

void set_number(lua_State *L, const char *name, double value)
{
    if (value == (double)(lua_Integer)value)
        lua_pushinteger(L, (lua_Integer)value);
    else
        lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_shape(lua_State *L, const char *name, Shape shape)
{
    lua_newtable(L);
    for (int i = 0; i < shape.rank; i++) {
        lua_pushinteger(L, shape.dim[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

/* " stride 2", " stride 2x1"; nothing where both are 1. */
static void add_pair(Text *text, const char *name, int h, int w)
{
    if (h == w && h > 1)
        text_add(text, " %s %d", name, h);
    else if (h != w)
        text_add(text, " %s %dx%d", name, h, w);
}

const char *step_title(const Step *step)
{
    const Node *core = step->core;
    Text text = { 0 };
    const Node *before[] = { step->d_act, step->d_pool },
               *after[] = { step->bias, step->act, step->pool, step->codes, step->db, step->dx };
    for (int i = 0; i < 2; i++)
        if (before[i])
            text_add(&text, "%s + ", before[i]->op->name);
    text_add(&text, "%s", core->op->name);
    if (conv_is(core) && !conv_is_depthwise(core)) {
        ConvShape s = conv_shape(core);
        text_add(&text, " %dx%d", s.kernel_h, s.kernel_w);
        add_pair(&text, "stride", s.stride_h, s.stride_w);
        add_pair(&text, "dilation", s.dilation_h, s.dilation_w);
        if (s.groups > 1)
            text_add(&text, " in %d groups", s.groups);
        if (s.up_h > 1 || s.up_w > 1)
            text_add(&text, s.up_h == s.up_w ? " on %dx upsampled" : " on %dx and %dx upsampled",
                     s.up_h, s.up_w);
    }
    for (int i = 0; i < 6; i++)
        if (after[i])
            text_add(&text, " + %s", after[i]->op->name);
    return text.data;
}

/* The data that goes in: of a gradient by weights the input, else the first operand. */
static const char *shapes(const Step *step)
{
    const Node *core = step->core;
    const Node *last = step->pool ? step->pool : core;
    const Node *in = node_averages(step->d_pool) ? step->d_pool->input[0]
                     : step->d_act               ? step->d_act->input[1]
                     : step->d_pool              ? step->d_pool->input[1]
                                                 : core->input[0];
    if (core->op->direction == DIRECTION_DW && node_is_gradient(core, ROLE_CORE))
        return arena_format("%s and %s -> %s", shape_text(core->input[0]->shape),
                            shape_text(core->input[1]->shape), shape_text(last->shape));
    return arena_format("%s -> %s", shape_text(in->shape), shape_text(last->shape));
}

/* The comment above the function, in lines of at most 100 columns. */
static void set_comment(lua_State *L, const Plan *plan, const Step *step)
{
    const char *text = arena_format("/* %s: %s, %s (%s:%d) */", step->core->name, shapes(step),
                                    step_title(step), plan_graph_file(plan->graph),
                                    step->core->loc.line);
    lua_newtable(L);
    int line = 1;
    while (strlen(text) > 100) {
        int cut = 100;
        while (cut > 60 && text[cut] != ' ')
            cut--;
        lua_pushlstring(L, text, (size_t)cut);
        lua_rawseti(L, -2, line++);
        text = arena_format("   %s", text + cut + 1);
    }
    lua_pushstring(L, text);
    lua_rawseti(L, -2, line);
    lua_setfield(L, -2, "comment");
}

static bool is_written(const Step *step, const Argument *a)
{
    return a->scratch || a->sum || step_writes(step, a->node);
}

const char *code_type(const Plan *plan)
{
    return plan->settings.real_double ? "int64_t" : "int32_t";
}

static const char *type_name(const Plan *plan, const Argument *a)
{
    if (node_is_loss(a->node))
        return "double";
    if (a->node && a->node->type == TYPE_PIXEL)
        return "uint8_t";
    if (a->packing && plan->settings.half)
        return "uint16_t";
    if (a->node && a->node->type == TYPE_CODE)
        return code_type(plan);
    return plan->settings.real_double ? "double" : "float";
}

static const char *pixel_scale(const Node *node)
{
    /* the same float32 pixels whatever the arithmetic */
    return node && node->type == TYPE_PIXEL ? " / 255.0f" : "";
}

/* How an argument's codes lie, for codes.c.in. */
static void set_codes(lua_State *L, const Node *codes)
{
    const CodeLayout layout = code_layout(codes);
    set_number(L, "bits", layout.bits);
    set_number(L, "across", layout.across);
    set_number(L, "down", layout.down);
    set_number(L, "windows", codes->shape.dim[1]);
    set_number(L, "channels", codes->shape.dim[2]);
}

static void set_argument(lua_State *L, const char *name, const char *type, bool written,
                         const Node *node)
{
    lua_newtable(L);
    set_text(L, "scale", pixel_scale(node));
    set_text(L, "role", written ? "out" : "in");
    set_text(L, "type", arena_format("%s%s *", written ? "" : "const ", type));
    if (node && node->type == TYPE_CODE)
        set_codes(L, node);
    lua_setfield(L, -2, name);
}

/* A number by value. */
static void set_scalar(lua_State *L, const char *name, const char *type)
{
    lua_newtable(L);
    set_text(L, "role", "in");
    set_text(L, "type", type);
    set_text(L, "scalar", arena_format("%s %s", type, name));
    lua_setfield(L, -2, name);
}

static void set_arguments(lua_State *L, const Plan *plan, const Step *step)
{
    lua_newtable(L);
    for (int i = 0; i < step->argument_count; i++) {
        const Argument *a = &step->arguments[i];
        if (a->noise)
            set_scalar(L, a->name, "uint64_t");
        else if (step->streams && a->node && !is_written(step, a))
            set_argument(L, a->name,
                         arena_format("%s *const", plan->settings.real_double ? "double" : "float"),
                         false, NULL);
        else
            set_argument(L, a->name, type_name(plan, a), is_written(step, a), a->node);
    }
    lua_setfield(L, -2, "args");
}

static void set_conv(lua_State *L, const Step *step)
{
    ConvShape s = conv_shape(step->core);
    const struct {
        const char *name;
        int value;
    } numbers[] = {
        { "IN_H", s.in_h },
        { "IN_W", s.in_w },
        { "CI", s.ci },
        { "UP_H", s.up_h },
        { "UP_W", s.up_w },
        { "OUT_H", s.out_h },
        { "OUT_W", s.out_w },
        { "CO", s.co },
        { "KERNEL_H", s.kernel_h },
        { "KERNEL_W", s.kernel_w },
        { "STRIDE_H", s.stride_h },
        { "STRIDE_W", s.stride_w },
        { "DILATION_H", s.dilation_h },
        { "DILATION_W", s.dilation_w },
        { "WINDOW_H", s.window_h },
        { "WINDOW_W", s.window_w },
        { "PAD_TOP", s.pad_top },
        { "PAD_LEFT", s.pad_left },
        { "GROUPS", s.groups },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        set_number(L, numbers[i].name, numbers[i].value);
    bool transpose = conv_is_transpose(step->core);
    /* of the layer's own input, and of what arrives at its output */
    set_number(L, "X_W", transpose ? s.out_w : s.in_w);
    set_number(L, "X_C", transpose ? s.co : s.ci);
    set_number(L, "DY_W", transpose ? s.in_w : s.out_w);
    set_number(L, "DY_C", transpose ? s.ci : s.co);
    int height, width;
    conv_effective_size(step, &s, &height, &width);
    set_number(L, "DY_COLUMNS", width);
}

/* Of the first operand. */
static void set_input(lua_State *L, const Plan *plan, const Node *core)
{
    const char *real = plan->settings.real_double ? "double" : "float";
    bool pixels = core->input[0]->type == TYPE_PIXEL;
    set_text(L, "X_TYPE", pixels ? "uint8_t" : real);
    set_text(L, "X_SCALE", pixel_scale(core->input[0]));
}

/* Rows and columns of a pool's windows, 0 of none. */
static void set_window(lua_State *L, const char *rows, const char *columns, const Node *pool)
{
    set_number(L, rows, pool ? pool_axis(pool, 0).size : 0);
    set_number(L, columns, pool ? pool_axis(pool, 1).size : 0);
}

static void set_taken(lua_State *L, const Step *step)
{
    const Node *act = step->act               ? step->act
                      : step->d_act           ? step->d_act
                      : step->core->op->value ? step->core
                                              : NULL;
    set_number(L, "ACT", step->act != NULL);
    set_number(L, "D_ACT", step->d_act != NULL);
    set_number(L, "AVERAGE", node_averages(step->pool) || node_averages(step->d_pool));
    set_window(L, "POOL_H", "POOL_W", step->pool);
    set_window(L, "D_POOL_H", "D_POOL_W", step->d_pool);
    set_text(L, "act_value", act ? act->op->value : "x");
    set_text(L, "act_derivative", act ? act->op->derivative : "d");
    lua_newtable(L);
    for (int i = 0; act && act->op->numbers[i]; i++)
        set_number(L, act->op->numbers[i], act->number[i]);
    lua_setfield(L, -2, "act_numbers");
}

void set_weight(lua_State *L, const Plan *plan)
{
    set_text(L, "weight",
             plan->settings.half          ? "uint16_t"
             : plan->settings.real_double ? "double"
                                          : "float");
    set_number(L, "WEIGHT_BYTES", settings_weight_bytes(&plan->settings));
    set_bool(L, "half", plan->settings.half);
}

static void set_common(lua_State *L, const Plan *plan, const char *name)
{
    set_text(L, "name", name);
    set_text(L, "model", plan->graph->name);
    set_text(L, "real", plan->settings.real_double ? "double" : "float");
    set_number(L, "L", settings_lanes(&plan->settings));
    set_text(L, "CODE_TYPE", code_type(plan));
    set_number(L, "REAL_BYTES", settings_real_bytes(&plan->settings));
    set_number(L, "WINOGRAD_POINT", WINOGRAD_POINT);
    set_number(L, "WINOGRAD_FAR", WINOGRAD_FAR);
    set_weight(L, plan);
}

/* In the arithmetic's own type, so that no constant is too small or too exact for it. */
static void set_list(lua_State *L, const Plan *plan, const char *name, const RealList *list)
{
    lua_newtable(L);
    for (int i = 0; i < list->count; i++) {
        const double x = list->numbers[i];
        lua_pushnumber(L, plan->settings.real_double ? x : (double)(float)x);
        append_item(L);
    }
    lua_setfield(L, -2, name);
}

/* Those of the operator itself, by their names. */
static void set_numbers(lua_State *L, const Plan *plan, const Node *core)
{
    lua_newtable(L);
    for (int i = 0; core->op->numbers[i]; i++)
        set_number(L, core->op->numbers[i], core->number[i]);
    lua_setfield(L, -2, "NUMBERS");
    lua_newtable(L);
    for (int i = 0; core->op->lists[i]; i++)
        set_list(L, plan, core->op->lists[i], &core->list[i]);
    lua_setfield(L, -2, "LISTS");
}

void push_step_holes(lua_State *L, const Plan *plan, const Step *step)
{
    const Node *core = step->core;
    lua_newtable(L);
    set_common(L, plan, step->function);
    set_text(L, "OP", core->op->name);
    for (int i = 0; i < step->number_count; i++)
        set_number(L, step->numbers[i].name, step->numbers[i].value);
    if (conv_is(core))
        set_conv(L, step);
    set_input(L, plan, core);
    set_taken(L, step);
    set_shape(L, "IN_SHAPE", core->input[0]->shape);
    set_shape(L, "OUT_SHAPE", core->shape);
    set_shape(L, "DY_SHAPE", core->input[core->op->arity - 1]->shape);
    set_number(L, "IN_COUNT", (double)shape_count(core->input[0]->shape));
    set_number(L, "OUT_COUNT", (double)shape_count(core->shape));
    set_numbers(L, plan, core);
    set_arguments(L, plan, step);
    set_comment(L, plan, step);
}

void push_flush_holes(lua_State *L, const Plan *plan, const Step *step)
{
    push_step_holes(L, plan, step);
    set_text(L, "name", arena_format("%s_flush", step->function));
    lua_newtable(L);
    const char *real = plan->settings.real_double ? "double" : "float";
    set_argument(L, "sum", real, false, NULL);
    set_argument(L, "dw", real, true, NULL);
    lua_setfield(L, -2, "args");
    lua_newtable(L);
    lua_pushstring(
        L, arena_format(
               "/* The end of a chunk: adds the sum over its images to the gradient of %s. */",
               step->core->layer));
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "comment");
}

static void set_packing_comment(lua_State *L, const char *text)
{
    lua_newtable(L);
    lua_pushstring(L, text);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "comment");
}

void push_packing_holes(lua_State *L, const Plan *plan, const Packing *packing)
{
    const Shape shape = packing->parameter->shape;
    lua_newtable(L);
    set_common(L, plan, arena_format("%sprepare_%s", plan_prefix(plan), packing->name));
    set_number(L, "KERNEL_H", shape.rank == 4 ? shape.dim[0] : 1);
    set_number(L, "KERNEL_W", shape.rank == 4 ? shape.dim[1] : 1);
    set_number(L, "CI", shape.rank == 4 ? shape.dim[2] : 1);
    set_number(L, "CO", shape.dim[shape.rank - 1]);
    set_number(L, "COUNT", (double)shape_count(shape));
    set_number(L, "ROOM", (double)packing->count);
    set_number(L, "BLOCK", packing->block);
    set_number(L, "LANES", packing->lanes);
    set_number(L, "ROTATED", packing->rotated);
    set_number(L, "STRIDE_H", packing->stride_h);
    set_number(L, "STRIDE_W", packing->stride_w);
    set_number(L, "DILATION_H", packing->dilation_h);
    set_number(L, "DILATION_W", packing->dilation_w);
    set_number(L, "UP_H", packing->up_h);
    set_number(L, "UP_W", packing->up_w);
    set_number(L, "GROUPS", packing->groups);
    set_number(L, "PAD_TOP", packing->pad_top);
    set_number(L, "PAD_LEFT", packing->pad_left);
    if (packing->made) {
        set_numbers(L, plan, packing->made);
        set_number(L, "CHANNELS", packing->folded[0]->shape.dim[0]);
    }
    const char *real = plan->settings.real_double ? "double" : "float";
    lua_newtable(L);
    const PackingKind *kind = packing->kind;
    for (int i = 0; kind->parameters[i]; i++)
        set_argument(L, kind->parameters[i], real, false, NULL);
    set_argument(L, "packing", real, true, NULL);
    lua_setfield(L, -2, "args");
    set_packing_comment(
        L, arena_format("/* %s, %s%s%s */", packing->parameter->name, kind->comment,
                        kind->unit ? arena_format(" %d %s", packing->block, kind->unit) : "",
                        !packing->rotated ? ""
                        : packing->read_by && packing->read_by->direction != DIRECTION_FORWARD
                            ? ", turned, for dX"
                            : ", turned"));
}

void push_on_use_holes(lua_State *L, const Plan *plan, const Packing *on_use)
{
    push_packing_holes(L, plan, on_use);
    set_text(L, "name", arena_format("%smake_%s", plan_prefix(plan), on_use->name));
    set_number(L, "FROM_BLOCK", on_use->source->block);
    set_number(L, "FROM_LANES", on_use->source->lanes);
    const char *real = plan->settings.real_double ? "double" : "float";
    lua_newtable(L);
    set_argument(L, "packing", real, false, NULL);
    set_argument(L, "turned", real, true, NULL);
    lua_setfield(L, -2, "args");
    set_packing_comment(L,
                        arena_format("/* %s turned for dX, from the blocks that forward reads */",
                                     on_use->parameter->name));
}
