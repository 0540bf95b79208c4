/* spans.h - who holds which bytes of a block. The ends of all spans are known beforehand; then a
 * call takes a time that grows with the logarithm of their number. */
#ifndef CAEC_SPANS_H
#define CAEC_SPANS_H

#include <stddef.h>

enum { HELD_BY_NOBODY = 0, HELD_BY_SEVERAL = -1 };

typedef struct Spans {
    size_t *ends; /* rising, each once */
    int count;
    int *holder; /* a tree over the pieces between them: who holds all below */
} Spans;

/* Takes `ends` over, `count` places in any order, first and last bytes of spans alike; nobody holds
   any. Ends the program with a message where there is no memory. To be freed by spans_free. */
Spans spans_new(size_t *ends, int count);
void spans_clear(Spans *spans);
void spans_free(Spans *spans);

/* From the byte `from` to the one before `to`, which are two of the ends: gives all of them to a
   holder (above 0, or HELD_BY_NOBODY), whoever had them before; says whose they are. */
void spans_give(Spans *spans, size_t from, size_t to, int holder);
int spans_holder(const Spans *spans, size_t from, size_t to);

#endif
