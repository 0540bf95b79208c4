/* draw_training.h - a training table at random: every optimizer, schedule and number of it. */
#ifndef TEST_DRAW_TRAINING_H
#define TEST_DRAW_TRAINING_H

#include "model.h"

#include <stdint.h>

/* What follows `loss = ...,` in the table, to be freed; `training` receives what it means. */
char *draw_training(uint64_t *state, const char *loss, ModelTraining *training);

#endif
