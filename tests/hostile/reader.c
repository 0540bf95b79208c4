#define _GNU_SOURCE /* memfd_create */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The name that libFuzzer's and AFL++'s drivers look for. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    reader_take(bytes, size);
    return 0;
}

void reader_broken(const char *what)
{
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

const char *reader_file(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    static char path[40];
    if (fd < 0) {
        fd = memfd_create("hostile", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0)
        reader_broken("a file in memory");
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);
        if (n <= 0)
            reader_broken("writing a file in memory");
        done += (size_t)n;
    }
    return path;
}

int reader_refusals;

void reader_check_message(const char *message, const char *path)
{
    size_t n = strlen(path);
    reader_refusals++;
    if (strncmp(message, path, n) != 0 || strncmp(message + n, ": ", 2) != 0
        || strlen(message + n) < 10)
        reader_broken("a refusal names the file and the reason");
    for (const char *p = message; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127
            || ((unsigned char)*p == 0xc2 && (unsigned char)p[1] >= 0x80
                && (unsigned char)p[1] < 0xa0))
            reader_broken("a refusal is one line of text");
}
