/* command_pictures.h - <name>-train pictures: some of the built-in pictures as files. */
#ifndef CAEC_COMMAND_PICTURES_H
#define CAEC_COMMAND_PICTURES_H

#include "error.h"
#include "model.h"

#include <stdbool.h>

/* Writes `count` built-in pictures of the model's size as folder/0000.png, ..., making the folder
   where it is missing. Seed 0 or 1 gives those that training without --train measures val_loss on,
   from the first; another seed others. With `anomalies` each is a
   signal with an anomaly; refused (EXIT_INPUT) where the model's images are no signals. */
int command_pictures(const Model *model, const char *folder, uint64_t seed, int count,
                     bool anomalies, Error *error);

#endif
