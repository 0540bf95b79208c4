/* check.h - what a legal plan is, whoever made it and whatever was changed in it. */
#ifndef CAEC_PLAN_CHECK_H
#define CAEC_PLAN_CHECK_H

#include "plan.h"

/* What is wrong with the plan: program, step, value and buffer; NULL: nothing. It goes by what
   steps say that they read and write, and by nothing that was known when the plan was made. All
   programs are followed step by step, of a microbatch of images for the first image and for later
   ones:

   - A step has every value that its operators read. Each lies in the workspace where an earlier
     step of the program has put it, and no step since has written to any byte of it; or it is the
     image, or what the caller gives. The step's results and scratch memory lie elsewhere.
   - Each gradient of the program's parameters is added to by one step, once, after the loss; loss
     and result are made, once. Sums over a chunk are zeroed at its start and nobody else's till its
     end.
   - A buffer is large enough, aligned and within the workspace; it lives as long as steps touch it,
     and buffers whose lives meet share no byte. What outlives the segment of steps that makes it
     has room for all images of the microbatch, till the end of every segment that it meets.
   - Packings of weights are prepared, each in a place of its own, and are those of parameters that
     the step's operators read; those packed on use are made from blocks of the same parameter in
     the step's scratch memory.
   - A function that several steps call does for each what its operators say.
   - Of a stream, each ring holds the rows that its reader wants at once, and all that it wants are
     made. */
const char *plan_fault(const Plan *plan);

/* Ends the program with an internal error where there is a fault. */
void plan_check(const Plan *plan);

#endif
