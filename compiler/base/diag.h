/* diag.h - the one channel for errors.
 *
 * fail() is for the user's mistakes: "graphs/cae.lua:12:3: error: conv2d: ..." with the source line
 * and a caret, exit code 1. bug() is for ours. Both end the program, so nothing after them runs
 * and, since output is saved last, nothing is written. */
#ifndef CAEC_DIAG_H
#define CAEC_DIAG_H

#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_FILE = 3, EXIT_BUG = 70 };

/* A place in a source file; line and column count from 1; column 0: the whole line; line 0: the
   whole file; file NULL: nowhere. */
typedef struct Loc {
    const char *file;
    int line, column;
} Loc;

_Noreturn void fail(Loc loc, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A file that could not be read or written, or a wrong command line: "caec: error: ..." and the
   given exit code. */
_Noreturn void fail_with(int exit_code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

_Noreturn void bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
