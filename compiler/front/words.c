#include "words.h"

#include "../base/arena.h"

#include <string.h>

const char *read_name(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TSTRING || lua_length(L, -1) > MAX_NAME
        || strlen(lua_tostring(L, -1)) != lua_length(L, -1))
        return NULL;
    return arena_copy(lua_tostring(L, -1), lua_length(L, -1));
}

bool read_word(lua_State *L, const Source *source, Word *word)
{
    if (!lua_istable(L, -1))
        return false;
    lua_pushliteral(L, "word");
    lua_rawget(L, -2);
    word->word = read_name(L);
    lua_pop(L, 1);
    if (!word->word)
        return false;
    lua_getfield(L, -1, "name");
    word->name = read_name(L);
    lua_getfield(L, -2, "at");
    /* the graph may have changed it */
    double at = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    word->at = at >= 0 && at < source->count ? (int)at : -1;
    lua_getfield(L, -3, "line");
    int line = lua_type(L, -1) == LUA_TNUMBER ? (int)lua_tointeger(L, -1) : 0;
    lua_pop(L, 3);
    word->loc = word->at >= 0 ? source_token(source, word->at)
                              : source_name_in_line(source, line, word->word);
    return true;
}

void push_args(lua_State *L, const Word *word)
{
    lua_getfield(L, -1, "args");
    if (!lua_istable(L, -1))
        fail(word->loc, "%s: wants its arguments in braces: %s%s { ... }", word->word, word->word,
             word->name ? " \"name\"" : "");
}

Loc argument_loc(const Source *source, const Word *word, const char *path)
{
    return word->at >= 0 ? source_argument(source, word->at, path) : word->loc;
}
