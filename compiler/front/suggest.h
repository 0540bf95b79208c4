/* suggest.h - what an unknown name may have been meant for. */
#ifndef CAEC_SUGGEST_H
#define CAEC_SUGGEST_H

#include "source.h"

/* How a message about an unknown word of the graph file goes on: "; did you mean conv2d?", how to
   say what another library says by that word, what to use instead of a layer that caec refuses, or
   which optimizers there are where one was wanted; "" where nothing is near. `loc` is the word's
   place. */
const char *suggest_word(const Source *source, Loc loc, const char *name);

#endif
