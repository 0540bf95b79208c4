/* process.h - runs another program and keeps what it says. */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include <stddef.h>

typedef struct Result {
    int exit_code;   /* -1: ended by a signal */
    int signal;      /* 0: ended by itself */
    char *out, *err; /* ended with 0 */
    size_t out_length, err_length;
} Result;

/* Runs words[0] (a path, or a name on the PATH) with the NULL-ended words, in `folder` (NULL: where
   we are), without input. It is killed after 60 seconds at work, or 20 minutes in all. Fails the
   test where it cannot be started. */
Result run_words(const char *folder, const char *const *words);

/* The same with the words of a text, separated by single spaces. */
Result run(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The compiler under test with these words after its name. */
Result run_caec(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of all runs so far: how many there were, and how many ended with that exit code. For what a test
   prints at its end. */
int runs_made(void);
int runs_ended(int exit_code);

void result_free(Result *result);

/* Fails the test, showing what was said, where the exit code is another. */
void want_exit(const Result *result, int exit_code);

#endif
