#include "diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 4000, LINE_BYTES = 200 };    /* shown of a text that a graph file may make as long as it likes */

static struct {
    const char *file, *text, *end;
} source;

void diag_source(const char *file, const char *text, size_t length)
{
    source.file = file;
    source.text = text;
    source.end = text + length;
}

/* Control characters, of one byte or as UTF-8 spells those from 128 to 159, become question marks: a terminal would obey them. */
static void show_text(const char *p, const char *end)
{
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p, next = p + 1 < end ? (unsigned char)p[1] : 0;
        bool pair = c == 0xc2 && next >= 0x80 && next <= 0x9f;
        fputc(pair || c == 127 || (c < ' ' && c != '\t') ? '?' : c, stderr);
        p += pair;
    }
}

/* What stands in a message may come from a hostile file: it is cut, and cannot speak to the terminal. */
static void show_message(const char *format, va_list args)
{
    static char text[MESSAGE_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    show_text(text, text + strlen(text));
    fputs(length >= MESSAGE_BYTES ? " ...\n" : "\n", stderr);
}

/* The source line under the message, and a caret under the column; tabs stay tabs so that the caret stays below. */
static void show_line(Loc loc)
{
    if (!source.text || !loc.file || strcmp(loc.file, source.file) != 0 || loc.line < 1)
        return;
    const char *p = source.text;
    for (int line = 1; line < loc.line; line++) {
        p = memchr(p, '\n', (size_t)(source.end - p));
        if (!p)
            return;
        p++;
    }
    const char *end = memchr(p, '\n', (size_t)(source.end - p));
    int n = (int)((end ? end : source.end) - p);
    if (n > 0 && p[n - 1] == '\r')
        n--;
    if (n > LINE_BYTES)
        n = LINE_BYTES;
    fprintf(stderr, "%5d | ", loc.line);
    show_text(p, p + n);
    fputc('\n', stderr);
    if (loc.column < 1 || loc.column > n + 1)
        return;
    fputs("      | ", stderr);
    for (int i = 0; i < loc.column - 1; i++)
        fputc(p[i] == '\t' ? '\t' : ' ', stderr);
    fputs("^\n", stderr);
}

void fail(Loc loc, const char *format, ...)
{
    if (!loc.file)
        fputs("caec: ", stderr);
    else if (loc.line < 1)
        fprintf(stderr, "%s: ", loc.file);
    else if (loc.column < 1)
        fprintf(stderr, "%s:%d: ", loc.file, loc.line);
    else
        fprintf(stderr, "%s:%d:%d: ", loc.file, loc.line, loc.column);
    fputs("error: ", stderr);
    va_list args;
    va_start(args, format);
    show_message(format, args);
    va_end(args);
    show_line(loc);
    exit(EXIT_INPUT);
}

void fail_with(int exit_code, const char *format, ...)
{
    fputs("caec: error: ", stderr);
    va_list args;
    va_start(args, format);
    show_message(format, args);
    va_end(args);
    exit(exit_code);
}

void bug(const char *format, ...)
{
    fputs("caec: internal error: ", stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nThis is a mistake in caec, not in your graph. Please report it with the graph file.\n", stderr);
    exit(EXIT_BUG);
}
