/* arena.h - the memory of one compile. Nothing is freed before the program ends, so no pass owns anything. */
#ifndef CAEC_ARENA_H
#define CAEC_ARENA_H

#include <stddef.h>

/* Zeroed memory, aligned for any type. Ends the program with a message where there is none. */
void *arena_alloc(size_t bytes);

#define ARENA_NEW(Type) ((Type *)arena_alloc(sizeof(Type)))
#define ARENA_ARRAY(Type, count) ((Type *)arena_alloc(sizeof(Type) * (size_t)(count)))

/* A formatted string / a copy of the first n bytes of a string, ended with 0. */
const char *arena_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *arena_copy(const char *text, size_t n);

void arena_free_all(void);

#endif
