#define _POSIX_C_SOURCE 200809L
#include "text.h"

#include "arena.h"
#include "diag.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void reserve(Text *text, size_t more)
{
    if (text->length + more + 1 <= text->room)
        return;
    size_t room = text->room ? text->room * 2 : 1024;
    while (room < text->length + more + 1)
        room *= 2;
    char *data = arena_alloc(room);
    if (text->length)
        memcpy(data, text->data, text->length);
    text->data = data;
    text->room = room;
}

void text_append(Text *text, const char *bytes, size_t n)
{
    reserve(text, n);
    if (n)
        memcpy(text->data + text->length, bytes, n);
    text->length += n;
    text->data[text->length] = 0;
}

void text_add(Text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    reserve(text, (size_t)n);
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)n + 1, format, args);
    va_end(args);
    text->length += (size_t)n;
}

const char *text_fingerprint(const Text *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text->length; i++)
        hash = (hash ^ (unsigned char)text->data[i]) * UINT64_C(0x100000001b3);
    return arena_format("%016" PRIx64, hash);
}

/* -1 where the file cannot be read, with errno set; -2 where it is longer than the limit. */
static int read_whole(Text *text, const char *path, size_t limit)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    char buffer[1 << 14];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0 && text->length <= limit)
        text_append(text, buffer, n);
    int error = ferror(f) ? errno : 0;
    fclose(f);
    if (error) {
        errno = error;
        return -1;
    }
    return text->length > limit ? -2 : 0;
}

Text text_read(const char *path, size_t limit)
{
    Text text = { 0 };
    int status = read_whole(&text, path, limit);
    if (status == -1)
        fail_with(EXIT_FILE, "cannot read %s: %s", path, strerror(errno));
    if (status == -2)
        fail_with(EXIT_FILE, "%s is longer than %zu bytes, which no graph file needs", path, limit);
    if (!text.data)
        text_append(&text, "", 0);
    return text;
}

bool text_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static void make_folders(const char *path)
{
    char *copy = (char *)arena_copy(path, strlen(path));
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            fail_with(EXIT_FILE, "cannot make the folder %s: %s", copy, strerror(errno));
        *p = '/';
    }
}

static int unchanged(const Text *text, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || (size_t)status.st_size != text->length)
        return 0;
    Text old = { 0 };
    return read_whole(&old, path, text->length) == 0 && old.length == text->length &&
           (text->length == 0 || memcmp(old.data, text->data, text->length) == 0);
}

/* Writes the temporary file beside `path`; 0, or an errno. A folder is refused here, since rename() would refuse it too late. */
static int write_temporary(const Text *text, const char *path, const char *temporary)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return EISDIR;
    FILE *f = fopen(temporary, "wb");
    if (!f)
        return errno;
    int error = 0;
    if (fwrite(text->data ? text->data : "", 1, text->length, f) != text->length || fflush(f) != 0 || fsync(fileno(f)) != 0)
        error = errno ? errno : EIO;
    if (fclose(f) != 0 && !error)
        error = errno;
    return error;
}

void text_save_all(SavedText *files, int count)
{
    const char **temporary = ARENA_ARRAY(const char *, count);
    for (int i = 0; i < count; i++) {
        if (unchanged(&files[i].text, files[i].path))
            continue;
        make_folders(files[i].path);
        temporary[i] = arena_format("%s.tmp%ld", files[i].path, (long)getpid());
        int error = write_temporary(&files[i].text, files[i].path, temporary[i]);
        for (int k = 0; error && k <= i; k++)
            if (temporary[k])
                unlink(temporary[k]);
        if (error)
            fail_with(EXIT_FILE, "cannot write %s: %s", files[i].path, strerror(error));
    }
    for (int i = 0; i < count; i++)
        if (temporary[i] && rename(temporary[i], files[i].path) != 0)
            fail_with(EXIT_FILE, "cannot write %s: %s", files[i].path, strerror(errno));
}
