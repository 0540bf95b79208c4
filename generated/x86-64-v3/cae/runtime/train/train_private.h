/* train_private.h - what the files of the training run share: train_run.c (the loop), train_setup.c
 * (its beginning, from files that have headers of their own), train_files.c (what it saves and
 * where), train_signals.c (who asks it to stop), train_epoch.c (what an epoch ends with),
 * train_length.c (how many epochs run, stages and schedule have), diagnosis.c (numbers that go
 * wrong). */
#ifndef CAEC_TRAIN_PRIVATE_H
#define CAEC_TRAIN_PRIVATE_H

#include "checkpoint.h"
#include "data/dataset.h"
#include "history.h"
#include "model.h"
#include "picture_table.h"
#include "progress.h"
#include "run_folder.h"
#include "train_options.h"
#include "trainer.h"

#include <stdbool.h>

enum {
    SAMPLES = 8, /* pictures on a sheet */
    /* pictures that tell whether an output channel is dead from the start, */
    LOOKED_AT = 16,
    /* and whether any layer's has died since */
    LOOKED_AT_LATER = 32,
    BUILT_IN_TRAIN = 1024,
    BUILT_IN_VAL = 256,
    BUILT_IN_SEED = 1
};

/* One for each channel of the steps with channels, in the order of the steps: whether it was seen
   alive in this look, and was dead in the last. */
typedef struct DeadChannels {
    unsigned char *seen, *dead;
    size_t room;
} DeadChannels;

typedef struct Run {
    const Model *model;
    const TrainOptions *options;
    int threads, batch;
    CheckpointState state;
    Trainer trainer;
    RunFolder folder;
    History history;
    Progress progress;
    Dataset *train, *val; /* val NULL: no validation */
    /* [pictures of the larger set], [batch] */
    uint32_t *order, *which;
    const uint8_t **pixels; /* [batch or LOOKED_AT_LATER] */
    uint64_t *noise;        /* [batch], dataset_number */
    /* [batch] pictures, where the run mirrors */
    uint8_t *mirrored;
    /* [2 * SAMPLES] pictures: originals, reconstructions */
    uint8_t *samples;
    int sample_count;
    real *scratch;       /* one output */
    uint64_t saved_step; /* of last.safetensors */
    double saved_at;     /* when, by train_now */
    /* train_diverged has been called */
    bool diverged;
    int unread; /* a picture could not be had: the run stands between two steps, and can be saved */
    /* stdout takes nothing more, and that is said */
    bool unheard;
    DeadChannels dead_channels;
} Run;

/* Seconds of a clock that only goes forward. */
double train_now(void);

/* From here on signals ask the run to stop; they end the program until train_allow_stopping says
 * that there is something to save. */
struct SignalsBefore;
void train_watch_signals(struct SignalsBefore *before);
void train_allow_stopping(const Run *run);

/* The signal that asked the run to stop, 0: none. */
int train_stopped(void);

/* Prints a line to stdout, clear of the progress bar. */
void train_say(Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "NAME-train: warning: text" to stderr, clear of the bar. */
void train_warn(const char *text);

/* Opens everything up to the first step; *finished is set where there is nothing left to do. Ends
   with train_close, also after a failure. */
int train_open(Run *run, const Model *model, const TrainOptions *options, int *finished,
               Error *error);
void train_close(Run *run);

/* The mean losses of the epoch so far; terms[MODEL_MAX_COLUMNS] is given those of the model's
   columns. */
ProgressLoss train_mean_loss(const Run *run, double *terms);

/* sums[column_count] of the model's columns over `images` as means; NaN where the stage at hand has
   no such term. */
void train_mean_terms(const Run *run, const double *sums, double images, double *means);

/* The stage that is trained; NULL: the model has none and is trained as a whole. */
const ModelStage *train_stage(const Run *run);

/* 1 where the last stage is trained, or the whole network from the start: what counts for
   best.safetensors. */
int train_last_stage(const Run *run);

/* 1 where the stage has had its epochs, or early stopping ended it. Options of the run's length
   take the place of the last stage's own. */
int train_stage_over(const Run *run);

/* Makes run->state.stage begin where the run stands: an optimizer, schedule and early stopping that
   start afresh. */
void train_begin_stage(Run *run);

/* Of the last stage: makes it as long as the run's epochs leave it, where those are given. */
void train_fit_last_stage(Run *run);

/* Updates of so many pictures. */
size_t train_steps_of(size_t images, int batch);

/* How many epochs the run will have, as far as can be told; 0: not. The pictures must be open. */
size_t train_expected_epochs(const Run *run);

/* Gives a cosine without `epochs` the run's, and anew where a resumed run is given other ones.
   Refuses a schedule that does not go with the run. */
int train_check_schedule(Run *run, Error *error);

/* Warns where the run goes on after a cosine's end at a learning rate of 0. The pictures must be
   open. */
void train_warn_of_schedule(Run *run);

/* Says which stage it is; nothing where there are none. */
void train_say_stage(Run *run);

/* 1 where the run has had the updates it was given. What follows the last one may still be to
   do. */
int train_steps_done(const Run *run);

/* 1 where the run has reached the end it was given, or early stopping ended it, and everything that
   an end leaves is written. */
int train_finished(const Run *run);

/* What best.safetensors, early stopping and reduce_on_plateau go by: "val_loss", or "loss" without
   validation. */
const char *train_score_name(const Run *run);

/* 1 where early stopping ended the run. */
int train_stopped_early(const Run *run);

/* The next pictures of a set, as dataset_next. */
int train_next_pictures(Run *run, Dataset *set, int want, Error *error);

/* Finds the run's folder again where it was renamed, and says so. One that was deleted is an error;
 * the run is saved first, in a new one. */
int train_follow_folder(Run *run, Error *error);

/* Writes last.safetensors, and before it what is newly known of the pictures. Refuses parameters
 * that are not finite (the file then stays as it is). */
int train_save_last(Run *run, Error *error);

/* Writes pictures.txt into the folder, where there is something new to know or `always`. Nothing
 * for built-in pictures. */
int train_save_pictures(Run *run, const RunFolder *folder, int always, Error *error);

/* The folder as a command names it: the one that the user gave (NULL: none), or where it is now. */
const char *train_out(const Run *run);

/* The error of a loss, gradient, parameter or optimizer's state (`what`) that is no finite number,
   with the n pictures at hand, of `set`, and their noise. Finds the picture and the layer, and
   writes DIR/diagnosis.txt. `before`: the step has changed nothing yet, run->state included, so the
   state that leads to it goes into DIR/diagnosis. */
int train_diverged(Run *run, const char *what, const Dataset *set, int n, const uint64_t *noise,
                   int before, Error *error);

/* Channels that are 0 for every picture, of any layer whose channels can be: looked for after each
   epoch with up to LOOKED_AT_LATER pictures of the validation set (training set, where there is
   none), one after another until all are seen alive that were so the last time. Says which have
   died since. A look at a picture costs as much as learning from it. */
int train_open_dead_channels(Run *run, Error *error);
void train_reset_dead_channels(Run *run); /* another stage begins */
int train_find_dead_channels(Run *run, Error *error);
void train_close_dead_channels(Run *run);

/* Validation, best.safetensors, history, curve and samples after the last update of an epoch, or of
   the run inside one (`partial`: the epoch stays open and a resumed run completes it). Saves last.
   Returns 1 where a signal came first. */
int train_end_epoch(Run *run, int partial, Error *error);

#endif
