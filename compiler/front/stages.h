/* stages.h - the list `stages` of the graph file: what is trained one after another. */
#ifndef CAEC_STAGES_H
#define CAEC_STAGES_H

#include "../ir/graph.h"
#include "words.h"

/* Reads the field `stages`, which may be left out, of the model's arguments, a table at the top of
   the stack, into graph->stages. The layers and the table `training` are there already;
   training.epochs, until then what a stage has that says nothing of it, becomes that of all stages
   together. */
void load_stages(lua_State *L, const Source *source, const Word *model, Graph *graph);

#endif
