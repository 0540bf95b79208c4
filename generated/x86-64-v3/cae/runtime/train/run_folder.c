#define _DEFAULT_SOURCE     /* flock */
#include "run_folder.h"

#include "formats/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

int run_folder_open(RunFolder *folder, const char *out, Error *error)
{
    memset(folder, 0, sizeof *folder);
    folder->path = malloc(strlen(out) + 1);
    if (!folder->path)
        return error_set(error, EXIT_INPUT, "out of memory");
    strcpy(folder->path, out);
    for (size_t n = strlen(out); n > 1 && folder->path[n - 1] == '/'; n--)
        folder->path[n - 1] = '\0';
    if (!(folder->last = join(folder->path, "last.safetensors"))
        || !(folder->best = join(folder->path, "best.safetensors"))
        || !(folder->best_epoch = join(folder->path, "best_epoch.safetensors"))
        || !(folder->history = join(folder->path, "history.csv"))
        || !(folder->loss_curve = join(folder->path, "loss.svg"))
        || !(folder->samples = join(folder->path, "samples"))
        || !(folder->lock = join(folder->path, ".lock"))) {
        run_folder_close(folder);
        return error_set(error, EXIT_INPUT, "out of memory");
    }
    return 0;
}

/* The name goes while the lock is held: who opened the file before that finds, once it has the lock, that the name is no longer its file's. */
static void unlock(RunFolder *folder, const char *name)
{
    if (folder->locked) {
        unlink(name);
        close(folder->lock_file);
    }
    folder->locked = 0;
}

void run_folder_close(RunFolder *folder)
{
    unlock(folder, folder->lock);
    free(folder->path);
    free(folder->last);
    free(folder->best);
    free(folder->best_epoch);
    free(folder->history);
    free(folder->loss_curve);
    free(folder->samples);
    free(folder->lock);
    memset(folder, 0, sizeof *folder);
}

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* 1 where the open file is still the one of that name. */
static int is_named(int file, const char *name)
{
    struct stat open_one, named;
    return fstat(file, &open_one) == 0 && stat(name, &named) == 0 && open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

static int busy(const RunFolder *folder, int file, Error *error)
{
    char pid[32];
    ssize_t n = pread(file, pid, sizeof pid - 1, 0);
    pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    return error_set(error, EXIT_FILE, "%s: another run is at work in this folder%s%s; wait for its end or give another --out", folder->path,
                     *pid ? ", process " : "", pid);
}

/* Takes the lock of the open file; 1: it is the folder's and ours, 0: not any more, -1. */
static int take_lock(RunFolder *folder, int file, Error *error)
{
    if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return busy(folder, file, error);
    if (!is_named(file, folder->lock))
        return 0;
    folder->locked = 1;
    folder->lock_file = file;
    if (ftruncate(file, 0) == 0)
        dprintf(file, "%ld\n", (long)getpid());      /* for the other's message; nothing depends on it */
    return 1;
}

int run_folder_lock(RunFolder *folder, Error *error)
{
    for (int result = 0; result == 0;) {
        int file = open(folder->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
            return 0;
        if (file < 0)
            return error_set(error, EXIT_FILE, "%s: cannot be written: %s; give an --out where you may write", folder->lock, strerror(errno));
        result = take_lock(folder, file, error);
        if (result != 1)
            close(file);
        if (result < 0)
            return -1;
    }
    whole_file_sweep(folder->path);
    whole_file_sweep(folder->samples);
    return 0;
}

int run_folder_used(const RunFolder *folder)
{
    return exists(folder->last) || exists(folder->best) || exists(folder->history) || exists(folder->loss_curve)
        || exists(folder->samples);
}

int run_folder_check(const RunFolder *folder, Error *error)
{
    const char *const files[] = {folder->last, folder->best, folder->best_epoch, folder->history, folder->loss_curve};
    struct stat status;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (stat(files[i], &status) == 0 && !S_ISREG(status.st_mode))
            return error_set(error, EXIT_FILE, "%s: is no plain file; move it away", files[i]);
    return 0;
}

int run_folder_move_aside(RunFolder *folder, char *moved, size_t size, Error *error)
{
    for (int i = 1;; i++) {
        if ((size_t)snprintf(moved, size, "%s.%d", folder->path, i) >= size)
            return error_set(error, EXIT_FILE, "%.300s...: the name is too long; give a shorter --out", folder->path);
        if (!exists(moved))
            break;
    }
    if (rename(folder->path, moved) != 0 || whole_file_sync_folder_of(moved) != 0)
        return error_set(error, EXIT_FILE, "%s holds an older run that cannot be moved aside to %s: %s; move it yourself or give "
                         "another --out", folder->path, moved, strerror(errno));
    char *lock = join(moved, ".lock");
    unlock(folder, lock ? lock : folder->lock);
    free(lock);
    return 0;
}

static int make_folder(const char *path, Error *error)
{
    struct stat status;
    int made = mkdir(path, 0777) == 0;
    if (made && whole_file_sync_folder_of(path) == 0)
        return 0;
    if (!made && errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return error_set(error, EXIT_FILE, "%s: the folder cannot be made: %s; give an --out where you may write", path,
                     errno == EEXIST ? "a file of that name is in the way" : strerror(errno));
}

int run_folder_make(const RunFolder *folder, Error *error)
{
    /* The samples folder lies in the run's, so its parents are all there is to make; their slashes come and go in place. */
    for (char *slash = folder->samples + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        int result = make_folder(folder->samples, error);
        *slash = '/';
        if (result != 0)
            return -1;
    }
    return make_folder(folder->samples, error);
}

int run_folder_keep_best(const RunFolder *folder, Error *error)
{
    char message[sizeof error->text];
    if (exists(folder->best_epoch) || !exists(folder->best) || whole_file_copy(folder->best, folder->best_epoch, message, sizeof message) == 0)
        return 0;
    return error_set(error, EXIT_FILE, "%s", message);
}

int run_folder_restore_best(const RunFolder *folder, Error *error)
{
    if (!exists(folder->best_epoch))
        return 0;
    if (rename(folder->best_epoch, folder->best) == 0 && whole_file_sync_folder_of(folder->best) == 0)
        return 0;
    return error_set(error, EXIT_FILE, "%s: cannot become %s again: %s; rename it yourself", folder->best_epoch, folder->best, strerror(errno));
}

void run_folder_sample(const RunFolder *folder, uint64_t epoch, char *path, size_t size)
{
    snprintf(path, size, "%s/epoch_%03" PRIu64 ".png", folder->samples, epoch);
}
