/* arena.h - the memory of one compile. Nothing is freed before the program ends, so no pass owns
 * anything; but what tries many things and keeps few may give back what it took since a mark. */
#ifndef CAEC_ARENA_H
#define CAEC_ARENA_H

#include <stddef.h>

/* Zeroed memory, aligned for any type. Ends the program with a message where there is none. */
void *arena_alloc(size_t bytes);

#define ARENA_NEW(Type) ((Type *)arena_alloc(sizeof(Type)))
#define ARENA_ARRAY(Type, count) ((Type *)arena_alloc(sizeof(Type) * (size_t)(count)))

/* Room for one more after `count` elements of so many bytes: the array itself, or where it is full,
   as it is whenever their number is a power of two, a copy of it with twice the room. For arrays
   that grow one by one, and by this function alone. */
void *arena_more(const void *array, int count, size_t bytes);

/* A formatted string / a copy of the first n bytes of a string, ended with 0. */
const char *arena_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *arena_copy(const char *text, size_t n);

typedef struct ArenaMark {
    void *chunk;
    size_t used;
} ArenaMark;

/* Where the arena is now, and back to there: whatever was taken since the mark is no more, and
   nothing that is older may point to it. */
ArenaMark arena_mark(void);
void arena_release(ArenaMark mark);

void arena_free_all(void);

#endif
