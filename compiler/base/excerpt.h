/* excerpt.h - the line of the graph file that an error is about. */
#ifndef CAEC_EXCERPT_H
#define CAEC_EXCERPT_H

#include <stddef.h>

/* Remembers the text of the graph file, so that errors can show its lines. The text must outlive
   the compile. */
void excerpt_source(const char *file, const char *text, size_t length);

/* Prints the line to stderr and a caret under the column; tabs stay tabs so that the caret stays
   below. Nothing where `file` is not the one remembered or has no such line; no caret where the
   line has no such column. */
void excerpt_print(const char *file, int line, int column);

#endif
