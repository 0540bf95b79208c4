#include "script.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../ops/ops.h"
#include "suggest.h"
#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const size_t max_lua_bytes = 64u << 20;
static const long max_lua_steps = 20L * 1000 * 1000;
/* in Lua's registry: which word a function stands for */
static const char words_key[] = "caec.words";
/* What Lua calls the file in its messages; it would cut a long path. */
static const char chunk_name[] = "graph";
static const char dsl_name[] = "dsl.lua";

typedef struct Script {
    const Source *source;
    void (*take)(lua_State *L, void *context);
    void *context;
} Script;

const char *script_word(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, words_key);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    const char *word = NULL;
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "word");
        word = read_name(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return word;
}

static bool is_marked(const char *name, size_t length)
{
    const char *word = arena_copy(name, length);
    return layer_find(word) || loss_find(word) || optimizer_find(word) || schedule_find(word)
           || strcmp(word, "sequential") == 0 || strcmp(word, "autoencoder") == 0;
}

static int count_in_line(const Source *source, int line, const char *name)
{
    int count = 0;
    size_t length = strlen(name);
    for (int i = 0; i < source->count; i++)
        count += source->tokens[i].line == line && (size_t)source->tokens[i].length == length
                 && memcmp(source->tokens[i].start, name, length) == 0;
    return count;
}

/* While the stack still stands: what went wrong inside one of the words is an error at the line
   that called it, and so is an error without a text. */
static int place_message(lua_State *L)
{
    if (lua_istable(L, 1)) /* dsl.lua's: it names its place */
        return 1;
    const char *message = lua_type(L, 1) == LUA_TSTRING
                              ? lua_tostring(L, 1)
                              : "the file stopped with an error that is no text";
    size_t n = strlen(dsl_name);
    if (strncmp(message, dsl_name, n) == 0 && message[n] == ':')
        message += n + 1 + strspn(message + n + 1, "0123456789: ");
    else if (lua_type(L, 1) == LUA_TSTRING)
        return 1;
    lua_pushfstring(L, "%s:%d: %s", chunk_name, lua_untrusted_line(L), message);
    return 1;
}

/* Names that the marked text or one of the Luas needs, and that are no words of the language. */
static void refuse_hidden_names(const Source *source)
{
    static const char *const hidden[] = { "__at", "_ENV" };
    for (int i = 0; i < source->count; i++)
        for (int k = 0; k < 2; k++)
            if (source->tokens[i].kind == 'n'
                && (size_t)source->tokens[i].length == strlen(hidden[k])
                && memcmp(source->tokens[i].start, hidden[k], strlen(hidden[k])) == 0)
                fail(source_token(source, i), "unknown word '%s'", hidden[k]);
}

/* dsl.lua's table { message, name, line }, at the top of the stack. */
_Noreturn static void report_word(lua_State *L, const Source *source)
{
    lua_getfield(L, -1, "line");
    lua_getfield(L, -2, "name");
    lua_getfield(L, -3, "message");
    int line = (int)lua_tointeger(L, -3);
    const char *name = lua_tostring(L, -2);
    Loc loc = name   ? source_name_in_line(source, line, name)
              : line ? (Loc){ source->file, line, 0 }
                     : source_end(source);
    fail(loc, "%s%s", lua_tostring(L, -1), name ? suggest_word(source, loc, name) : "");
}

/* Of Lua's "graph:12: text" the line, and where the text begins; of a message without a place the
   line that ran. Lua does not say where its memory or its stack ended. */
static int split_message(lua_State *L, const char **message)
{
    size_t n = strlen(chunk_name);
    char *end;
    if (strncmp(*message, chunk_name, n) != 0 || (*message)[n] != ':'
        || !isdigit((unsigned char)(*message)[n + 1]))
        return lua_untrusted_line(L);
    int line = (int)strtol(*message + n + 1, &end, 10);
    *message = *end == ':' ? end + 1 + (end[1] == ' ') : end;
    return line;
}

/* The place of "near 'x'" in a message about the line, or the whole line: Lua does not say which x,
   where the line has several. */
static Loc place_of(const Source *source, int line, const char *message)
{
    const char *near = strstr(message, "near '");
    if (near && strchr(near + 6, '\'')) {
        const char *name = arena_copy(near + 6, strcspn(near + 6, "'"));
        if (count_in_line(source, line, name) == 1)
            return source_name_in_line(source, line, name);
    }
    return (Loc){ source->file, line, 0 };
}

/* What Lua or dsl.lua left at the top of the stack becomes an error at its place. */
_Noreturn static void report(lua_State *L, const Source *source)
{
    if (lua_istable(L, -1))
        report_word(L, source);
    const char *message = arena_copy(lua_tostring(L, -1), strlen(lua_tostring(L, -1)));
    int line = split_message(L, &message);
    Loc loc = place_of(source, line, message);
    if (strstr(message, "not enough memory"))
        message = "the graph file needs too much memory";
    if (strstr(message, "stack overflow"))
        message = "stack overflow: functions call each other without end";
    fail(loc, "%s", message);
}

static void push_layer_words(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; layer_specs[i]; i++) {
        lua_pushstring(L, layer_specs[i]->word);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_choice_words(lua_State *L, const ChoiceSpec *const *specs)
{
    lua_newtable(L);
    for (int i = 0; specs[i]; i++) {
        lua_pushstring(L, specs[i]->word);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_loss_words(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; loss_specs[i]; i++) {
        lua_pushstring(L, loss_specs[i]->word);
        lua_rawseti(L, -2, i + 1);
    }
}

static int run(lua_State *L)
{
    const Script *script = lua_touserdata(L, 1);
    const Source *source = script->source;
    /* mistakes of syntax, in the file's own words */
    if (lua_load_text(L, source->text, source->length, arena_format("@%s", chunk_name)) != 0)
        lua_error(L);
    lua_pop(L, 1);
    refuse_hidden_names(source);
    Text marked = source_mark(source, is_marked);
    const EmbeddedFile *dsl = embedded_find("front/dsl.lua");
    if (lua_load_text(L, dsl->text, dsl->length, arena_format("=%s", dsl_name)) != 0)
        lua_error(L);
    lua_pushlstring(L, marked.data, marked.length);
    lua_pushstring(L, chunk_name);
    push_layer_words(L);
    push_loss_words(L);
    push_choice_words(L, optimizer_specs);
    push_choice_words(L, schedule_specs);
    lua_call(L, 6, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, words_key);
    script->take(L, script->context);
    return 0;
}

void script_run(const Source *source, void (*take)(lua_State *L, void *context), void *context)
{
    Script script = { source, take, context };
    lua_State *L = lua_new_limited(source->file, max_lua_bytes, max_lua_steps);
    lua_pushcfunction(L, place_message);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &script);
    if (lua_pcall(L, 1, 0, -3) != 0)
        report(L, source);
    lua_close_limited(L);
}
