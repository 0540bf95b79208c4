/* groups.h - training where layers take statistics of a group of images (ModelGroups of model.h): a
 * batch is cut into groups, in its order, each goes through all phases, and what the groups have
 * seen moves the statistics. */
#ifndef CAEC_GROUPS_H
#define CAEC_GROUPS_H

#include "../model.h"

/* Images of the group that begins at image `first` of a batch of n; groups of the batch; bytes that
   the groups of a batch share, one after the other. */
int groups_size(const ModelGroups *groups, int first, int n);
int groups_count(const ModelGroups *groups, int n);
size_t groups_bytes(const ModelGroups *groups, int n);

/* As ModelBackward, of n images that are a batch, on the thread that calls: groups one after the
   other, in chunks of at most `chunk` images where a phase takes not all of them at once. `shared`
   has groups_bytes(). */
void groups_backward(const ModelGroups *groups, const void *prepared, const uint8_t *const *images,
                     const uint64_t *noise, int n, int chunk, real *gradient, double *losses,
                     void *shared, void *workspace, ModelClock *clock);

/* After a batch of n images: takes each statistic to momentum times itself plus the rest of the mean
   of what the groups have seen of it, which is taken out of `gradient`, so that nothing else of it
   is left there. */
void groups_move_statistics(const Model *model, const ModelGroups *groups, int n, real *parameters,
                            real *gradient);

#endif
