/* mutate.h - illegal graphs: a legal one with one thing wrong in it. */
#ifndef TEST_MUTATE_H
#define TEST_MUTATE_H

#include "../draw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Mutated {
    char *text; /* to be freed; may hold bytes of 0 before its end */
    size_t length;
    const char *how; /* what was done */
    int line;        /* that the message must be about; 0: any */
    bool whole;      /* it may be about the whole file */
    bool perhaps;    /* it may be legal still */
} Mutated;

Mutated mutate(const Net *net, uint64_t *state);

#endif
