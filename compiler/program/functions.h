/* functions.h - which C functions and which packings of weights the steps of a plan need, and which
 * of them are the same. */
#ifndef CAEC_FUNCTIONS_H
#define CAEC_FUNCTIONS_H

#include "plan.h"

/* Puts in the place of each step of all programs the one that is emitted, with its packings and its
   function; nothing changes it after that. Steps of inference that do just what a step of training
   does share its function; the names of others end in _infer, those of a stream in _row. In a plan
   of many steps layers that do the same share one too. */
void plan_functions(Plan *plan);

/* Whether two packings are one, before they have names and places; whether two steps do the same to
   the same. */
bool plan_same_packing(const Packing *a, const Packing *b);
bool plan_same_step(const Step *a, const Step *b);

/* Where a step's packing made on use lies in its scratch memory, in reals: after what the kernel
   works in. */
size_t plan_on_use_place(const Settings *settings, const Step *step);

/* Reals that a packing has room for among the prepared weights. */
size_t plan_packing_room(const Settings *settings, const Packing *packing);

/* Counts what is made before the packing, and at the end adds the memory of all such to the
   prepared weights. */
void plan_count_scaling(Plan *plan, const Packing *packing);
void plan_end_prepared(Plan *plan);

#endif
