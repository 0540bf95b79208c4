/* model.h - a plan as a trainer and an inference program. */
#ifndef CAEC_MODEL_H
#define CAEC_MODEL_H

#include "emit_options.h"

/* Expands every text first and saves all files then, so that an error leaves nothing written. */
void emit_model(const Plan *plan, const EmitOptions *options);

/* One step's function as text, for --expand. */
void emit_function(Text *out, const Plan *plan, const Step *step);

#endif
