/* train_runs.h - what the tests of whole runs share: the small model on built-in pictures, in a
   folder of the program's own. */
#ifndef TEST_TRAIN_RUNS_H
#define TEST_TRAIN_RUNS_H

#include "train/train_options.h"
#include "train/train_run.h"

#include <stdbool.h>
#include <stddef.h>

enum { PATH_SIZE = 2048 };

/* temporary; two runs in it; where stdout goes meanwhile */
extern char folder[512], out_a[600], out_b[600], said_path[600];
extern char said[1 << 16]; /* what the last run printed to stdout */

int set_up(void **state);
int tear_down(void **state);

/* The one folder, until the next call. */
PictureFolders folders_of(const char *path);

/* A run on two threads into the folder `out`; one that resumes it. */
TrainOptions options_for(const char *out);
TrainOptions resume_for(const char *out);

/* train_run with its stdout caught; the small model itself, which must succeed, or be refused with
   the code and a message that says the word. */
int run_model(const Model *model, TrainOptions options, Error *error);
void run_or_fail(TrainOptions options);
void refused(TrainOptions options, int code, const char *word);

/* A file of a run: its path in path[PATH_SIZE]; whether it is there; whether those of out_a and
   out_b have the same bytes. */
void file_of(const char *out, const char *name, char *path);
bool is_there(const char *out, const char *name);
void assert_same_file(const char *name);

/* A file's bytes, ended by 0 and to be freed; at most 1 MiB. */
char *read_file(const char *path, size_t *size);

/* Epoch numbers of history.csv as a string, "1 2 3 "; *val is 1 where every row has a val_loss. */
void history_epochs(const char *out, char *text, int *val);

/* history.csv without what the clock says. */
void history_without_times(const char *out, char text[PATH_SIZE]);

int times_said(const char *words);

#endif
