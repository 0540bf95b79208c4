/* progress.h - what a user sees while the training runs, in the manner of Keras.
 *
 * On a terminal a bar an epoch, redrawn in place:
 *     Epoch 3/40
 *      7/19 [=====>........] 212 images/s - 00:12 left - loss: 0.01234
 *     19/19 [==============] 214 images/s - 00:31 - loss: 0.01198 - val_loss: 0.01203
 * Elsewhere (a file, a pipe) whole lines: one an epoch, and in a long epoch one about every ten
 * seconds. */
#ifndef CAEC_PROGRESS_H
#define CAEC_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Progress {
    FILE *out;
    bool terminal;        /* 1: bars */
    double (*now)(void);  /* seconds, of a clock that only goes forward */
    size_t epoch, epochs; /* epochs 0: not known */
    int stage, stages;    /* of training; stages 0: there is but one */
    size_t steps;         /* of the epoch; 0: no epoch is under way */
    double drawn;         /* when the bar or line last came out */
    int open_line;        /* the bar's line is on the screen, unfinished */
    /* names of the terms of the loss, which the caller gives where there are several */
    const char *const *terms;
    int term_count;
} Progress;

/* Writes to `out`; `terminal` is what isatty says of it. */
void progress_open(Progress *progress, FILE *out, bool terminal, double (*now)(void));

/* Epochs from now on are of that stage (1 .. stages), and their lines say so: "Stage 2/4 - Epoch
   7/40". */
void progress_stage(Progress *progress, int stage, int stages);

/* An epoch of `steps` updates begins (1 .. epochs). */
void progress_epoch(Progress *progress, size_t epoch, size_t epochs, size_t steps);

/* A loss and its terms, [term_count]; NULL where there are none. NaN: none of it. */
typedef struct ProgressLoss {
    double loss;
    const double *terms;
} ProgressLoss;

/* `step` updates of the epoch are done; `loss` is its mean so far. */
void progress_step(Progress *progress, size_t step, double images_per_second, double seconds_left,
                   ProgressLoss loss);

/* Validation begins: the bar says so. */
void progress_validation(Progress *progress);

/* The epoch is over after `step` updates. val_loss NaN: none. */
void progress_end(Progress *progress, size_t step, double images_per_second, double seconds,
                  ProgressLoss loss, ProgressLoss val_loss);

/* A line of text between, clear of the bar. `to` may be another stream on the same terminal, as
   stderr. */
void progress_say(Progress *progress, FILE *to, const char *text);

/* Leaves the bar, if one is on the screen, as it is and goes to the next line: before an error's
   message. */
void progress_close(Progress *progress);

#endif
