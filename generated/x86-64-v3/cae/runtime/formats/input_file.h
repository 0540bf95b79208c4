/* input_file.h - files that are read: plain ones and pipes, whole or as a stream.
 *
 * Every function returns -1 on failure, with one line for the user in message[size] that names the
 * file. */
#ifndef CAEC_INPUT_FILE_H
#define CAEC_INPUT_FILE_H

#include <stddef.h>
#include <sys/stat.h>

/* Opens a file to be read: a plain one or a pipe, whose writer is waited for (a signal ends that).
   Anything else is refused and not opened: a device may never end, or do something. The handle, or
   -1 and errno. */
int input_file_open(const char *path, struct stat *status, char *message, size_t size);

/* The most bytes that a file can have which begins with these; 0: it is wrong already, and what is
   there will do to say so. */
typedef size_t (*InputFileMost)(const unsigned char *bytes, size_t count);

/* Reads all bytes of such a file: *bytes is malloc'ed (never NULL on success), *count its length.
   What tells no size beforehand (a pipe, a file of /proc) may have no end: it is read no further
   than `most` says, and a little. NULL: to its end. */
int input_file_read(const char *path, InputFileMost most, unsigned char **bytes, size_t *count,
                    char *message, size_t size);

#endif
