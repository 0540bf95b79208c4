/* train_run.h - a whole training run: pictures, updates, validation, checkpoints and what is told
   of them. */
#ifndef CAEC_TRAIN_RUN_H
#define CAEC_TRAIN_RUN_H

#include "error.h"
#include "model.h"
#include "train_options.h"

/* Starts or resumes the run that the options describe and takes it to its end. Returns the exit
   code: 0, or 130 / 143 where SIGINT / SIGTERM stopped it (it is saved then); -1 with the error
   filled in where it failed. A second signal ends the program at once. */
int train_run(const Model *model, const TrainOptions *options, Error *error);

#endif
