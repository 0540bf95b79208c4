/* optimizer.h - what an update does to the parameters, on the flat array, in `real`: by the rule in
 * rules.h that has the optimizer's name, all as Keras computes them. With an ema it then moves
 * their averages, as Keras's use_ema: average = ema average + (1 - ema) parameter, and the first
 * update of all makes it the parameter. */
#ifndef CAEC_OPTIMIZER_H
#define CAEC_OPTIMIZER_H

#include "error.h"
#include "model.h"
#include "settings.h"

typedef struct Optimizer {
    ModelOptimizer settings;      /* lr may be changed between updates */
    size_t count;                 /* of parameters */
    real *state[SETTINGS_STATES]; /* what it keeps of each parameter, count each, in the order of
                                     its row (settings.h), and its average; NULL: not with these
                                     numbers */
    uint64_t t;                   /* updates so far; whoever restores the state restores it too */
    const Model *model;           /* with `trains`: what is updated; see optimizer_restart */
    const unsigned char *trains;
} Optimizer;

/* Begins with the state that its row says, t = 0. Refuses a method it does not know. exact 1: takes
   memory_exact for the state. The holder calls optimizer_close. */
int optimizer_open(Optimizer *optimizer, const ModelOptimizer *settings, size_t count, int exact,
                   Error *error);

/* As if it had just been opened: its first state, t = 0. From now on updates leave alone the
   parameters of the model where trains[parameter] is 0, and the state of them; NULL: none. */
void optimizer_restart(Optimizer *optimizer, const Model *model, const unsigned char *trains);

/* One update of parameters[count] with g = gradient * scale (the gradient of a sum of n losses
   takes scale = 1 / n). The result has the same bits for any number of threads. Returns 0 where a
   parameter that it updated, or the state of it, is not finite any more, seen while they are in the
   cache. */
int optimizer_update(Optimizer *optimizer, real *parameters, const real *gradient, double scale,
                     int threads);

/* The averages that are worth something: where there are none yet, as before the first update, and
   of parameters that updates leave alone, they become the parameters. Returns them; NULL: none are
   kept. */
real *optimizer_averages(Optimizer *optimizer, const real *parameters);

void optimizer_close(Optimizer *optimizer);

#endif
