/* library.h - a plan with settings.library as C that stands alone, under the names of the model.
 * Streams are a skeleton of their own, baked weights are library_weights.h. */
#ifndef CAEC_LIBRARY_H
#define CAEC_LIBRARY_H

#include "emit_options.h"

/* As emit_model(). */
void emit_library(const Plan *plan, const EmitOptions *options);

#endif
