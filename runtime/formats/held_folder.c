#define _GNU_SOURCE /* O_PATH */
#include "held_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int handle;
    char *path; /* NULL: none is held */
    size_t length;
} held;

int held_folder_open(const char *path)
{
    char *copy = strdup(path);
    int handle = copy ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (handle < 0 && copy && errno == EACCES)
        handle = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        int reason = copy ? errno : ENOMEM;
        free(copy);
        errno = reason;
        return -1;
    }
    held_folder_close();
    held.handle = handle;
    held.path = copy;
    held.length = strlen(copy);
    return 0;
}

void held_folder_close(void)
{
    char *path = held.path;
    held.path = NULL;
    if (path)
        close(held.handle);
    free(path);
}

int held_folder_at(const char *path, const char **rest)
{
    *rest = path;
    if (!held.path || strncmp(path, held.path, held.length) != 0)
        return AT_FDCWD;
    const char *behind = path + held.length;
    if (*behind && *behind != '/' && path[held.length - 1] != '/')
        return AT_FDCWD;
    while (*behind == '/')
        behind++;
    *rest = *behind ? behind : ".";
    return held.handle;
}

/* The system tells under which name a handle can be reached; a deleted folder has " (deleted)"
 * after its last one. */
static char *name_of_handle(int handle)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0 || path[0] != '/')
        return NULL;
    path[n] = 0;
    return strdup(path);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

HeldFolder held_folder_follow(char **path)
{
    struct stat ours, named;

    *path = NULL;
    if (!held.path || fstat(held.handle, &ours) != 0)
        return HELD_FOLDER_STAYS;
    if (stat(held.path, &named) == 0 && is_same(&ours, &named))
        return HELD_FOLDER_STAYS;
    char *name = name_of_handle(held.handle);
    if (ours.st_nlink == 0) {
        free(name);
        return HELD_FOLDER_GONE;
    }
    if (name && stat(name, &named) == 0 && is_same(&ours, &named)) {
        *path = name;
        return HELD_FOLDER_MOVED;
    }
    free(name);
    return HELD_FOLDER_STAYS;
}

void held_folder_rename(char *path)
{
    free(held.path);
    held.path = path;
    held.length = strlen(path);
}
