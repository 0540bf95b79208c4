/* library_weights.h - baked weights: the packings that inference reads, computed here and written
 * as bytes that the assembler takes in, or as numbers of C. */
#ifndef CAEC_LIBRARY_WEIGHTS_H
#define CAEC_LIBRARY_WEIGHTS_H

#include "emitter.h"

/* Adds the file or files with the weights that options->trained holds. */
void emitter_weights(Emitter *e);

#endif
