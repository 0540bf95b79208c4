/* text.h - a growing string. */
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

#endif
