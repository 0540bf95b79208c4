#define _DEFAULT_SOURCE /* flock, strdup */
#include "run_folder.h"

#include "formats/leftovers.h"
#include "formats/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
    return path;
}

/* The names of what is in a run's folder, with the member that holds each of them. */
static const struct Name {
    size_t place;
    const char *name;
} names[] = {
    { offsetof(RunFolder, last), "last.safetensors" },
    { offsetof(RunFolder, best), "best.safetensors" },
    { offsetof(RunFolder, best_epoch), "best_epoch.safetensors" },
    { offsetof(RunFolder, history), "history.csv" },
    { offsetof(RunFolder, loss_curve), "loss.svg" },
    { offsetof(RunFolder, samples), "samples" },
    { offsetof(RunFolder, pictures), "pictures.txt" },
    { offsetof(RunFolder, lock), ".lock" },
};
enum { NAMES = sizeof names / sizeof names[0] };

static char **name_in(RunFolder *folder, int i)
{
    return (char **)((char *)folder + names[i].place);
}

static void free_names(RunFolder *folder)
{
    free(folder->path);
    for (int i = 0; i < NAMES; i++)
        free(*name_in(folder, i));
}

/* All names of the folder `out`; nothing is changed where memory is out. */
static int fill_names(RunFolder *folder, const char *out, Error *error)
{
    RunFolder filled = *folder;
    int failed = !(filled.path = strdup(out));
    for (size_t n = strlen(out); !failed && n > 1 && filled.path[n - 1] == '/'; n--)
        filled.path[n - 1] = '\0';
    for (int i = 0; i < NAMES; i++)
        failed |= !(*name_in(&filled, i) = failed ? NULL : join(filled.path, names[i].name));
    free_names(failed ? &filled : folder);
    if (failed)
        return error_set(error, EXIT_INPUT, "out of memory");
    *folder = filled;
    return 0;
}

int run_folder_open(RunFolder *folder, const char *out, Error *error)
{
    memset(folder, 0, sizeof *folder);
    return fill_names(folder, out, error);
}

/* The calls of that name, in the folder that is held. */
static int remove_file(const char *path)
{
    const char *rest;
    int at = held_folder_at(path, &rest);
    return unlinkat(at, rest, 0);
}

static int rename_file(const char *from, const char *to)
{
    const char *rest_from, *rest_to;
    int at_from = held_folder_at(from, &rest_from), at_to = held_folder_at(to, &rest_to);
    return renameat(at_from, rest_from, at_to, rest_to);
}

static int status_of(const char *path, struct stat *status, int flags)
{
    const char *rest;
    int at = held_folder_at(path, &rest);
    return fstatat(at, rest, status, flags);
}

/* The name goes while the lock is held: who opened the file before that finds, once it has the
   lock, that the name is no longer its file's. */
static void unlock(RunFolder *folder)
{
    if (folder->locked) {
        remove_file(folder->lock);
        close(folder->lock_file);
        held_folder_close();
    }
    folder->locked = false;
}

void run_folder_close(RunFolder *folder)
{
    unlock(folder);
    free_names(folder);
    memset(folder, 0, sizeof *folder);
}

