#define _GNU_SOURCE /* O_CLOEXEC, O_NOCTTY */
#include "input_file.h"

#include "held_folder.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        message_fail(
            message, size,
            "%s: cannot be read: it is neither a plain file nor a pipe; give one, such as a copy",
            path);
    else
        message_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
    errno = failed;
    return -1;
}

/* Not by way of the held folder, which one thread alone may ask for. */
int input_file_open(const char *path, struct stat *status, char *message, size_t size)
{
    return input_at(AT_FDCWD, path, path, status, message, size);
}

/* How large the buffer shall be next: doubled, but no larger than the file can be and one byte
   more, which shows that it is too long. `room`: no more. */
static size_t next_room(const unsigned char *bytes, size_t room, InputFileMost most)
{
    size_t limit = most ? most(bytes, room) : SIZE_MAX - 1;
    if (limit < room)
        return room;
    return limit + 1 < room * 2 ? limit + 1 : room * 2;
}

/* Reads to the end into a buffer that starts at the size the file says and grows if it says too
   little (a pipe). */
static int read_all(int fd, size_t guess, InputFileMost most, unsigned char **bytes, size_t *count)
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

int input_file_read(const char *path, InputFileMost most, unsigned char **bytes, size_t *count,
                    char *message, size_t size)
{
    enum { FIRST = 65535 };
    struct stat status;
    const char *rest;
    int at = held_folder_at(path, &rest), fd = input_at(at, rest, path, &status, message, size);

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
    return message_fail(message, size, "%s: cannot be read: %s", path, strerror(failed));
}
