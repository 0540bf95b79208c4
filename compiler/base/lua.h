/* lua.h - the only file that makes a lua_State. LuaJIT, or Lua 5.4 where that is what caec was
   built with. */
#ifndef CAEC_LUA_H
#define CAEC_LUA_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stddef.h>

/* A state for text that is not trusted: libraries base, string, table, math, debug (for our own Lua
   files, which hand on what is harmless), at most `memory` bytes, `steps` instructions and two
   seconds of the processor; compiled code is off, since LuaJIT's hook does not fire in it. What
   passes a limit is an error in Lua; a C function that does not come back ends the program, with
   exit code 1 and a message that names `file`. One such state at a time. Ends the program without
   memory. */
lua_State *lua_new_limited(const char *file, size_t memory, long steps);
void lua_close_limited(lua_State *L);

/* The line of the text (a chunk called "@...") that runs in such a state; where none does any more,
   of the one that ran shortly before. 0: none did. */
int lua_untrusted_line(lua_State *L);

/* A state for our own templates. */
lua_State *lua_new_trusted(void);

/* Loads text as a chunk called `name` ("@file") and leaves the function on the stack; text only, no
   bytecode. Like lua_pcall: 0, or a message on the stack. */
int lua_load_text(lua_State *L, const char *text, size_t length, const char *name);

size_t lua_length(lua_State *L, int index); /* of a table or string, without metamethods */

#endif
