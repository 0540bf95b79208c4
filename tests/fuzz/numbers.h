/* numbers.h - a run over numbers of a seed, each a test of its own. The environment says which:
 *
 *   FUZZ_SEED (1), FUZZ_FIRST (0), FUZZ_COUNT      FUZZ_COUNT numbers from FUZZ_FIRST on
 *
 * tests/fuzz/run.sh runs many at once. */
#ifndef TEST_NUMBERS_H
#define TEST_NUMBERS_H

#include "cases.h"

#include <stdbool.h>

typedef struct Number {
    uint64_t seed;
    int number;
    const char *what; /* "legal" */
} Number;

/* Runs `one` and then `end` for every number (`count` where the environment says nothing), with
   *state a Number, and `report` after them all; returns the program's exit code. */
int numbers_run(const char *title, const char *what, int count, CMUnitTestFunction one,
                CMFixtureFunction end, CMUnitTestFunction report);

/* Called by `one` as soon as they are known: where the graph and the options to it are kept; both
   may still change. */
void numbers_under_test(char *const *graph, char *const *options);
void numbers_passed(void); /* by `one` at its end */

/* By `end`: where `one` did not come to its end, shows seed, number and graph, and what to type to
   see it again. Returns 0. */
int numbers_end(const Number *number);

#endif
