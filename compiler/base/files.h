/* files.h - files read and saved whole. */
#ifndef CAEC_FILES_H
#define CAEC_FILES_H

#include "text.h"

/* Reads a whole file of at most `limit` bytes; ends the program with a message and exit code 3
   where that fails. */
Text files_read(const char *path, size_t limit);

/* Saves a file, whole or not at all, and makes the folders that are missing above it; ends the
   program in the same way. What is no plain file, such as a pipe, is written to as it stands. */
void files_save(const char *path, const Text *text);

/* Makes the folders that are missing above a path. Returns those made, ended with NULL, from the
 * outermost on; ends the program in the same way. */
const char **files_make_folders(const char *path);

#endif
