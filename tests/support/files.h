/* files.h - temporary folders and whole files. Everything fails the test where it cannot be
   done. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* A new empty folder; its path is to be freed by folder_remove, which removes all that is in it. */
char *folder_new(void);
void folder_remove(char *folder);

bool file_exists(const char *path);
/* to be freed, ended with 0; length may be NULL */
char *file_read(const char *path, size_t *length);
void file_write(const char *path, const char *text, size_t length);

/* The paths of all files below a folder, relative to it, sorted by their bytes. */
typedef struct FileList {
    char **path;
    int count;
} FileList;

FileList files_below(const char *folder);
void file_list_free(FileList *list);

/* Fails the test, naming the first difference, where two folders do not hold the same files with
   the same bytes. */
void want_same_files(const char *a, const char *b);

#endif
