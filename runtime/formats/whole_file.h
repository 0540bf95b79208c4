/* whole_file.h - files that are written whole or not at all.
 *
 * Every function that can fail returns 0, or -1 with one line for the user in message[size] that
 * names the file. */
#ifndef CAEC_WHOLE_FILE_H
#define CAEC_WHOLE_FILE_H

#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

/* A file being written: a temporary file in the folder of `path`, which takes its place at
   whole_file_commit. What exists and is no plain file (a pipe, /dev/stdout) is written to directly
   instead, since it must not be replaced. */
typedef struct WholeTemporary WholeTemporary;
typedef struct WholeFile {
    FILE *stream; /* write here; errors may be left to whole_file_commit to find */
    char *path;   /* where it shall stand, symbolic links followed */
    int folder;   /* a handle of the folder of `path`, wherever that is renamed to meanwhile */
    WholeTemporary *temporary; /* in there; NULL where written directly */
} WholeFile;

int whole_file_open(WholeFile *file, const char *path, char *message, size_t size);

/* Flushes, fsyncs, renames and fsyncs the folder. The file is closed whatever comes back; after -1
   the old content still stands. */
int whole_file_commit(WholeFile *file, char *message, size_t size);

/* For a signal handler that ends the program: removes the temporary file that was opened last and
   is not in its place yet. Returns 1 where no file at all has taken its place or been written to
   directly so far, else 0. */
int whole_file_discard(void);

/* fsync of the folder that holds `path`, whose entry there has been made or renamed. 0, or -1 and
   errno. */
int whole_file_sync_folder_of(const char *path);

/* Forgets what was written. Fine after a commit and on a zeroed WholeFile. */
void whole_file_abandon(WholeFile *file);

/* Writes a copy of a plain file, whole or not at all. */
int whole_file_copy(const char *from, const char *to, char *message, size_t size);

#endif
