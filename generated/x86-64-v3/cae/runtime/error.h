/* error.h - how a function of the runtime fails.
 *
 * A function that can fail takes an Error * as its last argument and returns 0, or -1 after filling
 * it in. The text is one line for the user, without a final newline or control characters: what is
 * wrong, where, and what to do. */
#ifndef CAEC_ERROR_H
#define CAEC_ERROR_H

/* exit codes of all programs */
enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_FILE = 3 };

typedef struct Error {
    int exit_code; /* EXIT_INPUT: the input is wrong; EXIT_USAGE; EXIT_FILE: could not be read or
                      written */
    char text[800];
    int shortage; /* of memory or file handles: whatever is named in the text is not to blame */
} Error;

/* Fills in the error and returns -1, so that `return error_set(...)` is the whole story. */
int error_set(Error *error, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a lack of memory: EXIT_INPUT, and a shortage. */
int error_set_shortage(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether an errno tells of a shortage. */
int error_is_shortage(int reason);

#endif
