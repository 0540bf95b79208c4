/* emit.h - what every skeleton can name. */
#ifndef CAEC_EMIT_H
#define CAEC_EMIT_H

#include "../base/lua.h"
#include "emit_options.h"

/* Pushes a table of what every skeleton can name, but for the programs. */
void push_model(lua_State *L, const Plan *plan, const EmitOptions *options);

/* Pushes a row of the list `packings` of the skeletons: name, id (in capitals), parameters (the ids
   of all that the packing is made of), offset, count, training. */
void push_packing_row(lua_State *L, const Packing *packing);

/* The decimal that gives the number back. */
const char *shortest(double x);

/* Whether kernels call exp, tanh or log: ours, which a loop takes several of at once, instead of
   the C library's. */
bool own_math(const Plan *plan);

#endif
