#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *file, *text, *end;
} source;

void diag_source(const char *file, const char *text, size_t length)
{
    source.file = file;
    source.text = text;
    source.end = text + length;
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
    if (n > 200)
        n = 200;
    fprintf(stderr, "%5d | ", loc.line);
    for (int i = 0; i < n; i++)
        fputc((unsigned char)p[i] < ' ' && p[i] != '\t' ? '?' : p[i], stderr);
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
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    show_line(loc);
    exit(EXIT_INPUT);
}

void fail_with(int exit_code, const char *format, ...)
{
    fputs("caec: error: ", stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
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
