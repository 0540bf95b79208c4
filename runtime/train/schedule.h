/* schedule.h - the learning rate of an update, and what waits for the loss to fall.
 *
 * Time t is in epochs since the start of the run: whole epochs done, plus the share of the current
 * one's pictures that is done with. With u = t - warmup, and lr the optimizer's rate:
 *
 *     constant             lr
 *     step                 lr * factor^floor(u / every)
 *     cosine               min_lr + (lr - min_lr) (1 + cos(pi u / (epochs - warmup))) / 2, and
 *                          min_lr from `epochs` on (Loshchilov and Hutter 2017, "SGDR",
 *                          equation 5; PyTorch's CosineAnnealingLR by the update)
 *     reduce_on_plateau    lr, times `factor` (but not below min_lr) whenever val_loss, or loss
 *                          without validation, has not fallen by more than min_delta for
 *                          `patience` epochs, those of `cooldown` after a reduction not counted
 *                          (Keras's ReduceLROnPlateau)
 *
 * t is that of the update's beginning. While it is below `warmup` the rate is lr * t' / warmup, t'
 * that of the update's end: a line from almost 0 that reaches lr with the last update of the
 * warm-up (Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2). */
#ifndef CAEC_SCHEDULE_H
#define CAEC_SCHEDULE_H

#include "model.h"

/* The lowest loss so far, and for how many epochs there was no lower one. Starts as {INFINITY,
   0}. */
typedef struct BestLoss {
    double best;
    uint64_t wait;
} BestLoss;

/* What reduce_on_plateau remembers between epochs. Starts as {{INFINITY, 0}, 0, 1}. */
typedef struct Plateau {
    BestLoss best;
    uint64_t cooldown; /* epochs that are still not counted */
    double scale;      /* the rate is lr times this */
} Plateau;

/* The rate of an update from t = begin to t = end. */
double schedule_rate(const ModelSchedule *schedule, const Plateau *plateau, double lr, double begin,
                     double end);

/* After an epoch: counts its loss. Returns the number of epochs in a row that were not lower by
   more than min_delta. */
uint64_t best_loss_epoch(BestLoss *best, double loss, double min_delta);

/* After an epoch: counts its loss. Returns 1 where the rate was reduced. Other schedules are left
   as they are. */
int plateau_epoch(Plateau *plateau, const ModelSchedule *schedule, double lr, double loss);

#endif
