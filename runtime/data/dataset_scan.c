#define _POSIX_C_SOURCE 200809L
#include "dataset_private.h"

#include "images/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An open folder and those that it lies in: a folder that is among its own ancestors is a loop of
   links. */
typedef struct Folder {
    const struct Folder *parent;
    int depth;
    dev_t device;
    ino_t inode;
    const char *path; /* relative to the top, "" for it */
} Folder;

enum { MAX_DEPTH = 100 }; /* each level holds a file descriptor open */

typedef struct Scan {
    NameList *files;
    const char *top;
    bool strict;
    void (*warn)(const char *text);
    Error *error;
} Scan;

int name_list_add(NameList *list, char *name)
{
    if (name && list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 256;
        DatasetRecord *rows = realloc(list->rows, room * sizeof *rows);
        if (!rows) {
            free(name);
            return -1;
        }
        list->rows = rows;
        list->room = room;
    }
    if (!name)
        return -1;
    list->rows[list->count++] = (DatasetRecord){ .name = name, .fate = DATASET_NOT_READ };
    return 0;
}

void name_list_free(NameList *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->rows[i].name);
    free(list->rows);
    *list = (NameList){ 0 };
}

static int out_of_memory(const Scan *scan)
{
    return error_set(scan->error, EXIT_INPUT, "%s: not enough memory for the list of its files",
                     scan->top);
}

/* What could not be looked into: an error at the top, where strict and where handles or memory were
   short, else told. */
static int pass_over(const Scan *scan, const char *path, int reason)
{
    Error problem;
    error_set(&problem, EXIT_FILE, "%s%s%s: cannot be read: %s", scan->top, *path ? "/" : "", path,
              reason == ELOOP ? "too many folders or links one within the other"
                              : strerror(reason));
    if (scan->strict || !*path || error_is_shortage(reason)) {
        *scan->error = problem;
        return -1;
    }
    if (scan->warn)
        scan->warn(problem.text);
    return 0;
}

static bool is_loop(const Folder *folder)
{
    for (const Folder *f = folder->parent; f; f = f->parent)
        if (f->device == folder->device && f->inode == folder->inode)
            return true;
    return false;
}

char *dataset_path(const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s", folder, length == 0 || folder[length - 1] == '/' ? "" : "/",
                 name);
    return path;
}

/* A signal that interrupts the system is no fault of the folder's. */
static int open_folder(int at, const char *name)
{
    int fd;
    do
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int status_of(int at, const char *name, struct stat *status)
{
    int failed;
    do
        failed = fstatat(at, name, status, 0);
    while (failed && errno == EINTR);
    return failed;
}

static int scan_folder(const Scan *scan, int fd, const char *path, const Folder *parent);

/* One entry of a folder. A link to nothing is listed like a file, so that it is told about when it
   is opened. */
static int scan_entry(const Scan *scan, int fd, const char *name, const Folder *folder)
{
    if (name[0] == '.')
        return 0;
    char *path = dataset_path(folder->path, name);
    if (!path)
        return out_of_memory(scan);
    struct stat status;
    if (status_of(fd, name, &status) != 0 || !S_ISDIR(status.st_mode))
        return name_list_add(scan->files, path) == 0 ? 0 : out_of_memory(scan);
    int inner = open_folder(fd, name);
    int result = inner < 0 ? pass_over(scan, path, errno) : scan_folder(scan, inner, path, folder);
    free(path);
    return result;
}

/* Takes over fd. */
static int scan_folder(const Scan *scan, int fd, const char *path, const Folder *parent)
{
    struct stat status;
    DIR *stream = fstat(fd, &status) == 0 ? fdopendir(fd) : NULL;
    if (!stream) {
        int reason = errno;
        close(fd);
        return pass_over(scan, path, reason);
    }
    Folder folder = { parent, parent ? parent->depth + 1 : 0, status.st_dev, status.st_ino, path };
    int result = 0;
    if (folder.depth > MAX_DEPTH)
        result = pass_over(scan, path, ELOOP);
    else if (!is_loop(&folder))
        for (;;) {
            errno = 0;
            struct dirent *entry = readdir(stream);
            if (!entry && errno == EINTR)
                continue;
            if (!entry && errno)
                result = pass_over(scan, path, errno);
            if (!entry || (result = scan_entry(scan, fd, entry->d_name, &folder)) != 0)
                break;
        }
    closedir(stream);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const DatasetRecord *)a)->name,
                  ((const DatasetRecord *)b)->name); /* strcmp compares as unsigned char */
}

int dataset_scan(NameList *files, const char *folder, bool strict, void (*warn)(const char *text),
                 Error *error)
{
    Scan scan = { files, folder, strict, warn, error };
    int fd = open_folder(AT_FDCWD, folder);
    if (fd < 0 && errno == ENOTDIR)
        return error_set(error, EXIT_FILE,
                         "%s: is not a folder; name a folder that holds JPEG or PNG pictures",
                         folder);
    if (fd < 0)
        return error_set(error, EXIT_FILE,
                         "%s: cannot be read: %s; name a folder that holds JPEG or PNG pictures",
                         folder, strerror(errno));
    if (scan_folder(&scan, fd, "", NULL) != 0)
        return -1;
    if (files->count)
        qsort(files->rows, files->count, sizeof *files->rows, compare_names);
    return 0;
}

/* Looks at a file's head. Pipes and devices are not opened: that might wait for ever. */
static int check_file(const char *path, DatasetRecord *record, void (*warn)(const char *text),
                      Error *error)
{
    struct stat status;
    int width, height, bits = 0, found = status_of(AT_FDCWD, path, &status) == 0;
    if (found && !S_ISREG(status.st_mode))
        return error_set(error, EXIT_INPUT, "%s: is not a plain file", path);
    if (found) {
        record->size = status.st_size;
        record->seconds = status.st_mtim.tv_sec;
        record->nanoseconds = status.st_mtim.tv_nsec;
    }
    if (image_probe(path, &width, &height, &bits, error) != 0)
        return -1;
    image_warn_deep(path, bits, warn);
    return 0;
}

int dataset_sift(NameList *files, const char *folder, bool strict, void (*warn)(const char *text),
                 Error *first, Error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        Error problem;
        DatasetRecord record = files->rows[i];
        char *path = dataset_path(folder, record.name);
        if (!path)
            return error_set(error, EXIT_INPUT, "%s: not enough memory for the list of its files",
                             folder);
        int refused = check_file(path, &record, warn, &problem);
        free(path);
        if (refused == 0) {
            files->rows[i] = files->rows[kept];
            files->rows[kept++] = record;
            continue;
        }
        if (kept == i) /* all before it were kept */
            *first = problem;
        if (strict || problem.shortage) {
            *error = problem;
            return -1;
        }
        if (warn)
            warn(problem.text);
    }
    for (size_t i = kept; i < files->count; i++)
        free(files->rows[i].name);
    files->count = kept;
    return 0;
}
