/* training.h - what the training of a plan takes in memory, and what an image of it costs. */
#ifndef CAEC_PLAN_TRAINING_H
#define CAEC_PLAN_TRAINING_H

#include "plan.h"

/* Bytes of training by so many threads, as runtime/train/trainer.c allocates them; of a library
   what its user hands over. Pictures apart. */
size_t plan_training_bytes(const Plan *plan, int threads);

/* What training costs an image: estimated cycles, microseconds where kernels were measured. */
double plan_training_cost(const Plan *plan);

#endif
