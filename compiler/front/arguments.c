#include "arguments.h"

#include "../base/arena.h"
#include "words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is copied is bounded: one string of megabytes may stand in a thousand places. */
enum { MAX_REFS = 64, MAX_REFERENCE = 100000 };

static Loc place(const ArgumentPlaces *places, const char *name)
{
    if (places->at < 0)
        return places->loc;
    return source_argument(places->source, places->at, arena_format("%s%s", places->prefix, name));
}

static bool in_list(const char *list, const char *name)
{
    return list && !strchr(name, ' ')
           && strstr(arena_format(" %s ", list), arena_format(" %s ", name));
}

/* "filters, kernel, stride and name" */
static const char *known_names(const ArgSpec *specs, const char *also)
{
    Text text = { 0 };
    for (int i = 0; specs[i].name; i++)
        text_add(&text, "%s%s", i ? ", " : "", specs[i].name);
    for (const char *p = also; p && *p; p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' '))
        text_add(&text, "%s%.*s", text.length ? ", " : "", (int)strcspn(p, " "), p);
    return text.length ? text.data : "nothing";
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An activation written as an argument has the numbers it has by default; the layer of that name
   takes others. */
static const char *activation_layer(const ArgSpec *specs, const char *key)
{
    bool takes_activation = false;
    for (int i = 0; specs[i].name; i++)
        takes_activation = takes_activation || specs[i].choices == activation_names;
    for (int i = 0; takes_activation && activation_names[i]; i++) {
        const LayerSpec *layer = layer_find(activation_names[i]);
        for (int k = 0; layer->args[k].name; k++)
            if (strcmp(layer->args[k].name, key) == 0)
                return arena_format(
                    "; it belongs to the layer %s: remove activation and put %s { %s = ... } after "
                    "this one",
                    layer->word, layer->word, key);
    }
    return "";
}

/* Every key must be expected; the first by name is reported, so that the message does not depend on
   the order of a hash. */
static void check_keys(lua_State *L, const ArgumentPlaces *places, const ArgSpec *specs,
                       const char *also)
{
    const char *unknown[64];
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            fail(places->loc, "%s: every argument has a name: %s { %s = ... }", places->word,
                 places->word, specs[0].name ? specs[0].name : "name");
        const char *key = arena_format("%.*s", MAX_NAME, lua_tostring(L, -2));
        bool known = in_list(also, key);
        for (int i = 0; specs[i].name; i++)
            known = known || strcmp(specs[i].name, key) == 0;
        if (!known && count < sizeof unknown / sizeof unknown[0])
            unknown[count++] = key;
        lua_pop(L, 1);
    }
    if (!count)
        return;
    qsort(unknown, count, sizeof unknown[0], compare_names);
    fail(place(places, unknown[0]), "%s: no argument is called '%s'; known are: %s%s", places->word,
         unknown[0], known_names(specs, also), activation_layer(specs, unknown[0]));
}

static int count_fields(lua_State *L)
{
    int count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        count++;
    }
    return count;
}

/* That of the spec's choices which the string at the top is; NULL: none. */
static const char *chosen(lua_State *L, const ArgSpec *spec)
{
    for (int i = 0; spec->choices && spec->choices[i]; i++)
        if (lua_type(L, -1) == LUA_TSTRING && lua_length(L, -1) == strlen(spec->choices[i])
            && strcmp(lua_tostring(L, -1), spec->choices[i]) == 0)
            return spec->choices[i];
    return NULL;
}

static const char *all_choices(const ArgSpec *spec)
{
    Text all = { 0 };
    for (int i = 0; spec->choices && spec->choices[i]; i++)
        text_add(&all, "%s\"%s\"", i ? ", " : "", spec->choices[i]);
    return all.length ? all.data : "";
}

/* What a number may be instead: "\"batch\" or ", or nothing. */
static const char *or_choices(const ArgSpec *spec)
{
    return spec->choices ? arena_format("%s or ", all_choices(spec)) : "";
}

static void read_number(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    const char *kind = spec->kind == ARG_INT ? "whole number" : "number";
    arg->text = chosen(L, spec);
    if (arg->text)
        return;
    if (lua_type(L, -1) != LUA_TNUMBER)
        fail(arg->loc, "%s: %s wants %sa %s, not a %s", places->word, spec->name, or_choices(spec),
             kind, lua_typename(L, lua_type(L, -1)));
    double n = lua_tonumber(L, -1);
    if (!(n >= spec->min && n <= spec->max) || (spec->kind == ARG_INT && n != floor(n)))
        fail(arg->loc, "%s: %s wants %sa %s from %.15g to %.15g, not %.15g", places->word,
             spec->name, or_choices(spec), kind, spec->min, spec->max, n);
    arg->number = n;
}

