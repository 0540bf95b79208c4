/* training.h - the table `training` of the graph file. */
#ifndef CAEC_TRAINING_H
#define CAEC_TRAINING_H

#include "../ir/graph.h"
#include "words.h"

/* Reads the field `training`, which may be left out, of the model's arguments, a table at the top
   of the stack. */
void load_training(lua_State *L, const Source *source, const Word *model, Training *training);

#endif
