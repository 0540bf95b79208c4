#define _DEFAULT_SOURCE     /* madvise */
#include "memory.h"

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static const size_t huge_page = (size_t)2 << 20;

static void *aligned_block(size_t bytes, size_t alignment, Error *error)
{
    if (bytes == 0)
        bytes = 1;
    if (bytes > SIZE_MAX - alignment) {
        error_set(error, EXIT_INPUT, "%zu bytes are more memory than a program can have", bytes);
        return NULL;
    }
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *block = aligned_alloc(alignment, rounded);
    if (!block) {
        error_set(error, EXIT_INPUT, "out of memory: %.1f MiB wanted; try fewer --threads or a smaller --batch",
                  (double)bytes / (1 << 20));
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (alignment == huge_page)
        madvise(block, rounded, MADV_HUGEPAGE);      /* advice: nothing is lost where the system does not take it */
#endif
    memset(block, 0, bytes);
    return block;
}

void *memory_block(size_t bytes, Error *error)
{
    return aligned_block(bytes, bytes >= huge_page ? huge_page : MODEL_ALIGNMENT, error);
}

void *memory_exact(size_t bytes, Error *error)
{
    return aligned_block(bytes, MODEL_ALIGNMENT, error);
}

/* The number in the first line of `path` that starts with `key`; 0 if there is none. */
static unsigned long long read_number(const char *path, const char *key)
{
    unsigned long long number = 0;
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            number = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    fclose(file);
    return number;
}

size_t memory_available(void)
{
    unsigned long long available = read_number("/proc/meminfo", "MemAvailable:") * 1024;
    unsigned long long limit = read_number("/sys/fs/cgroup/memory.max", "");       /* "max" reads as 0: no limit */
    unsigned long long used = read_number("/sys/fs/cgroup/memory.current", "");
    if (limit > 0) {
        unsigned long long left = limit > used ? limit - used : 0;
        if (left < available || available == 0)
            available = left;
    }
    return available > SIZE_MAX ? SIZE_MAX : (size_t)available;
}

double memory_peak_mib(void)
{
    unsigned long long own = read_number("/proc/self/status", "VmHWM:");
    struct rusage usage;
    if (own > 0)
        return (double)own / 1024;
    /* Counts from the size of the program that started this one, where that was larger. */
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024;      /* Linux counts KiB */
}
