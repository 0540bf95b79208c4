#define _GNU_SOURCE /* flock, O_PATH */
#include "whole_file.h"
#include "printable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int whole_file_fail(char *message, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, size, format, args);
    va_end(args);
    if (size > 0)
        printable_line(message);
    return -1;
}

/* ---- the folder that is held ---- */

static struct {
    int handle;
    char *path; /* NULL: none is held */
    size_t length;
} held;

int whole_file_hold(const char *path)
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
    whole_file_release();
    held.handle = handle;
    held.path = copy;
    held.length = strlen(copy);
    return 0;
}

void whole_file_release(void)
{
    char *path = held.path;
    held.path = NULL;
    if (path)
        close(held.handle);
    free(path);
}

int whole_file_at(const char *path, const char **rest)
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

WholeFolder whole_file_follow(char **path)
{
    struct stat ours, named;

    *path = NULL;
    if (!held.path || fstat(held.handle, &ours) != 0)
        return WHOLE_FOLDER_STAYS;
    if (stat(held.path, &named) == 0 && is_same(&ours, &named))
        return WHOLE_FOLDER_STAYS;
    char *name = name_of_handle(held.handle);
    if (ours.st_nlink == 0) {
        free(name);
        return WHOLE_FOLDER_GONE;
    }
    if (name && stat(name, &named) == 0 && is_same(&ours, &named)) {
        *path = name;
        return WHOLE_FOLDER_MOVED;
    }
    free(name);
    return WHOLE_FOLDER_STAYS;
}

void whole_file_held_as(char *path)
{
    free(held.path);
    held.path = path;
    held.length = strlen(path);
}

/* ---- one file ---- */

/* For whole_file_discard: where a temporary file is from before it is there until after it is gone,
 * and whether anything stands already. */
struct WholeTemporary {
    int folder; /* handle */
    char name[48];
};
static _Atomic(WholeTemporary *) newest;
static atomic_int written;

int whole_file_discard(void)
{
    const WholeTemporary *t = atomic_load(&newest);
    if (t)
        unlinkat(t->folder, t->name, 0);
    return !atomic_load(&written);
}

static void forget(WholeTemporary *temporary)
{
    atomic_compare_exchange_strong(&newest, &(WholeTemporary *){ temporary }, NULL);
    free(temporary);
}

/* Where the last part of a path begins. */
static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The folder of a path, malloc'ed: "a/b.txt" gives "a", "b.txt" gives ".". */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    if (slash == path)
        return strdup("/");
    return strndup(path, (size_t)(slash - path));
}

/* The folder of a path, whose files are then named from it, so that they stay together when it is
   renamed. One that may be written in but not read gives no more than that. -1 and errno. */
