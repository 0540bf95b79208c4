/* folder.h - the folder that a model is written to. caec replaces and removes there what its
 * manifest lists with the bytes that stand there, and nothing else. */
#ifndef CAEC_FOLDER_H
#define CAEC_FOLDER_H

#include "text.h"

#include <stdbool.h>

typedef struct SavedText {
    const char *name; /* below the folder, with slashes */
    Text text;
} SavedText;

/* Makes the folder parent/name, and those above it that are missing, hold these files and a
   manifest of them; files that an earlier caec wrote there and that are not among them go, whatever
   else is there stays. A file whose content does not change is left alone, time and all. Either all
   files are new at the end or all are as they were; a caec that is killed in between leaves a
   manifest of both, so that the next one sets it right.

   Ends the program with exit code 3, and nothing changed, where a file in the way is not listed, or
   was changed since (with `force` it is replaced), where one is no plain file (likewise, but for a
   folder, and nothing is ever written through a symbolic link), or where something cannot be
   written; by a signal that comes meanwhile, in the same way. Waits for another caec at work there.
 */
void folder_save(const char *parent, const char *name, const SavedText *files, int count,
                 bool force);

#endif
