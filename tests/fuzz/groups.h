/* groups.h - random graphs with layers that take statistics of a group of images: training of a
   batch, and updates by the trainer, of the whole network and in its stages. */
#ifndef TEST_GROUPS_H
#define TEST_GROUPS_H

#include "drive.h"
#include "net.h"

#include <stdbool.h>

/* How many images of such a batch statistics are taken of together; 0: none are taken. */
int groups_of(const Net *net);

/* Whether a max-pool whose places are kept meets two values so near each other that rounding
   decides between them, while that batch is trained. */
bool groups_have_ties(const Net *net, const double *parameters);

/* Losses and what each group has seen against the naive operators, the gradient against central
   differences, with noise drawn too where the net is `noisy`; an update by the trainer against that
   gradient and by the statistics' rule, its bits the same for more threads. In stages likewise but
   for the naive operators; and no stage touches what it does not train. */
void check_groups(const Net *net, const Model *model, const double *parameters, bool noisy,
                  GradientCheck *check);

#endif
