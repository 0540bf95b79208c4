/* option_values.h - what caec's command line asks for. */
#ifndef CAEC_OPTION_VALUES_H
#define CAEC_OPTION_VALUES_H

#include "../base/text.h"
#include "../ir/target.h"
#include "../program/plan.h"

#include <stdbool.h>
#include <stddef.h>

enum { MAX_FORCES = 64, MAX_EXPAND = 32 };

typedef struct Options {
    const char *graph, *directory, *dump, *stop, *list, *expand, *real, *tune, *tuned, *weights,
        *weights_as, *weights_type;
    const Target *target;
    Force forces[MAX_FORCES];
    int force_count;
    const char *expand_numbers[MAX_EXPAND];
    int expand_count;
    bool summary, dot, memory, no_runtime, library, no_training, small, stream, force;
    size_t memory_limit; /* 0: none */
    Text given;          /* options that change the output */
} Options;

/* --weights-type f16 */
bool options_want_half(const Options *options);

#endif
