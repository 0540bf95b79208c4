#include "emitter.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "emit.h"
#include "holes.h"
#include "programs.h"

#include <stdio.h>
#include <string.h>

/* ---- templates ---- */

static int push_embedded(lua_State *L)
{
    const EmbeddedFile *file = embedded_named(luaL_checkstring(L, 1));
    lua_pushlstring(L, file->text, file->length);
    lua_pushstring(L, file->name);
    return 2;
}

lua_State *templates_open(void)
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

Text template_expand(lua_State *L, const char *name)
{
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_pushstring(L, name);
    lua_insert(L, -2);
    const int status = lua_pcall(L, 2, 4, 0);
    if (status == LUA_ERRMEM)
        fail_with(EXIT_FILE, "out of memory");
    if (status != 0)
        bug("%s", lua_tostring(L, -1));
    Text text = { 0 };
    text_append(&text, lua_tostring(L, -4), lua_length(L, -4));
    lua_remove(L, -4);
    return text;
}

void emitter_file(Emitter *e, const char *name, Text text)
{
    if (table_find(&e->names, name) >= 0)
        fail(e->plan->graph->loc,
             "autoencoder: two files of the emitted C would be called %s; choose another name than "
             "\"%s\"",
             name, e->plan->graph->name);
    table_add(&e->names, name, e->file_count);
    e->files = arena_more(e->files, e->file_count, sizeof *e->files);
    e->files[e->file_count++] = (SavedText){ name, text };
}

/* Sets model.<list>[#+1] = the value at the top of the stack. */
static void append_to(lua_State *L, const char *list)
{
    lua_getfield(L, 2, list);
    lua_insert(L, -2);
    append_item(L);
    lua_pop(L, 1);
}

/* ---- files ---- */

/* Appends the function that ends a chunk, and its prototype to the list. */
static void emit_flush(Emitter *e, const Step *step, Text *text)
{
    lua_State *L = e->L;
    push_flush_holes(L, e->plan, step);
    Text flush = template_expand(L, step->kernel->flush_text);
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
        Text text = template_expand(L, step->kernel->text(step->core));
        if (step->sums)
            emit_flush(e, step, &text);
        emitter_file(e, file, text);
        keep(L, "units", step->function);
        keep(L, "argument_names", step->function);
        append_to(L, "prototypes");
        lua_pushstring(L, file);
        append_to(L, "sources");
    }
}

static void emit_packing(Emitter *e, const Packing *packing, Text *text)
{
    push_packing_holes(e->L, e->plan, packing);
    Text one = template_expand(e->L, packing->kind->text);
    text_add(text, "\n%s", one.data);
    lua_pop(e->L, 2);
    append_to(e->L, "packing_prototypes");
}

static void emit_packings(Emitter *e)
{
    lua_State *L = e->L;
    const char *file = arena_format("%s_prepare.c", e->plan->graph->name);
    if (e->plan->settings.baked && e->plan->settings.no_training)
        return;
    Text text = { 0 };
    text_add(&text, "/* The weights, packed for the kernels. */\n#include \"%s_kernels.h\"\n",
             e->plan->graph->name);
    for (int i = 0; i < e->plan->packing_count; i++) {
        if (e->plan->packings[i]->from)
            emit_packing(e, e->plan->packings[i]->from, &text);
        emit_packing(e, e->plan->packings[i], &text);
    }
    for (int i = 0; i < e->plan->on_use_count; i++) {
        push_on_use_holes(L, e->plan, e->plan->on_use_packings[i]);
        Text one = template_expand(L, "packing_turned.c.in");
        text_add(&text, "\n%s", one.data);
        lua_pop(L, 2);
        append_to(L, "packing_prototypes");
    }
    emitter_file(e, file, text);
    lua_pushstring(L, file);
    append_to(L, "sources");
}

/* ---- the folder ---- */

Emitter emitter_open(const Plan *plan, const EmitOptions *options)
{
    Emitter e = { .L = templates_open(), .plan = plan, .options = options };
    push_model(e.L, plan, options);
    return e;
}

void emitter_kernels(Emitter *e)
{
    emit_steps(e);
    emit_packings(e);
}

void emitter_programs(Emitter *e)
{
    lua_pushvalue(e->L, 2);
    set_programs(e->L, e->plan);
    lua_pop(e->L, 1);
}

void emitter_skeleton(Emitter *e, const char *template, const char *file)
{
    lua_pushvalue(e->L, 2);
    emitter_file(e, file, template_expand(e->L, template));
    lua_pop(e->L, 3);
}

void emitter_copy(Emitter *e, const char *embedded, const char *file)
{
    const EmbeddedFile *source = embedded_find(embedded);
    Text text = { 0 };
    text_append(&text, source->text, source->length);
    emitter_file(e, file, text);
}

void emitter_save(Emitter *e)
{
    lua_close(e->L);
    folder_save(e->options->directory, e->plan->graph->name, e->files, e->file_count,
                e->options->force);
}
