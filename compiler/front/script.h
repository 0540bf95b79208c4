/* script.h - a graph file as a Lua program: run in the sandbox of dsl.lua. */
#ifndef CAEC_SCRIPT_H
#define CAEC_SCRIPT_H

#include "../base/lua.h"
#include "source.h"

/* Runs the text and calls `take` with its value at the top of the stack, all inside one protected
   call, so that running out of memory is an error like any other. Every mistake, of Lua's and of
   dsl.lua's words, ends the program with a message at its place. */
void script_run(const Source *source, void (*take)(lua_State *L, void *context), void *context);

/* The word of the graph language that the function at the top of the stack stands for, while `take`
   runs; NULL: none. */
const char *script_word(lua_State *L);

#endif
