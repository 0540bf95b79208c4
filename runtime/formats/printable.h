/* printable.h - text from outside made fit for a terminal, a log or a table: names of files and
 * tensors, words of the command line, other libraries' messages.
 *
 * Whatever is printed goes through here, in the compiler and in the runtime. A character passes if
 * it is valid UTF-8 and none of these, which a terminal obeys, which start another line, or which
 * change the order of what is shown: C0 (below space, tab too), DEL, C1 (U+0080 to U+009F), U+061C,
 * U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069. Each one that does not pass becomes one
 * question mark, and so does each byte that is no UTF-8 (many terminals take a lone 0x9b for a
 * C1). */
#ifndef CAEC_PRINTABLE_H
#define CAEC_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

/* The length of the first character of `left` > 0 bytes, 1 if they begin with no valid one.
   *passes: whether it may be shown. */
size_t printable_character(const char *text, size_t left, int *passes);

/* Whether every character passes. */
int printable_is(const char *text);

/* Makes a line printable in place; it never becomes longer. */
void printable_line(char *line);

/* Writes text, made printable. */
void printable_put(FILE *stream, const char *text);

/* Writes text, made printable, as a field of CSV (RFC 4180): in quotes if it has a comma or a
   quote. */
void printable_field(FILE *stream, const char *text);

/* Writes text, made printable, as the content of an element or attribute of XML or HTML. */
void printable_xml(FILE *stream, const char *text);

#endif
