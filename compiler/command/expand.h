/* expand.h - one kernel's text for given numbers, for --expand. */
#ifndef CAEC_EXPAND_H
#define CAEC_EXPAND_H

#include "option_values.h"

/* Prints the function that the kernel options->expand is for a sample layer of
   options->expand_numbers. Numbers that it does not have or compute end the program. */
void expand_kernel(const Options *options);

#endif
