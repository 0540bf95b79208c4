#define _GNU_SOURCE /* flock, O_PATH */
#include "whole_file.h"

#include "held_folder.h"
#include "input_file.h"
#include "message.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The folder of a path, whose files are then named from it, so that they stay together when it is
   renamed. One that may be written in but not read gives no more than that. -1 and errno. */
static int open_folder_of(const char *path)
{
    char *folder = path_folder(path);
    const char *rest;
    int at = folder ? held_folder_at(folder, &rest) : -1;
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
        int folder = held_folder_at(at, &rest);
        ssize_t n = readlinkat(folder, rest, target, sizeof target - 1);
        if (n < 0)
            return at;
        target[n] = 0;
        size_t before = *target == '/' ? 0 : (size_t)(path_base(at) - at);
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

/* Gives up a file that could not be opened: fd is its handle or -1, errno says why. */
static int fail_open(WholeFile *file, int fd, const char *path, char *message, size_t size)
{
    int reason = errno;
    if (fd >= 0)
        close(fd);
    if (fd < 0) {
        /* then there is nothing to unlink, and the name may be somebody else's */
        forget(file->temporary);
        file->temporary = NULL;
    }
    whole_file_abandon(file);
    return message_fail(message, size, "%s: cannot be written: %s", path, strerror(reason));
}

int whole_file_open(WholeFile *file, const char *path, char *message, size_t size)
{
    struct stat status;
    const char *rest;
    int at = held_folder_at(path, &rest);
    int exists = fstatat(at, rest, &status, 0) == 0, fd;

    *file = (WholeFile){ .folder = -1 };
    if (exists && S_ISDIR(status.st_mode))
        return message_fail(message, size, "%s: is a folder; name a file to write", path);
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
    return file->stream ? 0 : fail_open(file, fd, path, message, size);
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
    if (renameat(file->folder, file->temporary->name, file->folder, path_base(file->path)) != 0)
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
        message_fail(message, size, "%s: cannot be written: %s", file->path, strerror(failed));
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

int whole_file_copy(const char *from, const char *to, char *message, size_t size)
{
    WholeFile file;
    unsigned char *bytes;
    size_t count;

    if (input_file_read(from, NULL, &bytes, &count, message, size) != 0)
        return -1;
    int failed = whole_file_open(&file, to, message, size) != 0;
    if (!failed) {
        fwrite(bytes, 1, count, file.stream);
        failed = whole_file_commit(&file, message, size) != 0;
    }
    free(bytes);
    return failed ? -1 : 0;
}
