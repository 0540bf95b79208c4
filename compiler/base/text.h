/* text.h - a growing string, and files saved whole. */
#ifndef CAEC_TEXT_H
#define CAEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Text {
    char *data;         /* in the arena, always ended with 0; NULL while empty */
    size_t length, room;
} Text;

void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append(Text *text, const char *bytes, size_t n);

/* FNV-1a of its bytes, as 16 hexadecimal digits. */
const char *text_fingerprint(const Text *text);

/* Reads a whole file of at most `limit` bytes; ends the program with a message and exit code 3 where that fails. */
Text text_read(const char *path, size_t limit);

bool text_exists(const char *path);

typedef struct SavedText {
    const char *path;
    Text text;
} SavedText;

/* Saves files, each only where its content changes: all are first written under temporary names beside their places (fsync), then renamed, so that
   none is replaced unless all could be written. Makes missing folders. Ends the program with a message and exit code 3 where that fails. */
void text_save_all(SavedText *files, int count);

#endif
