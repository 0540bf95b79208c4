#define _XOPEN_SOURCE 700 /* sigaction, setitimer */
#include "lua.h"

#include "arena.h"
#include "diag.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#if LUA_VERSION_NUM == 501
#include <luajit.h>
#endif

enum { STEPS_A_HOOK = 100, SECONDS = 2 };
/* of calls that are looked at for a line: lua_getstack counts from the top each time */
enum { LEVELS = 50 };
static const char too_long[] = "the graph file runs too long; is there an endless loop?";

typedef struct Limits {
    size_t memory, used;
    long steps;
    clock_t start;
    int line;               /* of the untrusted text, when last looked at */
    const char *last_words; /* of expire() */
} Limits;

static Limits limits; /* of the one limited state of a compile */

static void *allocate(void *user, void *block, size_t old, size_t size)
{
    Limits *l = user;
    if (!block)
        old = 0;
    if (size == 0) {
        l->used -= old;
        free(block);
        return NULL;
    }
    if (size > old && l->used + (size - old) > l->memory)
        return NULL;
    void *p = realloc(block, size);
    if (p)
        l->used += size - old;
    return p;
}

/* The innermost call of the untrusted text, which may have called something of ours; false where
   there is none. */
static bool find_untrusted(lua_State *L, lua_Debug *at)
{
    for (int level = 0; level < LEVELS && lua_getstack(L, level, at); level++) {
        lua_getinfo(L, "Sl", at);
        if (at->source[0] == '@' && at->currentline > 0)
            return true;
    }
    return false;
}

/* Ends the run with a message at its line. */
static void stop(lua_State *L, const char *message)
{
    lua_Debug at;
    if (find_untrusted(L, &at))
        lua_pushfstring(L, "%s:%d: %s", at.short_src, at.currentline, message);
    else
        lua_pushstring(L, message);
    lua_error(L);
}

int lua_untrusted_line(lua_State *L)
{
    lua_Debug at;
    return find_untrusted(L, &at) ? at.currentline : limits.line;
}

/* Counts instructions; also bounds memory where the allocator could not be ours (LuaJIT without
   GC64). */
static void count_steps(lua_State *L, lua_Debug *debug)
{
    (void)debug;
    limits.line = lua_untrusted_line(L);
    limits.steps -= STEPS_A_HOOK;
    if (limits.steps < 0 || clock() - limits.start > (clock_t)SECONDS * CLOCKS_PER_SEC)
        stop(L, too_long);
    if ((size_t)lua_gc(L, LUA_GCCOUNT, 0) > limits.memory / 1024)
        stop(L, "the graph file needs too much memory");
}

/* The hook fires between instructions; one that is inside a C function (the parser, a sort, a
   comparison of long strings) for longer ends here, a second later. No more than this is safe in a
   handler. */
static void expire(int signal)
{
    (void)signal;
    ssize_t written = write(STDERR_FILENO, limits.last_words, strlen(limits.last_words));
    (void)written;
    _exit(EXIT_INPUT);
}

static void set_clock(long seconds)
{
    static struct sigaction before;
    struct sigaction action = { .sa_handler = expire };
    struct itimerval timer = { .it_value = { .tv_sec = seconds } };
    sigemptyset(&action.sa_mask);
    if (seconds)
        sigaction(SIGPROF, &action, &before);
    setitimer(ITIMER_PROF, &timer, NULL);
    if (!seconds)
        sigaction(SIGPROF, &before, NULL);
}

static void open_library(lua_State *L, const char *name, lua_CFunction open)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
#if LUA_VERSION_NUM > 501
    lua_pushvalue(L, -1);
    lua_setglobal(L, name);
#endif
    lua_pop(L, 1);
}

static void open_libraries(lua_State *L)
{
#if LUA_VERSION_NUM > 501
    open_library(L, "_G", luaopen_base);
#else
    open_library(L, "", luaopen_base);
#endif
    open_library(L, "string", luaopen_string);
    open_library(L, "table", luaopen_table);
    open_library(L, "math", luaopen_math);
    open_library(L, "debug", luaopen_debug);
}

lua_State *lua_new_limited(const char *file, size_t memory, long steps)
{
    limits = (Limits){ .memory = memory,
                       .steps = steps,
                       .start = clock(),
                       .last_words = arena_format("%s: error: %s\n", file, too_long) };
    lua_State *L = lua_newstate(allocate, &limits);
    if (!L)
        L = luaL_newstate();
    if (!L)
        fail_with(EXIT_FILE, "out of memory");
    open_libraries(L);
#if LUA_VERSION_NUM == 501
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
#endif
    lua_sethook(L, count_steps, LUA_MASKCOUNT, STEPS_A_HOOK);
    set_clock(SECONDS + 1);
    return L;
}

void lua_close_limited(lua_State *L)
{
    set_clock(0);
    lua_close(L);
}

/* Outside of a protected call nothing but memory can be wanting. */
static int panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    if (message && strcmp(message, "not enough memory") != 0)
        bug("%s", message);
    fail_with(EXIT_FILE, "out of memory");
}

lua_State *lua_new_trusted(void)
{
    lua_State *L = luaL_newstate();
    if (!L)
        fail_with(EXIT_FILE, "out of memory");
    lua_atpanic(L, panic);
    open_libraries(L);
    return L;
}

/* A text handed out line by line, so that we know how far it was read. */
typedef struct Lines {
    const char *p, *end;
    int line;
} Lines;

static const char *next_line(lua_State *L, void *user, size_t *size)
{
    Lines *lines = user;
    (void)L;
    const char *start = lines->p, *newline = memchr(start, '\n', (size_t)(lines->end - start));
    lines->p = newline ? newline + 1 : lines->end;
    lines->line += lines->p > start;
    *size = (size_t)(lines->p - start);
    return *size ? start : NULL;
}

/* Lua 5.4 does not say where a text nests too deeply for its parser; LuaJIT does, in these
   words. */
static void place_nesting(lua_State *L, const char *name, int line)
{
    const char *message = lua_tostring(L, -1);
    if (!message || strcmp(message, "C stack overflow") != 0)
        return;
    lua_pop(L, 1);
    lua_pushfstring(L, "%s:%d: chunk has too many syntax levels", name + 1, line);
}

int lua_load_text(lua_State *L, const char *text, size_t length, const char *name)
{
    Lines lines = { text, text + length, 0 };
#if LUA_VERSION_NUM == 501
    int status = lua_loadx(L, next_line, &lines, name, "t");
#else
    int status = lua_load(L, next_line, &lines, name, "t");
#endif
    if (status != 0)
        place_nesting(L, name, lines.line);
    return status;
}

size_t lua_length(lua_State *L, int index)
{
#if LUA_VERSION_NUM == 501
    return lua_objlen(L, index);
#else
    return lua_rawlen(L, index);
#endif
}
