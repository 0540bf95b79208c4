#define _DEFAULT_SOURCE
#include "guard.h"

#include "cases.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, PATTERN = 0xa5 };

/* no access | pattern ... pattern | block | pattern, less than ALIGNMENT | no access */
Guarded guard_new(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE),
           room = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t inside = (room + page - 1) / page * page;
    Guarded g = { .bytes = bytes, .map_bytes = inside + 2 * page };
    g.map = mmap(NULL, g.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    char *start = (char *)g.map + page;
    if (inside)
        assert_int_equal(mprotect(start, inside, PROT_READ | PROT_WRITE), 0);
    memset(start, PATTERN, inside);
    g.data = start + inside - room;
    guard_fill(&g, 0xff);
    return g;
}

void guard_fill(Guarded *block, int byte)
{
    memset(block->data, byte, block->bytes);
}

void guard_check(const Guarded *block)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const unsigned char *start = (const unsigned char *)block->map + page, *data = block->data,
                        *end = (const unsigned char *)block->map;
    end += block->map_bytes - page;
    for (const unsigned char *p = start; p < data; p++)
        if (*p != PATTERN)
            fail_msg("wrote %td bytes before a block of %zu", data - p, block->bytes);
    for (const unsigned char *p = data + block->bytes; p < end; p++)
        if (*p != PATTERN)
            fail_msg("wrote %td bytes after a block of %zu", p - data - (ptrdiff_t)block->bytes + 1,
                     block->bytes);
}

void guard_free(Guarded *block)
{
    guard_check(block);
    munmap(block->map, block->map_bytes);
    *block = (Guarded){ 0 };
}
