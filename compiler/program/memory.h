/* memory.h - the buffers of a program: which values lie in the workspace, from which step to which,
 * and where. */
#ifndef CAEC_MEMORY_H
#define CAEC_MEMORY_H

#include "plan.h"

/* Buffers and offsets, of a stream none; first fit by falling size, buffers whose lives meet never
   overlap. Wants the segments of the steps and the microbatch. */
void plan_memory(const Plan *plan, Program *program);

/* Its two halves: buffers with their lives and sizes; and their offsets, and the bytes of the
   whole. Between them a bound: the bytes of the values that live at the same step, below which no
   offsets come. */
void plan_lives(const Plan *plan, Program *program);
void plan_offsets(Program *program);
size_t plan_least_bytes(const Program *program);

/* The C names of the buffers, of a plan that stays. */
void plan_name_buffers(const Plan *plan, Program *program);

/* Where the step at that place finds or leaves the value; NULL: not in the workspace. And the
   step's scratch memory. */
const Buffer *plan_value_at(const Program *program, int place, const Node *node);
const Buffer *plan_scratch_at(const Program *program, int place);

/* How many numbers of its C type a value of one image takes: as many as its shape says, but codes
   lie packed. */
size_t plan_value_count(const Node *node);

#endif
