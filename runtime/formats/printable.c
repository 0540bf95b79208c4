#include "printable.h"

#include <stdint.h>
#include <string.h>

/* Characters that never pass: from .. to. */
static const struct Range {
    uint32_t from, to;
} refused[] = {
    { 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x61c, 0x61c },   { 0x200e, 0x200f },
    { 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xd800, 0xdfff },
};

static int may_pass(uint32_t character)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (character >= refused[i].from && character <= refused[i].to)
            return 0;
    return character <= 0x10ffff;
}

/* The length of the character that begins with this byte; 0: none does. */
static size_t length_by(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t printable_character(const char *text, size_t left, int *passes)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* of so many bytes */
    const unsigned char *byte = (const unsigned char *)text;
    size_t length = length_by(byte[0]);
    uint32_t character = length < 2 ? byte[0] : byte[0] & (0x7fu >> length);

    *passes = 0;
    if (length == 0 || length > left)
        return 1;
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 1;
        character = character << 6 | (byte[i] & 0x3f);
    }
    if (character < least[length])
        return 1;
    *passes = may_pass(character);
    return length;
}

int printable_is(const char *text)
{
    int passes = 1;

    for (size_t left = strlen(text), n; passes && left > 0; text += n, left -= n)
        n = printable_character(text, left, &passes);
    return passes;
}

void printable_line(char *line)
{
    char *to = line;
    int passes;

    for (size_t left = strlen(line), n; left > 0; line += n, left -= n) {
        n = printable_character(line, left, &passes);
        if (passes)
            memmove(to, line, n);
        else
            *to = '?';
        to += passes ? n : 1;
    }
    *to = 0;
}

typedef void (*Put)(FILE *stream, const char *character, size_t n);

/* Calls `put` for each character, with "?" for one that does not pass. */
static void each(FILE *stream, const char *text, Put put)
{
    int passes;

    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        n = printable_character(text, left, &passes);
        put(stream, passes ? text : "?", passes ? n : 1);
    }
}

static void put_plain(FILE *stream, const char *character, size_t n)
{
    fwrite(character, 1, n, stream);
}

void printable_put(FILE *stream, const char *text)
{
    each(stream, text, put_plain);
}

static void put_quoted(FILE *stream, const char *character, size_t n)
{
    if (*character == '"')
        putc('"', stream);
    fwrite(character, 1, n, stream);
}

void printable_field(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        printable_put(stream, text);
        return;
    }
    putc('"', stream);
    each(stream, text, put_quoted);
    putc('"', stream);
}

static void put_xml(FILE *stream, const char *character, size_t n)
{
    switch (*character) {
    case '<': fputs("&lt;", stream); break;
    case '>': fputs("&gt;", stream); break;
    case '&': fputs("&amp;", stream); break;
    case '"': fputs("&quot;", stream); break;
    default: fwrite(character, 1, n, stream);
    }
}

void printable_xml(FILE *stream, const char *text)
{
    each(stream, text, put_xml);
}
