#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include "../../runtime/formats/leftovers.h"
#include "../../runtime/formats/whole_file.h"
#include "arena.h"
#include "diag.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

Text files_read(const char *path, size_t limit)
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

const char **files_make_folders(const char *path)
{
    const char **made = ARENA_ARRAY(const char *, strlen(path) + 1);
    int count = 0;
    for (const char *p = path + 1; *path && *p; p++) {
        if (*p != '/')
            continue;
        const char *folder = arena_copy(path, (size_t)(p - path));
        if (mkdir(folder, 0777) == 0) {
            made[count++] = folder;
        } else if (errno != EEXIST) {
            int reason = errno;
            while (count > 0)
                rmdir(made[--count]);
            fail_with(EXIT_FILE, "cannot make the folder %s: %s", folder, strerror(reason));
        }
    }
    return made;
}

void files_save(const char *path, const Text *text)
{
    char message[1000];
    WholeFile file;
    files_make_folders(path);
    leftovers_remove_beside(path);
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        fail_with(EXIT_FILE, "%s", message);
    text_write(text, file.stream);
    if (whole_file_commit(&file, message, sizeof message) != 0)
        fail_with(EXIT_FILE, "%s", message);
}
