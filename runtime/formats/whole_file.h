/* whole_file.h - files that are written whole or not at all, and read whole.
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

/* Removes from the folder, or that of `path`, what processes that are no more left there half
   written: temporary files, and folders .caec-PID-NUMBER with the ending below in which files
   waited. Whoever makes such a folder holds a lock (flock) on it. Before anything is opened
   there. */
#define WHOLE_FILE_WAITING ".wait"
void whole_file_sweep(const char *folder);
void whole_file_sweep_beside(const char *path);

/* Holds a folder, one at a time: from now on whatever is written under a path that is `path` or
   begins with it and a slash goes into this very folder, also where it has been renamed and another
   stands in its place. 0, or -1 and errno. */
int whole_file_hold(const char *path);
void whole_file_release(void);

/* For calls of the kind of openat: where `path` lies in the held folder its handle, with the path
 * from there in *rest; else AT_FDCWD and `path`. */
int whole_file_at(const char *path, const char **rest);

/* Where the held folder is now. MOVED: it has another name, in *path, malloc'ed. GONE: it was
   deleted, and nothing can be written there. STAYS: neither, or it cannot be told. */
typedef enum WholeFolder { WHOLE_FOLDER_STAYS, WHOLE_FOLDER_MOVED, WHOLE_FOLDER_GONE } WholeFolder;
WholeFolder whole_file_follow(char **path);

/* Takes over that name: the held folder is known by it from now on. */
void whole_file_held_as(char *path);

/* Forgets what was written. Fine after a commit and on a zeroed WholeFile. */
void whole_file_abandon(WholeFile *file);

/* Opens a file to be read: a plain one or a pipe, whose writer is waited for (a signal ends that).
   Anything else is refused and not opened: a device may never end, or do something. The handle, or
   -1 and errno. */
int whole_file_input(const char *path, struct stat *status, char *message, size_t size);

/* The most bytes that a file can have which begins with these; 0: it is wrong already, and what is
   there will do to say so. */
typedef size_t (*WholeFileMost)(const unsigned char *bytes, size_t count);

/* Reads all bytes of such a file: *bytes is malloc'ed (never NULL on success), *count its length.
   What tells no size beforehand (a pipe, a file of /proc) may have no end: it is read no further
   than `most` says, and a little. NULL: to its end. */
int whole_file_read(const char *path, WholeFileMost most, unsigned char **bytes, size_t *count,
                    char *message, size_t size);

/* Writes a copy of a plain file, whole or not at all. */
int whole_file_copy(const char *from, const char *to, char *message, size_t size);

/* Writes one line into message[size], printable, and returns -1. */
int whole_file_fail(char *message, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
