/* train_help.h - what <name>-train says to --help and --version. */
#ifndef CAEC_TRAIN_HELP_H
#define CAEC_TRAIN_HELP_H

#include "formats/usage.h"
#include "model.h"

/* Gives argp the text around the options, the graph's own numbers beside them, and the version, all
   of this model, which argp may ask for until the program ends. So it may for `lines`, the commands
   a line each; `sentence` says what they do. One model a program. */
void train_help_set(struct argp *argp, const Model *model, const char *lines, const char *sentence);

#endif
