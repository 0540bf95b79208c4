/* run_folder.h - the folder of a training run: what is called what in it. */
#ifndef CAEC_RUN_FOLDER_H
#define CAEC_RUN_FOLDER_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct RunFolder {
    char *path;                                            /* without a slash at its end */
    char *last, *best, *history, *loss_curve, *samples;    /* files in it; samples is a folder */
} RunFolder;

/* Makes the names for `out`, nothing on disk. The holder calls run_folder_close. */
int run_folder_open(RunFolder *folder, const char *out, Error *error);
void run_folder_close(RunFolder *folder);

/* 1 where the folder holds a run, or something of one. */
int run_folder_used(const RunFolder *folder);

/* Renames the folder to the first of DIR.1, DIR.2, ... that is free, and writes that name into moved[size]. */
int run_folder_move_aside(const RunFolder *folder, char *moved, size_t size, Error *error);

/* Makes the folder, its parents and its samples folder where they are missing. */
int run_folder_make(const RunFolder *folder, Error *error);

/* The name of an epoch's sheet, samples/epoch_007.png, into path[size]. */
void run_folder_sample(const RunFolder *folder, uint64_t epoch, char *path, size_t size);

#endif
