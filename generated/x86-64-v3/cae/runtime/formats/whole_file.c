#define _XOPEN_SOURCE 700    /* realpath, fsync */
#include "whole_file.h"
#include "printable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int whole_file_fail(char *message, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, size, format, args);
    va_end(args);
    if (size > 0) printable_line(message);
    return -1;
}

/* For whole_file_discard: a temporary file's name from before there is one until after there is none, and whether anything stands already. */
static _Atomic(char *) newest;
static atomic_int written;

int whole_file_discard(void)
{
    const char *path = atomic_load(&newest);
    if (path) unlink(path);
    return !atomic_load(&written);
}

static void forget(char *temporary)
{
    atomic_compare_exchange_strong(&newest, &(char *){temporary}, NULL);
    free(temporary);
}

/* The folder of a path, malloc'ed: "a/b.txt" gives "a", "b.txt" gives ".". */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return strdup(".");
    if (slash == path) return strdup("/");
    return strndup(path, (size_t)(slash - path));
}

/* Opens a new file in the folder of file->path. The name starts with a dot so that nothing that lists pictures sees it; open() rather
   than mkstemp() so that the file gets the usual permissions. */
static int open_temporary(WholeFile *file)
{
    char *folder = folder_of(file->path);
    size_t size = folder ? strlen(folder) + 64 : 0;
    int fd = -1;

    file->temporary = folder ? malloc(size) : NULL;
    for (int i = 0; file->temporary && fd < 0 && i < 1000; i++) {
        snprintf(file->temporary, size, "%s/.caec-%ld-%d.tmp", folder, (long)getpid(), i);
        atomic_store(&newest, file->temporary);
        fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) break;
    }
    if (!file->temporary) errno = ENOMEM;
    free(folder);
    return fd;
}

int whole_file_open(WholeFile *file, const char *path, char *message, size_t size)
{
    struct stat status;
    int exists = stat(path, &status) == 0, fd;

    *file = (WholeFile){0};
    if (exists && S_ISDIR(status.st_mode))
        return whole_file_fail(message, size, "%s: is a folder; name a file to write", path);
    if (exists && !S_ISREG(status.st_mode)) {
        file->path = strdup(path);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) atomic_store(&written, 1);
    } else {
        file->path = exists ? realpath(path, NULL) : strdup(path);
        fd = file->path ? open_temporary(file) : -1;
        if (fd >= 0 && exists) (void)fchmod(fd, status.st_mode & 07777);    /* a copy of the old permissions is a courtesy */
    }
    if (fd >= 0) file->stream = fdopen(fd, "wb");
    if (!file->stream) {
        int reason = errno;
        if (fd >= 0) close(fd);
        if (fd < 0) {      /* then there is nothing to unlink, and the name may be somebody else's */
            forget(file->temporary);
            file->temporary = NULL;
        }
        whole_file_abandon(file);
        return whole_file_fail(message, size, "%s: cannot be written: %s", path, strerror(reason));
    }
    return 0;
}

/* The folder of a path, open for sync_folder. -1 and errno where it cannot be; NOT_READABLE where it may be written in but not read. */
enum { NOT_READABLE = -2 };

static int open_folder_of(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int reason = folder ? errno : ENOMEM;
    free(folder);
    errno = reason;
    return fd < 0 && reason == EACCES ? NOT_READABLE : fd;
}

/* A folder's entry survives a power cut only once the folder is synced too. Some file systems refuse that with EINVAL: then there is nothing more to be
   done. A folder that cannot be read is synced with all else. Closes it; 0 or -1 and errno. */
static int sync_folder(int fd)
{
    if (fd == NOT_READABLE) {
        sync();
        return 0;
    }
    int failed = fsync(fd) != 0 && errno != EINVAL, reason = errno;
    close(fd);
    errno = reason;
    return failed ? -1 : 0;
}

int whole_file_sync_folder_of(const char *path)
{
    int fd = open_folder_of(path);
    return fd == -1 ? -1 : sync_folder(fd);
}

/* The folder is opened before the file takes its name: what cannot be synced is refused while the old content still stands. */
static int take_place(WholeFile *file)
{
    int folder = open_folder_of(file->path);
    if (folder == -1) return -1;
    atomic_store(&written, 1);
    if (rename(file->temporary, file->path) != 0) {
        int reason = errno;
        if (folder >= 0) close(folder);
        errno = reason;
        return -1;
    }
    forget(file->temporary);
    file->temporary = NULL;
    return sync_folder(folder);
}

