#define _POSIX_C_SOURCE 200809L
#include "standard_streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_NOT_WRITTEN = 3 };

void standard_streams_open(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR); /* the lowest number that is free */
    while (fd >= 0 && fd < STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static const char *lost_message; /* NULL: nobody looks */

static void look(void)
{
    if (!lost_message || (fflush(stdout) == 0 && !ferror(stdout)))
        return;
    fprintf(stderr, "%s\n", lost_message);
    _exit(EXIT_NOT_WRITTEN);
}

void standard_streams_watch(const char *line)
{
    static int registered;
    lost_message = line;
    if (!registered && atexit(look) == 0)
        registered = 1;
}

void standard_streams_unwatch(void)
{
    lost_message = NULL;
}
