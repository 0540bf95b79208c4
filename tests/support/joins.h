/* joins.h - layers that join what comes in with the outputs of others, by their definitions. */
#ifndef TEST_JOINS_H
#define TEST_JOINS_H

#include "net.h"

typedef struct Join {
    LayerKind kind;
    const char *word, *short_name;
    bool (*size)(NetSize a, NetSize b, NetSize *y); /* false: these two do not meet */
    Image (*value)(const Image *a, const Image *b);
} Join;

const Join *join_of(LayerKind kind); /* NULL: it joins nothing */
const Join *join_at(int i);          /* in the order of joins.def; NULL from their number on */

#endif
