#define _DEFAULT_SOURCE /* madvise */
#include "memory.h"

#include "container.h"
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
        error_set(error, EXIT_INPUT,
                  "out of memory: %.1f MiB wanted; try fewer --threads or a smaller --batch",
                  (double)bytes / (1 << 20));
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    /* advice: nothing is lost where the system does not take it */
    if (alignment == huge_page)
        madvise(block, rounded, MADV_HUGEPAGE);
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

size_t memory_available_below(const char *root)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    long long kib = container_number(path, "MemAvailable:"), left = container_memory_left(root);
    long long available = kib > 0 ? kib * 1024 : -1;
    if (left >= 0 && (available < 0 || left < available))
        available = left > 0 ? left : 1;
    return available < 0                              ? 0
           : (unsigned long long)available > SIZE_MAX ? SIZE_MAX
                                                      : (size_t)available;
}

size_t memory_available(void)
{
    return memory_available_below("");
}

double memory_peak_mib(void)
{
    long long own = container_number("/proc/self/status", "VmHWM:");
    struct rusage usage;
    if (own > 0)
        return (double)own / 1024;
    /* Counts from the size of the program that started this one, where that was larger. */
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024; /* Linux counts KiB */
}
