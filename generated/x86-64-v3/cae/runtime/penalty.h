/* penalty.h - what the loss takes of the weights themselves: kernel_l1 and kernel_l2 of the graph
   file, l1 times the sum of |w| and l2 times that of w^2, of those parameters that are trained. */
#ifndef CAEC_PENALTY_H
#define CAEC_PENALTY_H

#include "model.h"

typedef struct Penalty {
    double l1, l2;
} Penalty;

/* Both parts, of what the stage trains (NULL: of the whole network); summed in double precision, in
   the order of the parameters. */
Penalty penalty_of(const Model *model, const ModelStage *stage, const real *parameters);

/* Adds `times` the gradient of it. */
void penalty_add_gradient(const Model *model, const ModelStage *stage, const real *parameters,
                          double times, real *gradient);

#endif