static int open_folder_of(const char *path)
{
    char *folder = folder_of(path);
    const char *rest;
    int at = folder ? whole_file_at(folder, &rest) : -1;
    int fd = folder ? openat(at, rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0 && folder && errno == EACCES)
        fd = openat(at, rest, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int reason = folder ? errno : ENOMEM;
    free(folder);
    errno = reason;
    return fd;
}

/* Follows a path that is a link to what it names: malloc'ed, NULL and errno where memory is out or
 * links go round. */
static char *follow_links(const char *path)
{
    char *at = strdup(path);
    for (int links = 0; at; links++) {
        char target[PATH_MAX];
        const char *rest;
        int folder = whole_file_at(at, &rest);
        ssize_t n = readlinkat(folder, rest, target, sizeof target - 1);
        if (n < 0)
            return at;
        target[n] = 0;
        size_t before = *target == '/' ? 0 : (size_t)(base_of(at) - at);
        char *next = links < 40 ? malloc(before + (size_t)n + 1) : NULL;
        if (next)
            snprintf(next, before + (size_t)n + 1, "%.*s%s", (int)before, at, target);
        free(at);
        errno = links < 40 ? ENOMEM : ELOOP;
        at = next;
    }
    return NULL;
}

/* A lock tells whoever sweeps that the file has a living owner. It is gone with the process, also
   in another container. Where the file system knows none, the process's number must do. 0 where the
   file is no longer to be had. */
static int take_lock(int fd)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return 0;
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* Opens a new file in the folder. The name starts with a dot so that nothing that lists pictures
   sees it; open() rather than mkstemp() so that the file gets the usual permissions. */
static int open_temporary(WholeFile *file)
{
    WholeTemporary *t = file->temporary = malloc(sizeof *t);
    int fd = -1;

    for (int i = 0; t && fd < 0 && i < 1000; i++) {
        t->folder = file->folder;
        snprintf(t->name, sizeof t->name, ".caec-%ld-%d.tmp", (long)getpid(), i);
        atomic_store(&newest, t);
        fd = openat(file->folder, t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
        if (fd >= 0 && !take_lock(fd)) {
            close(fd);
            fd = -1;
            errno = EEXIST;
        }
    }
    if (!t)
        errno = ENOMEM;
    return fd;
}

/* A plain file in its folder, or a name that is free. */
static int open_plain(WholeFile *file, const char *path, const struct stat *status)
{
    file->path = status ? follow_links(path) : strdup(path);
    file->folder = file->path ? open_folder_of(file->path) : -1;
    int fd = file->folder >= 0 ? open_temporary(file) : -1;
    if (fd >= 0 && status)
        (void)fchmod(fd, status->st_mode & 07777); /* a copy of the old permissions is a courtesy */
    return fd;
}

int whole_file_open(WholeFile *file, const char *path, char *message, size_t size)
{
    struct stat status;
    const char *rest;
    int at = whole_file_at(path, &rest);
    int exists = fstatat(at, rest, &status, 0) == 0, fd;

    *file = (WholeFile){ .folder = -1 };
    if (exists && S_ISDIR(status.st_mode))
        return whole_file_fail(message, size, "%s: is a folder; name a file to write", path);
    if (exists && !S_ISREG(status.st_mode)) {
        file->path = strdup(path);
        fd = openat(at, rest, O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
            atomic_store(&written, 1);
    } else {
        fd = open_plain(file, path, exists ? &status : NULL);
    }
    if (fd >= 0)
        file->stream = fdopen(fd, "wb");
    if (!file->stream) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        if (fd < 0) {
            /* then there is nothing to unlink, and the name may be somebody else's */
            forget(file->temporary);
            file->temporary = NULL;
        }
        whole_file_abandon(file);
        return whole_file_fail(message, size, "%s: cannot be written: %s", path, strerror(reason));
    }
    return 0;
}

/* A folder's entry survives a power cut only once the folder is synced too. Some file systems
   refuse that with EINVAL: then there is nothing more to be done. A folder that cannot be read is
   synced with all else. 0 or -1 and errno. */
static int sync_folder(int fd)
{
    if (fsync(fd) == 0 || errno == EINVAL)
        return 0;
    if (errno != EBADF)
        return -1;
    sync();
    return 0;
}

int whole_file_sync_folder_of(const char *path)
{
    int fd = open_folder_of(path);
    if (fd < 0)
        return -1;
    int result = sync_folder(fd), reason = errno;
    close(fd);
    errno = reason;
    return result;
}

static int take_place(WholeFile *file)
{
    atomic_store(&written, 1);
    if (renameat(file->folder, file->temporary->name, file->folder, base_of(file->path)) != 0)
        return -1;
    forget(file->temporary);
    file->temporary = NULL;
    return 0;
}

/* The file takes its name before it is closed, and with it gives up its lock: all of it is on the
 * disk by then. */
int whole_file_commit(WholeFile *file, char *message, size_t size)
{
    int failed = ferror(file->stream) ? EIO : 0, placed = 0;

    errno = 0;
    if (fflush(file->stream) != 0)
        failed = errno;
    if (!failed && file->temporary && fsync(fileno(file->stream)) != 0)
        failed = errno;
    if (!failed && file->temporary) {
        if (take_place(file) != 0)
            failed = errno;
        placed = !failed;
    }
    if (fclose(file->stream) != 0 && !failed)
        failed = errno;
    file->stream = NULL;
    if (placed && !failed && sync_folder(file->folder) != 0)
        failed = errno;
    if (failed)
        whole_file_fail(message, size, "%s: cannot be written: %s", file->path, strerror(failed));
    whole_file_abandon(file);
    return failed ? -1 : 0;
}

void whole_file_abandon(WholeFile *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlinkat(file->folder, file->temporary->name, 0);
    forget(file->temporary);
    if (file->path && file->folder >= 0)
        close(file->folder);
    free(file->path);
    *file = (WholeFile){ .folder = -1 };
}

/* ---- what processes that were killed left ---- */

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

void whole_file_sweep(const char *folder)
{
    const char *rest;
    int at = whole_file_at(folder, &rest);
    int fd = openat(at, rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list && fd >= 0)
        close(fd);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        if (is_left_over(entry->d_name, ".tmp") && has_no_owner(fd, entry->d_name, O_RDWR))
            unlinkat(fd, entry->d_name, 0);
        if (is_left_over(entry->d_name, WHOLE_FILE_WAITING)
            && has_no_owner(fd, entry->d_name, O_RDONLY | O_DIRECTORY))
            sweep_waiting(fd, entry->d_name);
    }
    if (list)
        closedir(list);
}

void whole_file_sweep_beside(const char *path)
{
    char *folder = folder_of(path);
    if (folder)
        whole_file_sweep(folder);
    free(folder);
}

static int status_of(int fd, struct stat *status)
{
    int failed;
    do
        failed = fstat(fd, status) != 0 ? errno : 0;
    while (failed == EINTR);
    return failed;
}

/* `rest`, from the folder `at`, is what `path` names. */
static int input_at(int at, const char *rest, const char *path, struct stat *status, char *message,
                    size_t size)
{
    int fd = -1, failed;
    do
        failed = fstatat(at, rest, status, 0) != 0 ? errno : S_ISDIR(status->st_mode) ? EISDIR : 0;
    while (failed == EINTR);
    int other = !failed && !S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode);

    if (!failed && !other) {
        do
            fd = openat(at, rest, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        while (fd < 0 && errno == EINTR);
        failed = fd < 0 ? errno : status_of(fd, status);
        /* another one by now */
        other = !failed && !S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode);
    }
    if (!failed && !other)
        return fd;
    if (fd >= 0)
        close(fd);
    if (other)
        whole_file_fail(
            message, size,
            "%s: cannot be read: it is neither a plain file nor a pipe; give one, such as a copy",
            path);
    else
        whole_file_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
    errno = failed;
    return -1;
}

