/* tiny_model.h - what tiny_model.c has besides caec_model. */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include "model.h"

enum { TINY_MICROBATCH = 4 };

/* caec_model as a model that takes up to TINY_MICROBATCH images at once. Its functions for one
   image alone are those of caec_model, and the results have the same bits. */
Model tiny_batched(void);

/* The largest number of images in any call of its functions for microbatches so far. */
extern int tiny_largest_microbatch;

#endif
