#define _GNU_SOURCE /* flock, O_NOFOLLOW, O_DIRECTORY */
#include "leftovers.h"

#include "held_folder.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A number that this process has itself is of one that had it before: who sweeps has nothing of his
 * own there. */
static bool is_left_over(const char *name, const char *ending)
{
    long pid;
    int number, end = 0;
    return sscanf(name, ".caec-%ld-%d%n", &pid, &number, &end) == 2 && end > 0
           && strcmp(name + end, ending) == 0 && pid > 0
           && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

/* 0 where another holds the lock: that process may live where this one cannot see it. */
static bool has_no_owner(int folder, const char *name, int how)
{
    int fd = openat(folder, name, how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES;
    int busy = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return !busy;
}

/* A folder in which files waited, with what is in it; a folder in there is none of ours. */
static void sweep_waiting(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list && fd >= 0)
        close(fd);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(fd, entry->d_name, 0);
    if (list)
        closedir(list);
    unlinkat(folder, name, AT_REMOVEDIR);
}

void leftovers_remove(const char *folder)
{
    const char *rest;
    int at = held_folder_at(folder, &rest);
    int fd = openat(at, rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list && fd >= 0)
        close(fd);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        if (is_left_over(entry->d_name, ".tmp") && has_no_owner(fd, entry->d_name, O_RDWR))
            unlinkat(fd, entry->d_name, 0);
        if (is_left_over(entry->d_name, LEFTOVERS_WAITING)
            && has_no_owner(fd, entry->d_name, O_RDONLY | O_DIRECTORY))
            sweep_waiting(fd, entry->d_name);
    }
    if (list)
        closedir(list);
}

void leftovers_remove_beside(const char *path)
{
    char *folder = path_folder(path);
    if (folder)
        leftovers_remove(folder);
    free(folder);
}
