#include "layer_names.h"

#include "../base/arena.h"
#include "../ops/ops.h"
#include "words.h"

#include <string.h>

/* Appends to load->names that of the layer whose table is at the top of the stack: as it says
   itself, or by its kind and its place among those of its kind in the part, of which `kinds` keeps
   the short names. Whether the name is legal is for layer_name to say. */
static void collect_name(Loader *load, const char *part, const LayerSpec *spec, const char **kinds)
{
    lua_State *L = load->L;
    LayerNames *names = &load->names;
    int same_kind = 0;
    for (int i = names->count - 1; i >= 0 && strncmp(names->name[i], part, strlen(part)) == 0
                                   && names->name[i][strlen(part)] == '.';
         i--)
        same_kind += strcmp(kinds[i], spec->short_name) == 0;
    const char *name = NULL;
    lua_getfield(L, -1, "args");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "name");
        name = read_name(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    kinds[names->count] = spec->short_name;
    names->name[names->count++] = name ? arena_format("%s.%s", part, name)
                                       : arena_format("%s.%s%d", part, spec->short_name,
                                                      same_kind + 1);
}

/* The names of a list's layers; mistakes in it are for load_list to find. */
static void collect_list(Loader *load, const char *part, const char **kinds, int depth)
{
    lua_State *L = load->L;
    size_t count = lua_length(L, -1);
    for (size_t i = 1; i <= count && depth <= MAX_NESTING && load->names.count < MAX_LAYERS
                       && load->collected < MAX_ITEMS;
         i++) {
        Word word;
        load->collected++;
        luaL_checkstack(L, 8, "nested lists");
        lua_rawgeti(L, -1, (int)i);
        bool is_word = read_word(L, &load->source, &word);
        if (is_word && layer_find(word.word))
            collect_name(load, part, layer_find(word.word), kinds);
        else if (!is_word && lua_istable(L, -1))
            collect_list(load, part, kinds, depth + 1);
        lua_pop(L, 1);
    }
}

void layer_names_collect(Loader *load)
{
    static const char *const fields[] = { "encoder", "decoder" };
    lua_State *L = load->L;
    const char **kinds = ARENA_ARRAY(const char *, MAX_LAYERS);
    load->names.name = ARENA_ARRAY(const char *, MAX_LAYERS);
    for (int i = 0; i < 2; i++) {
        Word part;
        lua_getfield(L, -1, fields[i]);
        if (read_word(L, &load->source, &part) && part.name) {
            lua_getfield(L, -1, "args");
            if (lua_istable(L, -1))
                collect_list(load, part.name, kinds, 0);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}
