/* first_parameters.h - the parameters that a run begins with. */
#ifndef CAEC_FIRST_PARAMETERS_H
#define CAEC_FIRST_PARAMETERS_H

#include "train_private.h"

/* Fills those of run->trainer, which is open: from the run that is resumed, the file of --init, or
   drawn. 0 or -1. */
int train_fill_parameters(Run *run, Error *error);

/* A last activation that is 0 below some value, as ReLU, can leave an output channel 0 for every
   picture, and it then has no gradient ever. Drawn parameters are drawn again until none is;
   parameters that came from a file are not ours to change. */
int train_mend_dead_output(Run *run, int drawn, Error *error);

#endif