/* Whole numbers in the range of the spec: a number alone, or a list of as many as `counts` names,
   ended by 0. Returns how many; 0: it is neither, or one is outside. */
static int read_whole_numbers(lua_State *L, const ArgSpec *spec, const int *counts, int *numbers)
{
    int count = lua_type(L, -1) == LUA_TNUMBER ? 1 : 0;
    for (int i = 0; lua_istable(L, -1) && counts[i]; i++)
        if (lua_length(L, -1) == (size_t)counts[i] && count_fields(L) == counts[i])
            count = counts[i];
    for (int i = 0; i < count; i++) {
        if (lua_istable(L, -1))
            lua_rawgeti(L, -1, i + 1);
        else
            lua_pushvalue(L, -1);
        double n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : spec->min - 1;
        lua_pop(L, 1);
        if (!(n >= spec->min && n <= spec->max) || n != floor(n))
            return 0;
        numbers[i] = (int)n;
    }
    return count;
}

/* What was given instead, in a few words. */
static const char *given(lua_State *L)
{
    if (lua_type(L, -1) == LUA_TNUMBER)
        return arena_format("%.15g", lua_tonumber(L, -1));
    if (lua_type(L, -1) == LUA_TSTRING)
        return arena_format("\"%.40s\"", lua_tostring(L, -1));
    return lua_istable(L, -1) ? "this list"
                              : arena_format("a %s", lua_typename(L, lua_type(L, -1)));
}

static void read_pair(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    int count = read_whole_numbers(L, spec, (const int[]){ 2, 0 }, arg->pair);
    if (!count)
        fail(arg->loc,
             "%s: %s wants a whole number from %.15g to %.15g, or two as { height, width }, not %s",
             places->word, spec->name, spec->min, spec->max, given(L));
    if (count == 1)
        arg->pair[1] = arg->pair[0];
    arg->number = arg->pair[0];
}

static void read_choice(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    arg->text = chosen(L, spec);
    if (arg->text)
        return;
    const char *was = lua_type(L, -1) == LUA_TNUMBER || lua_istable(L, -1)
                          ? arena_format("a %s", lua_typename(L, lua_type(L, -1)))
                          : given(L);
    fail(arg->loc, "%s: %s wants one of %s, not %s", places->word, spec->name, all_choices(spec),
         was);
}

static void read_padding(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    arg->text = chosen(L, spec);
    if (arg->text)
        return;
    int *pad = arg->pad, count = read_whole_numbers(L, spec, (const int[]){ 2, 4, 0 }, pad);
    if (!count)
        fail(arg->loc,
             "%s: %s wants %s%sa whole number from %.15g to %.15g, { height, width } or { top, "
             "left, bottom, right }, not %s",
             places->word, spec->name, all_choices(spec), spec->choices ? ", " : "", spec->min,
             spec->max, given(L));
    if (count == 1)
        pad[1] = pad[0];
    if (count <= 2) {
        pad[2] = pad[0];
        pad[3] = pad[1];
    }
}

/* The i-th number, counted from 1, of the list at the top. */
static double read_item(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec,
                        const Arg *arg, int i)
{
    lua_rawgeti(L, -1, i);
    const bool is_number = lua_type(L, -1) == LUA_TNUMBER;
    const double n = is_number ? lua_tonumber(L, -1) : 0;
    if (!is_number || !(n >= spec->min && n <= spec->max))
        fail(arg->loc, "%s: %s wants numbers from %.15g to %.15g, but number %d of its list is %s",
             places->word, spec->name, spec->min, spec->max, i, given(L));
    lua_pop(L, 1);
    return n;
}

static void read_reals(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    const bool list = lua_istable(L, -1);
    const size_t count = list ? lua_length(L, -1) : 1;
    if (count < 1 || count > MAX_REALS || (list && (size_t)count_fields(L) != count))
        fail(arg->loc, "%s: %s wants a number, or a list of 1 to %d numbers", places->word,
             spec->name, MAX_REALS);
    if (!list)
        read_number(L, places, spec, arg);
    double *numbers = ARENA_ARRAY(double, count);
    for (int i = 0; i < (int)count; i++)
        numbers[i] = list ? read_item(L, places, spec, arg, i + 1) : arg->number;
    arg->reals = (RealList){ (int)count, numbers };
}

