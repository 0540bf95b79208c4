/* losses.h - the field `loss` of the graph file: "mse", mse { weight = 2 }, { mse = 0.8, mae = 0.2
   }, or { mse = 0.8, mae { weight = 0.2 } }. */
#ifndef CAEC_LOSSES_H
#define CAEC_LOSSES_H

#include "arguments.h"

/* The words of all losses, NULL-ended. */
const char *const *loss_words(void);

/* The loss that is that word alone, with its defaults. */
LossSum loss_of_word(const char *word, Loc loc);

/* The same, for another place: messages and emitted comments name it. */
LossSum loss_at(const LossSum *loss, Loc loc);

/* Whether the field `loss` of the table at the top of the stack is a table: load_losses reads it
   then, and else an argument of words. `places`: of that table's fields. Each word may stand there
   once. */
bool has_losses(lua_State *L);
LossSum load_losses(lua_State *L, const ArgumentPlaces *places);

#endif
