/* holes.h - the holes that every kernel's text has. */
#ifndef CAEC_HOLES_H
#define CAEC_HOLES_H

#include "../base/lua.h"
#include "../program/plan.h"

/* Pushes a table of all holes of a step: its own numbers, and
 *   name, model, real, REAL_BYTES, L (lanes), OP, comment (lines), args
 *   of a convolution: IN_H IN_W CI (stored input), UP_H UP_W, OUT_H OUT_W CO, KERNEL_H KERNEL_W,
 *   STRIDE_H STRIDE_W, DILATION_H DILATION_W, WINDOW_H WINDOW_W, PAD_TOP, PAD_LEFT, GROUPS,
 *   X_TYPE, X_SCALE
 *   of what is taken in: ACT, D_ACT (0 or 1), POOL_H POOL_W, D_POOL_H D_POOL_W (rows and
 *   columns of a pool's windows or 0), act_value, act_derivative, act_numbers
 *   of any operator: IN_SHAPE, OUT_SHAPE (lists), IN_COUNT, OUT_COUNT, NUMBERS (the core's numbers
 *   by name) */
void push_step_holes(lua_State *L, const Plan *plan, const Step *step);

/* The same for the function that ends a chunk (Kernel.flush_text); args are sum and dw. */
void push_flush_holes(lua_State *L, const Plan *plan, const Step *step);

/* The same for a packing: KERNEL_H, KERNEL_W, CI and CO (of a parameter HWIO), COUNT, ROOM, BLOCK,
   LANES, ROTATED, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, UP_H, UP_W, PAD_TOP, PAD_LEFT,
   GROUPS; args are the kind's parameters and packing. */
void push_packing_holes(lua_State *L, const Plan *plan, const Packing *packing);

/* Of a packing made on use, for the function that turns forward's blocks into it; besides these
   FROM_BLOCK, FROM_LANES. */
void push_on_use_holes(lua_State *L, const Plan *plan, const Packing *on_use);

/* "cae" -> "CAE" */
const char *upper(const char *name);

/* The table at the top goes to the end of the list below it. */
void append_item(lua_State *L);

/* Sets a field of the table at the top of the stack. */
void set_bool(lua_State *L, const char *name, bool value);
void set_number(lua_State *L, const char *name, double value);
void set_text(lua_State *L, const char *name, const char *value);
/* how packings of weights are stored: weight, WEIGHT_BYTES, half */
void set_weight(lua_State *L, const Plan *plan);

/* The C type of a max-pool's codes, an integer as wide as a real: see packing/codes.h. */
const char *code_type(const Plan *plan);

/* "conv2d 3x3 + bias_add + relu + max_pool2d", what a step computes. */
const char *step_title(const Step *step);

#endif
