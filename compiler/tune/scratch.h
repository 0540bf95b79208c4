/* scratch.h - a folder that goes whatever happens, and what runs in it. */
#ifndef CAEC_SCRATCH_H
#define CAEC_SCRATCH_H

#include <stdbool.h>

/* Makes the folder, which is gone when caec ends, and removes those that a caec which is no more
   left. Ends the program with a message where that fails. */
const char *scratch_folder(void);

/* Runs a command of the shell in a group of its own, which ends with caec; false where it
   failed. */
bool scratch_run(const char *command);

#endif
