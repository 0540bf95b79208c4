/* usage.h - command lines whose mistakes are told in printable text: a shell's `*` puts names of
 * files there, which may be anybody's. For the compiler and the programs alike. */
#ifndef CAEC_USAGE_H
#define CAEC_USAGE_H

#include <argp.h>
#include <stddef.h>

/* argp_parse, after refusing what getopt would print as it is: an option's name that is not
   printable. */
void usage_parse(const struct argp *argp, int argc, char **argv, void *input);

/* argp_error with the message made printable: says it, points to --help and ends the program with
   argp_err_exit_status. Returns only in a parse that must not end the program. */
void usage_error(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next of `count` words, number i from 0, of a list "a, b and c" in text[size]. */
void usage_list(char *text, size_t size, const char *word, int i, int count);

/* Appends to text[size], cutting off what has no room. */
void usage_add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "PROGRAM: warning: ..." on stderr, made printable. */
void usage_warning(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
