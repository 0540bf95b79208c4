/* checkpoint.h - weights on disk: safetensors with the parameters under their names, so that Python
 * reads them too.
 *
 * A checkpoint of a run holds besides them the optimizer's state (such as optimizer.m/<parameter>:
 * the names are those of its row in settings.c) and, in the metadata under caec.*, the position in
 * the run, the format's version, the model's name, graph and fingerprint, and a checksum of the
 * whole file. Numbers come back with the same bits. A file is written whole or not at all. */
#ifndef CAEC_CHECKPOINT_H
#define CAEC_CHECKPOINT_H

#include "error.h"
#include "model.h"
#include "schedule.h"
#include "settings.h"

/* Rises with each change by which a run would not go on to its bits: 4 since chunks' sums meet in
   a tree. */
enum { CHECKPOINT_FORMAT = 4 };

/* Where a run stands. The optimizer's t is `step` - `stage_step`. */
typedef struct CheckpointState {
    uint64_t step;            /* updates so far */
    uint64_t epoch;           /* epochs completed */
    uint64_t position;        /* entries of the current epoch's order that are done with, unreadable
                                 ones included */
    uint64_t images;          /* pictures of the current epoch learnt from */
    double loss_sum, seconds; /* of the current epoch: sum of their losses, time spent */
    double best;              /* lowest loss of a completed epoch, INFINITY before the first */
    uint64_t seed, batch;
    uint64_t train_files, val_files; /* fingerprints of the two file lists; val_files 0: none */
    uint64_t epochs, steps;          /* where the run was to end; 0: no such bound */
    uint64_t closed;                 /* `step`: the run ended here, inside an epoch, and all that an
                                        end leaves is written; 0: else */
    ModelTraining training;          /* what the run trains by; `batch` and `epochs` above count,
                                        not those in it */
    uint64_t schedule_follows;       /* 1: training.schedule.epochs were left out, and are those of
                                        the run */
    double rate;                     /* of the last update */
    Plateau plateau;
    BestLoss early;                   /* of early stopping */
    uint64_t stage;                   /* of a model with stages: the place of the one that is
                                         trained, */
    uint64_t stage_step, stage_epoch; /* updates and epochs before it began, */
    uint64_t stage_epochs;            /* and how many epochs it was to have when it began */
} CheckpointState;

/* Writes parameters and, where `kept` is not NULL, the state of state->training.optimizer, in the
   order of its row: kept[SETTINGS_STATES], those NULL that it does not keep with its numbers; all
   have model->parameter_reals. Of a model with stages the state of those parameters alone that
   state->stage trains. */
int checkpoint_save(const char *path, const Model *model, const real *parameters, real *const *kept,
                    const CheckpointState *state, Error *error);

/* Reads a checkpoint of a run of this very model with its optimizer's state. Refuses another
   network (named, or with the first parameter that is missing or differs), another `real`, another
   format, a file without a run in it (best.safetensors), damage, a tensor that is neither a
   parameter nor a value that the run's optimizer keeps of one, and a number that no run comes to,
   as a batch that the command line does not allow. With parameters NULL the position alone is read.
   kept: as above; what the run's optimizer did not keep by its numbers is left as it is, and so is,
   of a model with stages, the state of parameters that the run's stage does not train. */
int checkpoint_load(const char *path, const Model *model, real *parameters, real *const *kept,
                    CheckpointState *state, Error *error);

#endif
