/* warmup.h - terms of the loss whose gradient begins at nothing and grows. */
#ifndef CAEC_WARMUP_H
#define CAEC_WARMUP_H

#include "model.h"

/* Sets the share of each of the model's warm-ups, a parameter, to epochs / its length, at most 1:
   `epochs` whole ones of this training, or stage of training, are done. Nothing else reads or
   writes that parameter but prepare(), which is due after this. Returns whether there is any. */
int warmup_set(const Model *model, double epochs, real *parameters);

#endif
