/* guard.h - memory whose bounds are watched: the page after the block cannot be touched, nor the
 * page before it, and what lies between the block's end and that page is filled with a pattern. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <stddef.h>

typedef struct Guarded {
    void *data; /* aligned to 64 bytes; all bytes 0xff (as reals: not a number) */
    size_t bytes;
    void *map;
    size_t map_bytes;
} Guarded;

Guarded guard_new(size_t bytes);
void guard_fill(Guarded *block, int byte);
/* fails the test where something wrote beyond the block */
void guard_check(const Guarded *block);
void guard_free(Guarded *block); /* checks first */

#endif
