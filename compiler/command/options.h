/* options.h - caec's command line. */
#ifndef CAEC_OPTIONS_H
#define CAEC_OPTIONS_H

#include "option_values.h"

/* Reads it; what is wrong with it, alone or together, ends the program with how to write it. The
   graph and the folder are not looked at. */
void options_read(Options *options, int argc, char **argv);

#endif