static int exists(const char *path)
{
    struct stat status;
    return status_of(path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1 where the open file is still the one of that name. */
static bool is_named(int file, const char *name)
{
    struct stat open_one, named;
    return fstat(file, &open_one) == 0 && status_of(name, &named, 0) == 0
           && open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* 1 where the folder that is held is still the one of its name. */
static bool is_in_place(const RunFolder *folder)
{
    struct stat ours, named;
    return status_of(folder->path, &ours, 0) == 0 && stat(folder->path, &named) == 0
           && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static int busy(const RunFolder *folder, int file, Error *error)
{
    char pid[32];
    ssize_t n = pread(file, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return error_set(
        error, EXIT_FILE,
        "%s: another run is at work in this folder%s%s; wait for its end or give another --out",
        folder->path, *pid ? ", process " : "", pid);
}

/* Takes the lock of the open file; 1: it is the folder's and ours, 0: not any more, -1. */
static int take_lock(RunFolder *folder, int file, Error *error)
{
    if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return busy(folder, file, error);
    if (!is_named(file, folder->lock) || !is_in_place(folder))
        return 0;
    folder->locked = true;
    folder->lock_file = file;
    /* for the other's message; nothing depends on it */
    if (ftruncate(file, 0) == 0)
        dprintf(file, "%ld\n", (long)getpid());
    return 1;
}

static int cannot_lock(const RunFolder *folder, Error *error)
{
    return error_set(error, EXIT_FILE,
                     "%s: cannot be written: %s; give an --out where you may write", folder->lock,
                     strerror(errno));
}

/* One try: 1: it is ours, 0: another run was in between, -1. With no folder there yet *missing is
 * set. */
static int try_lock(RunFolder *folder, int *missing, Error *error)
{
    const char *rest;
    *missing = held_folder_open(folder->path) != 0;
    if (*missing)
        return errno == ENOENT || errno == ENOTDIR ? 0 : cannot_lock(folder, error);
    int at = held_folder_at(folder->lock, &rest),
        file = openat(at, rest, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666), result;
    if (file < 0)
        result = errno == ENOENT ? 0 : cannot_lock(folder, error);
    else if ((result = take_lock(folder, file, error)) != 1)
        close(file);
    if (result != 1)
        held_folder_close();
    return result;
}

int run_folder_lock(RunFolder *folder, Error *error)
{
    int missing = 0, result;
    while ((result = try_lock(folder, &missing, error)) == 0 && !missing)
        ;
    if (result <= 0)
        return result;
    leftovers_remove(folder->path);
    leftovers_remove(folder->samples);
    return 0;
}

int run_folder_follow(RunFolder *folder, HeldFolder *what, Error *error)
{
    char *path = NULL;
    *what = folder->locked ? held_folder_follow(&path) : HELD_FOLDER_STAYS;
    if (*what != HELD_FOLDER_MOVED)
        return 0;
    if (fill_names(folder, path, error) != 0) {
        free(path);
        return -1;
    }
    held_folder_rename(path);
    folder->moved = 1;
    return 0;
}

int run_folder_used(const RunFolder *folder)
{
    return exists(folder->last) || exists(folder->best) || exists(folder->history)
           || exists(folder->loss_curve) || exists(folder->samples) || exists(folder->pictures)
           || exists(folder->best_epoch);
}

int run_folder_has_last(const RunFolder *folder)
{
    return exists(folder->last);
}

int run_folder_check(const RunFolder *folder, Error *error)
{
    const char *const files[] = { folder->last,    folder->best,       folder->best_epoch,
                                  folder->history, folder->loss_curve, folder->pictures };
    struct stat status;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (status_of(files[i], &status, 0) == 0 && !S_ISREG(status.st_mode))
            return error_set(error, EXIT_FILE, "%s: is no plain file; move it away", files[i]);
    return 0;
}

/* The first of DIR.1, DIR.2, ... that is free. */
static int free_name(const RunFolder *folder, char *name, size_t size, Error *error)
{
    for (int i = 1;; i++) {
        if ((size_t)snprintf(name, size, "%s.%d", folder->path, i) >= size)
            return error_set(error, EXIT_FILE,
                             "%.300s...: the name is too long; give a shorter --out", folder->path);
        if (!exists(name))
            return 0;
    }
}

int run_folder_move_aside(RunFolder *folder, char *moved, size_t size, Error *error)
{
    if (free_name(folder, moved, size, error) != 0)
        return -1;
    if (renameat(AT_FDCWD, folder->path, AT_FDCWD, moved) != 0
        || whole_file_sync_folder_of(moved) != 0)
        return error_set(
            error, EXIT_FILE,
            "%s holds an older run that cannot be moved aside to %s: %s; move it yourself or give "
            "another --out",
            folder->path, moved, strerror(errno));
    unlock(folder);
    return 0;
}

static int make_folder(const char *path, Error *error)
{
    struct stat status;
    const char *rest;
    int at = held_folder_at(path, &rest), made = mkdirat(at, rest, 0777) == 0;
    if (made && whole_file_sync_folder_of(path) == 0)
        return 0;
    if (!made && errno == EEXIST && status_of(path, &status, 0) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return error_set(error, EXIT_FILE,
                     "%s: the folder cannot be made: %s; give an --out where you may write", path,
                     errno == EEXIST ? "a file of that name is in the way" : strerror(errno));
}

int run_folder_make(const RunFolder *folder, Error *error)
{
    /* The samples folder lies in the run's, so its parents are all there is to make; their slashes
       come and go in place. */
    for (char *slash = folder->samples + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        int result = make_folder(folder->samples, error);
        *slash = '/';
        if (result != 0)
            return -1;
    }
    return make_folder(folder->samples, error);
}

int run_folder_renew(RunFolder *folder, Error *error)
{
    char name[4096];
    struct stat status;
    unlock(folder);
    if (lstat(folder->path, &status) == 0) {
        if (free_name(folder, name, sizeof name, error) != 0
            || fill_names(folder, name, error) != 0)
            return -1;
        folder->moved = 1;
    }
    return run_folder_make(folder, error) != 0 ? -1 : run_folder_lock(folder, error);
}

int run_folder_keep_best(const RunFolder *folder, Error *error)
{
    char message[sizeof error->text];
    if (exists(folder->best_epoch) || !exists(folder->best)
        || whole_file_copy(folder->best, folder->best_epoch, message, sizeof message) == 0)
        return 0;
    return error_set(error, EXIT_FILE, "%s", message);
}

int run_folder_restore_best(const RunFolder *folder, Error *error)
{
    if (!exists(folder->best_epoch))
        return 0;
    if (rename_file(folder->best_epoch, folder->best) == 0
        && whole_file_sync_folder_of(folder->best) == 0)
        return 0;
    return error_set(error, EXIT_FILE, "%s: cannot become %s again: %s; rename it yourself",
                     folder->best_epoch, folder->best, strerror(errno));
}

void run_folder_sample(const RunFolder *folder, uint64_t epoch, char *path, size_t size)
{
    snprintf(path, size, "%s/epoch_%03" PRIu64 ".png", folder->samples, epoch);
}
