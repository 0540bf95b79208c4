/* microbatch.h - how many images go through the programs together, and which steps take them one by
 * one.
 *
 * A microbatch spreads the reading of a dense layer's weights, and OpenBLAS's packing of them, over
 * its images; more images gain little, and leave large batches in fewer chunks for threads. The
 * values of a microbatch stay within MICROBATCH_BYTES as long as those of two images do. */
#ifndef CAEC_MICROBATCH_H
#define CAEC_MICROBATCH_H

#include "plan.h"

enum { MAX_MICROBATCH = 32, MIN_MICROBATCH = 2, MICROBATCH_BYTES = 128 << 20 };

/* Chooses plan->microbatch and lays out the memory of all programs, whose steps are final. */
void plan_microbatch(Plan *plan);

/* With which the search for plan->microbatch begins; it halves it while a workspace takes more than
   MICROBATCH_BYTES. */
int plan_first_microbatch(const Plan *plan);

/* In a microbatch, steps that take one image form segments: all steps of a segment for the first
   image, then all for the next. A batched step is a segment of its own, and a segment ends with the
   loss. Where layers take statistics of a group of images, steps that take one image, or a
   microbatch, and steps that take the group at once stand in phases: all images of the group go
   through a phase before the first goes through the next. There no segment ends with the loss, but
   each with its phase; a stage that takes no statistics is one phase. */
void plan_segments(Program *program);

#endif