int whole_file_commit(WholeFile *file, char *message, size_t size)
{
    int failed = ferror(file->stream) ? EIO : 0;

    errno = 0;
    if (fflush(file->stream) != 0) failed = errno;
    if (!failed && file->temporary && fsync(fileno(file->stream)) != 0) failed = errno;
    if (fclose(file->stream) != 0 && !failed) failed = errno;
    file->stream = NULL;
    if (!failed && file->temporary && take_place(file) != 0) failed = errno;
    if (failed) whole_file_fail(message, size, "%s: cannot be written: %s", file->path, strerror(failed));
    whole_file_abandon(file);
    return failed ? -1 : 0;
}

void whole_file_abandon(WholeFile *file)
{
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    forget(file->temporary);
    free(file->path);
    *file = (WholeFile){0};
}

/* This process has none of its own where it sweeps: a file with its number is of one that had the number before. */
static int is_left_over(const char *name)
{
    long pid;
    int number, end = 0;
    return sscanf(name, ".caec-%ld-%d.tmp%n", &pid, &number, &end) == 2 && end > 0 && !name[end]
        && pid > 0 && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

void whole_file_sweep(const char *folder)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (is_left_over(entry->d_name)) unlinkat(dirfd(list), entry->d_name, 0);
    if (list) closedir(list);
}

int whole_file_input(const char *path, struct stat *status, char *message, size_t size)
{
    int fd = -1, failed = stat(path, status) != 0 ? errno : S_ISDIR(status->st_mode) ? EISDIR : 0;
    int other = !failed && !S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode);

    if (!failed && !other) {
        do fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        while (fd < 0 && errno == EINTR);
        failed = fd < 0 || fstat(fd, status) != 0 ? errno : 0;
        other = !failed && !S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode);      /* another one by now */
    }
    if (!failed && !other) return fd;
    if (fd >= 0) close(fd);
    if (other) whole_file_fail(message, size, "%s: cannot be read: it is neither a plain file nor a pipe; give one, such as a copy", path);
    else whole_file_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
    errno = failed;
    return -1;
}

/* How large the buffer shall be next: doubled, but no larger than the file can be and one byte
   more, which shows that it is too long. `room`: no more. */
static size_t next_room(const unsigned char *bytes, size_t room, WholeFileMost most)
{
    size_t limit = most ? most(bytes, room) : SIZE_MAX - 1;
    if (limit < room) return room;
    return limit + 1 < room * 2 ? limit + 1 : room * 2;
}

/* Reads to the end into a buffer that starts at the size the file says and grows if it says too
   little (a pipe). */
static int read_all(int fd, size_t guess, WholeFileMost most, unsigned char **bytes, size_t *count)
{
    size_t room = guess + 1, have = 0, bigger;
    unsigned char *buffer = malloc(room);

    while (buffer) {
        ssize_t got = have == room ? 0 : read(fd, buffer + have, room - have < INT_MAX ? room - have : INT_MAX);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            *bytes = buffer;
            *count = have;
            return got < 0 ? errno : 0;
        }
        have += (size_t)got;
        if (have < room || (bigger = next_room(buffer, room, most)) == room) continue;
        unsigned char *more = room <= SIZE_MAX / 4 ? realloc(buffer, bigger) : NULL;
        if (!more) free(buffer);
        buffer = more;
        room = bigger;
    }
    *bytes = NULL;
    return ENOMEM;
}

int whole_file_read(const char *path, WholeFileMost most, unsigned char **bytes, size_t *count, char *message, size_t size)
{
    enum { FIRST = 65535 };
    struct stat status;
    int fd = whole_file_input(path, &status, message, size);

    *bytes = NULL;
    *count = 0;
    if (fd < 0) return -1;
    int failed = (uintmax_t)status.st_size >= SIZE_MAX / 4 ? EFBIG : 0;
    if (!failed) failed = read_all(fd, S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : FIRST, most, bytes, count);
    close(fd);
    if (!failed) return 0;
    free(*bytes);
    *bytes = NULL;
    return whole_file_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
}

int whole_file_copy(const char *from, const char *to, char *message, size_t size)
{
    WholeFile file;
    unsigned char *bytes;
    size_t count;

    if (whole_file_read(from, NULL, &bytes, &count, message, size) != 0) return -1;
    int failed = whole_file_open(&file, to, message, size) != 0;
    if (!failed) {
        fwrite(bytes, 1, count, file.stream);
        failed = whole_file_commit(&file, message, size) != 0;
    }
    free(bytes);
    return failed ? -1 : 0;
}
