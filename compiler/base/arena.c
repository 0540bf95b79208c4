#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 18, ALIGN = 16 };

typedef struct Chunk {
    struct Chunk *next;
    size_t used, size;
} Chunk;

static Chunk *chunks;

static Chunk *grow(size_t bytes)
{
    size_t size = bytes + sizeof(Chunk) + ALIGN;
    if (size < CHUNK)
        size = CHUNK;
    Chunk *c = calloc(1, size);
    if (!c) {
        fputs("caec: error: out of memory\n", stderr);
        exit(3);
    }
    c->next = chunks;
    c->used = (sizeof(Chunk) + ALIGN - 1) / ALIGN * ALIGN;
    c->size = size;
    return chunks = c;
}

void *arena_alloc(size_t bytes)
{
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    Chunk *c = chunks;
    if (!c || c->size - c->used < bytes)
        c = grow(bytes);
    void *p = (char *)c + c->used;
    c->used += bytes;
    return p;
}

void *arena_more(const void *array, int count, size_t bytes)
{
    if (count & (count - 1))
        return (void *)array;
    void *more = arena_alloc(bytes * (size_t)(count ? 2 * count : 1));
    if (count)
        memcpy(more, array, bytes * (size_t)count);
    return more;
}

const char *arena_copy(const char *text, size_t n)
{
    char *p = arena_alloc(n + 1);
    memcpy(p, text, n);
    return p;
}

const char *arena_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = arena_alloc((size_t)n + 1);
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return p;
}

ArenaMark arena_mark(void)
{
    return (ArenaMark){ chunks, chunks ? chunks->used : 0 };
}

void arena_release(ArenaMark mark)
{
    while (chunks != mark.chunk) {
        Chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
    if (!chunks)
        return;
    memset((char *)chunks + mark.used, 0, chunks->used - mark.used);
    chunks->used = mark.used;
}

void arena_free_all(void)
{
    while (chunks) {
        Chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}
