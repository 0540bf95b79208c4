#define _POSIX_C_SOURCE 200809L
#include "run_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
        || !(folder->history = join(folder->path, "history.csv"))
        || !(folder->loss_curve = join(folder->path, "loss.svg"))
        || !(folder->samples = join(folder->path, "samples"))) {
        run_folder_close(folder);
        return error_set(error, EXIT_INPUT, "out of memory");
    }
    return 0;
}

void run_folder_close(RunFolder *folder)
{
    free(folder->path);
    free(folder->last);
    free(folder->best);
    free(folder->history);
    free(folder->loss_curve);
    free(folder->samples);
    memset(folder, 0, sizeof *folder);
}

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

int run_folder_used(const RunFolder *folder)
{
    return exists(folder->last) || exists(folder->best) || exists(folder->history) || exists(folder->loss_curve)
        || exists(folder->samples);
}

int run_folder_move_aside(const RunFolder *folder, char *moved, size_t size, Error *error)
{
    for (int i = 1;; i++) {
        if ((size_t)snprintf(moved, size, "%s.%d", folder->path, i) >= size)
            return error_set(error, EXIT_FILE, "%.300s...: the name is too long; give a shorter --out", folder->path);
        if (!exists(moved))
            break;
    }
    if (rename(folder->path, moved) != 0)
        return error_set(error, EXIT_FILE, "%s holds an older run that cannot be moved aside to %s: %s; move it yourself or give "
                         "another --out", folder->path, moved, strerror(errno));
    return 0;
}

static int make_folder(const char *path, Error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
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

void run_folder_sample(const RunFolder *folder, uint64_t epoch, char *path, size_t size)
{
    snprintf(path, size, "%s/epoch_%03" PRIu64 ".png", folder->samples, epoch);
}
