/* text.h - a growing string, and files read and saved whole. */
#ifndef CAEC_TEXT_H
#define CAEC_TEXT_H

#include <stddef.h>
#include <stdio.h>

typedef struct Text {
    char *data; /* in the arena, always ended with 0; NULL while empty */
    size_t length, room;
} Text;

void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append(Text *text, const char *bytes, size_t n);

/* Writes it; what goes wrong is left in the stream for ferror. */
void text_write(const Text *text, FILE *stream);

/* FNV-1a of its bytes, as 16 hexadecimal digits. */
const char *text_fingerprint(const Text *text);

/* Reads a whole file of at most `limit` bytes; ends the program with a message and exit code 3
   where that fails. */
Text text_read(const char *path, size_t limit);

/* Saves a file, whole or not at all, and makes the folders that are missing above it; ends the
   program in the same way. What is no plain file, such as a pipe, is written to as it stands. */
void text_save(const char *path, const Text *text);

/* Makes the folders that are missing above a path. Returns those made, ended with NULL, from the
 * outermost on; ends the program in the same way. */
const char **text_make_folders(const char *path);

#endif