/* Not by way of the held folder, which one thread alone may ask for. */
int whole_file_input(const char *path, struct stat *status, char *message, size_t size)
{
    return input_at(AT_FDCWD, path, path, status, message, size);
}

/* How large the buffer shall be next: doubled, but no larger than the file can be and one byte
   more, which shows that it is too long. `room`: no more. */
static size_t next_room(const unsigned char *bytes, size_t room, WholeFileMost most)
{
    size_t limit = most ? most(bytes, room) : SIZE_MAX - 1;
    if (limit < room)
        return room;
    return limit + 1 < room * 2 ? limit + 1 : room * 2;
}

/* Reads to the end into a buffer that starts at the size the file says and grows if it says too
   little (a pipe). */
static int read_all(int fd, size_t guess, WholeFileMost most, unsigned char **bytes, size_t *count)
{
    size_t room = guess + 1, have = 0, bigger;
    unsigned char *buffer = malloc(room);

    while (buffer) {
        ssize_t got = have == room
                          ? 0
                          : read(fd, buffer + have, room - have < INT_MAX ? room - have : INT_MAX);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *bytes = buffer;
            *count = have;
            return got < 0 ? errno : 0;
        }
        have += (size_t)got;
        if (have < room || (bigger = next_room(buffer, room, most)) == room)
            continue;
        unsigned char *more = room <= SIZE_MAX / 4 ? realloc(buffer, bigger) : NULL;
        if (!more)
            free(buffer);
        buffer = more;
        room = bigger;
    }
    *bytes = NULL;
    return ENOMEM;
}

int whole_file_read(const char *path, WholeFileMost most, unsigned char **bytes, size_t *count,
                    char *message, size_t size)
{
    enum { FIRST = 65535 };
    struct stat status;
    const char *rest;
    int at = whole_file_at(path, &rest), fd = input_at(at, rest, path, &status, message, size);

    *bytes = NULL;
    *count = 0;
    if (fd < 0)
        return -1;
    int failed = (uintmax_t)status.st_size >= SIZE_MAX / 4 ? EFBIG : 0;
    if (!failed)
        failed = read_all(
            fd, S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : FIRST,
            most, bytes, count);
    close(fd);
    if (!failed)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return whole_file_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
}

int whole_file_copy(const char *from, const char *to, char *message, size_t size)
{
    WholeFile file;
    unsigned char *bytes;
    size_t count;

    if (whole_file_read(from, NULL, &bytes, &count, message, size) != 0)
        return -1;
    int failed = whole_file_open(&file, to, message, size) != 0;
    if (!failed) {
        fwrite(bytes, 1, count, file.stream);
        failed = whole_file_commit(&file, message, size) != 0;
    }
    free(bytes);
    return failed ? -1 : 0;
}
