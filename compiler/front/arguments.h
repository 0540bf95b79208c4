/* arguments.h - Lua tables of named arguments held against tables of what is expected. */
#ifndef CAEC_ARGUMENTS_H
#define CAEC_ARGUMENTS_H

#include "../base/lua.h"
#include "../ops/ops.h"
#include "source.h"

/* Where the arguments stand in the file, for messages. */
typedef struct ArgumentPlaces {
    const Source *source;
    const char *word;
    Loc loc;            /* of the word */
    int at;             /* its token, or -1 */
    const char *prefix; /* "training." where they stand in a table inside the word's */
} ArgumentPlaces;

/* Reads the table at the top of the stack into args[], one for each spec, in order; defaults where
   one is left out. `also` names, separated by spaces, what may be there besides and is read
   elsewhere. Fails at the argument's own place where it is unknown, of the wrong kind or outside
   its range, and at the word where a required one is missing. Of layers it reads the names;
   references.h finds them. */
void read_arguments(lua_State *L, const ArgumentPlaces *places, const ArgSpec *specs,
                    const char *also, Arg *args);

/* One argument of that table, as its spec says, likewise: of those that are read elsewhere. */
void read_argument(lua_State *L, const ArgumentPlaces *places, const ArgSpec *spec, Arg *arg);

/* The list { height, width, channels } at the top of the stack, whole numbers from 1 to MAX_SIDE.
   False where it is no list of three (`list` is set to false) or holds other numbers. */
bool read_shape(lua_State *L, Shape *shape, bool *list);

#endif
