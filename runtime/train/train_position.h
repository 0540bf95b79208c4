/* train_position.h - where a run begins: at its first update, or where it was interrupted. */
#ifndef CAEC_TRAIN_POSITION_H
#define CAEC_TRAIN_POSITION_H

#include "train_private.h"

/* Sets run->state, run->folder being open but not made: that of a new run, or what the run in the
   folder was told and where it stood. What the command line says about training goes before both.
   0, or -1 where the run that is to be resumed is not there or not to be had with these options. */
int train_fresh_position(Run *run, Error *error);
int train_read_position(Run *run, Error *error);

#endif
