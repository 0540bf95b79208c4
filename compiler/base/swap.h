/* swap.h - files below an open folder that are exchanged together: all are written beside each
 * other in a temporary folder first, then each takes its name, and where one cannot, those before
 * it are put back. Names are below the folder, with slashes; no symbolic link on the way is
 * followed. */
#ifndef CAEC_SWAP_H
#define CAEC_SWAP_H

#include "text.h"

#include <stdbool.h>

typedef struct Move {
    const char *name;
    const Text *text;       /* what it is to hold; NULL: it goes */
    bool set_aside, placed; /* what stood there before; the new one */
} Move;

typedef struct Swap {
    int root; /* handle of the folder */
    Move *moves;
    int count;
    int temporary; /* handle of the temporary folder; -1: none */
    char temporary_name[40];
    const char **made; /* folders that were made for the moves; room for twice as many as the names
                          have slashes */
    int made_count;
    const char *failed; /* what could not be done where a function below returns false, with errno:
                           a name below the folder */
} Swap;

/* Removes from the folder what processes that are no more left of such exchanges; `alone`: none is
 * at work there but this one. */
void swap_sweep(int root, bool alone);

/* The handle of the folder that the file is in, and the rest of its name. -1 and errno: ENOENT
   where it is missing, ELOOP or ENOTDIR where something else stands on the way. */
int swap_folder_of(int root, const char *name, const char **leaf);

/* Writes all new files into the temporary folder and syncs them, as long as no signal waits (then
 * EINTR). */
bool swap_prepare(Swap *swap);

/* The next `count` moves from `first` on, in their order; then syncs the folders that they changed.
 */
bool swap_do(Swap *swap, int first, int count);

/* Takes back what was done, the last first. False: not all could be; what remains is listed by the
 * first move's file, which is left as it is. */
bool swap_undo(Swap *swap);

/* Removes those of the folders above the file that are empty; swap_undo() makes them again where it
 * needs them. */
void swap_remove_empty(int root, const char *name);

/* Removes all that is temporary, the old files where the exchange is `committed`, else the new
 * ones. False and errno where something stays. */
bool swap_end(Swap *swap, bool committed);

#endif
