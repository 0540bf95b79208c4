#include "text.h"

#include "../../runtime/formats/checksum.h"
#include "arena.h"

#include <stdarg.h>
#include <string.h>

static void reserve(Text *text, size_t more)
{
    if (text->length + more + 1 <= text->room)
        return;
    size_t room = text->room ? text->room * 2 : 1024;
    while (room < text->length + more + 1)
        room *= 2;
    char *data = arena_alloc(room);
    if (text->length)
        memcpy(data, text->data, text->length);
    text->data = data;
    text->room = room;
}

void text_append(Text *text, const char *bytes, size_t n)
{
    reserve(text, n);
    if (n)
        memcpy(text->data + text->length, bytes, n);
    text->length += n;
    text->data[text->length] = 0;
}

void text_add(Text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    reserve(text, (size_t)n);
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)n + 1, format, args);
    va_end(args);
    text->length += (size_t)n;
}

void text_write(const Text *text, FILE *stream)
{
    fwrite(text->data ? text->data : "", 1, text->length, stream);
}

const char *text_fingerprint(const Text *text)
{
    char digits[CHECKSUM_DIGITS + 1];
    checksum_text(checksum_bytes(CHECKSUM_START, text->data, text->length), digits);
    return arena_copy(digits, CHECKSUM_DIGITS);
}
