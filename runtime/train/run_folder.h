/* run_folder.h - the folder of a training run: what is called what in it, and the lock that keeps a
 * second run out.
 *
 * The lock is flock's, on the file .lock: the system lets go of it when the process ends, however
 * that comes about. A run that ends in good order removes the file.
 *
 * With the lock the folder itself is held (held_folder_open): whatever is written or renamed in it
 * goes there, also where it has been renamed since and another folder has its name. */
#ifndef CAEC_RUN_FOLDER_H
#define CAEC_RUN_FOLDER_H

#include "error.h"
#include "formats/held_folder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RunFolder {
    char *path;                                         /* without a slash at its end */
    char *last, *best, *history, *loss_curve, *samples; /* files in it; samples is a folder */
    /* the best of the whole epochs, while `best` is of one that is not whole */
    char *best_epoch;
    char *pictures; /* what the files of the pictures were when the run began */
    char *lock;
    bool locked;
    int lock_file; /* lock_file is open where locked is 1 */
    int moved;     /* `path` is not the one that it was opened by */
} RunFolder;

/* Makes the names for `out`, nothing on disk. The holder calls run_folder_close, which lets go of
   the lock. */
int run_folder_open(RunFolder *folder, const char *out, Error *error);
void run_folder_close(RunFolder *folder);

/* Takes the lock, and removes what an earlier run left half written. A folder that is not there yet
   has none to take: call it again after run_folder_make. Refuses where another process holds it; a
   file system without locks does without. */
int run_folder_lock(RunFolder *folder, Error *error);

/* Where the folder was renamed while the run is at work: all names are those that it has now.
 * HELD_FOLDER_GONE: it was deleted. */
int run_folder_follow(RunFolder *folder, HeldFolder *what, Error *error);

/* In the place of a folder that was deleted: makes it anew, as DIR or, where something stands there
   by now, as the first of DIR.1, DIR.2, ... that is free, and takes its lock. */
int run_folder_renew(RunFolder *folder, Error *error);

/* Refuses a folder where what a run reads or replaces is there, but no plain file: a pipe would be
   waited for. */
int run_folder_check(const RunFolder *folder, Error *error);

/* 1 where the folder holds a run, or something of one. */
int run_folder_used(const RunFolder *folder);

/* 1 where last.safetensors is there. */
int run_folder_has_last(const RunFolder *folder);

/* Renames the folder to the first of DIR.1, DIR.2, ... that is free, and writes that name into
   moved[size]. The lock, held until then, is gone. */
int run_folder_move_aside(RunFolder *folder, char *moved, size_t size, Error *error);

/* Makes the folder, its parents and its samples folder where they are missing. */
int run_folder_make(const RunFolder *folder, Error *error);

/* Before `best` is written inside an epoch: copies what it holds, of whole epochs, to `best_epoch`.
   Nothing where that is done already. */
int run_folder_keep_best(const RunFolder *folder, Error *error);

/* Before such an epoch goes on: `best_epoch`, where there is one, is `best` again. */
int run_folder_restore_best(const RunFolder *folder, Error *error);

/* The name of an epoch's sheet, samples/epoch_007.png, into path[size]. */
void run_folder_sample(const RunFolder *folder, uint64_t epoch, char *path, size_t size);

#endif
