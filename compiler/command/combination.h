/* combination.h - options that do not go together. */
#ifndef CAEC_COMBINATION_H
#define CAEC_COMBINATION_H

#include "../../runtime/formats/usage.h"
#include "option_values.h"

/* Ends the program with what is wrong about the options as a whole, when all are read. */
void combination_check(const Options *options, const struct argp_state *state);

#endif
