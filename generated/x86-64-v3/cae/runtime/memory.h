/* memory.h - blocks of memory as the model wants them, and how much of it the machine has left. */
#ifndef CAEC_MEMORY_H
#define CAEC_MEMORY_H

#include "error.h"

#include <stddef.h>

/* A block of `bytes` zeros (at least one), aligned to MODEL_ALIGNMENT or better; large ones ask for
   huge pages. NULL with the error filled in where there is no memory. Ends with free(). */
void *memory_block(size_t bytes, Error *error);

/* The same, but no more than the bytes, to the next multiple of MODEL_ALIGNMENT: never huge pages.
   For programs that count what they take. */
void *memory_exact(size_t bytes, Error *error);

/* Bytes that programs may still use: MemAvailable of Linux or what the control groups leave
   (container.h), whichever is less. 0: unknown. */
size_t memory_available(void);

/* The same with `root` before the system's /proc and /sys. */
size_t memory_available_below(const char *root);

/* The most memory this process has had in use so far, in MiB. */
double memory_peak_mib(void);

#endif