bool read_shape(lua_State *L, Shape *shape, bool *list)
{
    *list = lua_istable(L, -1) && lua_length(L, -1) == 3 && count_fields(L) == 3;
    *shape = (Shape){ .rank = 3 };
    for (int i = 0; *list && i < 3; i++) {
        lua_rawgeti(L, -1, i + 1);
        double n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        lua_pop(L, 1);
        if (!(n >= 1 && n <= MAX_SIDE) || n != (int)n)
            return false;
        shape->dim[i] = (int)n;
    }
    return *list;
}

static void read_shape_argument(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec,
                                Arg *arg)
{
    bool list;
    if (!read_shape(L, &arg->shape, &list))
        fail(arg->loc, "%s: %s wants { height, width, channels }, whole numbers from 1 to %d",
             places->word, spec->name, MAX_SIDE);
}

static const char *read_reference(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec,
                                  const Arg *arg)
{
    if (lua_type(L, -1) != LUA_TSTRING || lua_length(L, -1) > MAX_REFERENCE
        || strlen(lua_tostring(L, -1)) != lua_length(L, -1))
        fail(arg->loc, "%s: %s wants the name of a layer%s, such as \"encoder.conv1\", not a %s",
             places->word, spec->name, spec->kind == ARG_LAYERS ? " or a list of names" : "",
             lua_typename(L, lua_type(L, -1)));
    return arena_copy(lua_tostring(L, -1), lua_length(L, -1));
}

/* The names alone; the nodes are found by references.c. */
static void read_references(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec,
                            Arg *arg)
{
    bool list = spec->kind == ARG_LAYERS && lua_istable(L, -1);
    size_t count = list ? lua_length(L, -1) : 1;
    if (count < 1 || count > MAX_REFS || (list && (size_t)count_fields(L) != count))
        fail(arg->loc, "%s: %s wants from 1 to %d names of layers", places->word, spec->name,
             MAX_REFS);
    arg->refs = ARENA_ARRAY(LayerRef, count);
    for (; (size_t)arg->ref_count < count; arg->ref_count++) {
        if (list)
            lua_rawgeti(L, -1, arg->ref_count + 1);
        arg->refs[arg->ref_count].name = read_reference(L, places, spec, arg);
        if (list)
            lua_pop(L, 1);
    }
}

void read_argument(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg)
{
    *arg = (Arg){ .number = spec->number, .text = spec->text, .loc = places->loc };
    arg->pair[0] = arg->pair[1] = (int)spec->number;
    arg->reals = (RealList){ 1, &spec->number };
    lua_getfield(L, -1, spec->name);
    if (lua_isnil(L, -1)) {
        if (spec->required)
            fail(places->loc, "%s: %s is missing; write %s = ... in its braces", places->word,
                 spec->name, spec->name);
        lua_pop(L, 1);
        return;
    }
    arg->loc = place(places, spec->name);
    if (spec->kind == ARG_BOOL) {
        if (lua_type(L, -1) != LUA_TBOOLEAN)
            fail(arg->loc, "%s: %s wants true or false, not a %s", places->word, spec->name,
                 lua_typename(L, lua_type(L, -1)));
        arg->number = lua_toboolean(L, -1);
    } else if (spec->kind == ARG_CHOICE) {
        read_choice(L, places, spec, arg);
    } else if (spec->kind == ARG_PAIR) {
        read_pair(L, places, spec, arg);
    } else if (spec->kind == ARG_PADDING) {
        read_padding(L, places, spec, arg);
    } else if (spec->kind == ARG_REALS) {
        read_reals(L, places, spec, arg);
    } else if (spec->kind == ARG_SHAPE) {
        read_shape_argument(L, places, spec, arg);
    } else if (spec->kind == ARG_LAYER || spec->kind == ARG_LAYERS || spec->kind == ARG_TIED) {
        read_references(L, places, spec, arg);
    } else {
        read_number(L, places, spec, arg);
    }
    lua_pop(L, 1);
}

void read_arguments(lua_State *L, const ArgumentPlaces *places, const ArgSpec *specs,
                    const char *also, Arg *args)
{
    check_keys(L, places, specs, also);
    for (int i = 0; specs[i].name; i++)
        read_argument(L, places, &specs[i], &args[i]);
}
