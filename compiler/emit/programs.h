/* programs.h - the holes train, encode, decode, stream and stages: every step with the words of its
 * call, and the memory that the steps share. */
#ifndef CAEC_PROGRAMS_H
#define CAEC_PROGRAMS_H

#include "../base/lua.h"
#include "../program/plan.h"

/* Sets them in the table at the top of the stack, as far as the plan has them. Wants the prototypes
   of all functions there. */
void set_programs(lua_State *L, const Plan *plan);

#endif
