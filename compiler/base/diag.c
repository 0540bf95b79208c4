#include "diag.h"

#include "../../runtime/formats/printable.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* shown of a text that a graph file may make as long as it likes */
enum { MESSAGE_BYTES = 4000, LINE_BYTES = 200 };

static struct {
    const char *file, *text, *end;
} source;

void diag_source(const char *file, const char *text, size_t length)
{
    source.file = file;
    source.text = text;
    source.end = text + length;
}

/* Text of the graph file, made printable but for tabs. */
static void show_source(const char *p, const char *end)
{
    int passes;
    for (size_t n; p < end; p += n) {
        n = printable_character(p, (size_t)(end - p), &passes);
        if (passes || *p == '\t')
            fwrite(p, 1, n, stderr);
        else
            fputc('?', stderr);
    }
}

/* What stands in a message may come from a hostile file: it is cut, and cannot speak to the
   terminal. */
static void show_message(const char *format, va_list args)
{
    static char text[MESSAGE_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    printable_put(stderr, text);
    fputs(length >= MESSAGE_BYTES ? " ...\n" : "\n", stderr);
}

/* A piece of the source, and what is shown of a longer one. */
typedef struct Piece {
    const char *start, *end;
} Piece;

/* The line without its end; start NULL: the text has none of that number. */
static Piece find_line(int number)
{
    const char *p = source.text;
    for (int line = 1; line < number; line++) {
        p = memchr(p, '\n', (size_t)(source.end - p));
        if (!p)
            return (Piece){ 0 };
        p++;
    }
    const char *end = memchr(p, '\n', (size_t)(source.end - p));
    end = end ? end : source.end;
    return (Piece){ p, end > p && end[-1] == '\r' ? end - 1 : end };
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Of a line with more than LINE_BYTES, so many of them around the column; the column is in the
   middle where it does not stand early or late in the line. */
static Piece window(Piece line, int column)
{
    Piece piece = line;
    int length = (int)(line.end - line.start), from = column - LINE_BYTES / 2;
    if (length <= LINE_BYTES)
        return line;
    if (from > length - LINE_BYTES)
        from = length - LINE_BYTES;
    if (from > 0)
        piece.start += from;
    piece.end = piece.start + LINE_BYTES;
    while (piece.start > line.start && piece.start < piece.end && continues_character(*piece.start))
        piece.start++;
    while (piece.end < line.end && piece.end > piece.start && continues_character(*piece.end))
        piece.end--;
    return piece;
}

/* The source line under the message, and a caret under the column; tabs stay tabs so that the caret
   stays below. */
static void show_line(Loc loc)
{
    if (!source.text || !loc.file || strcmp(loc.file, source.file) != 0 || loc.line < 1)
        return;
    Piece line = find_line(loc.line);
    if (!line.start)
        return;
    int column = loc.column >= 1 && loc.column <= line.end - line.start + 1 ? loc.column : 0;
    Piece shown = window(line, column);
    const char *before = shown.start > line.start ? "..." : "",
               *behind = shown.end < line.end ? "..." : "";
    fprintf(stderr, "%5d | %s", loc.line, before);
    show_source(shown.start, shown.end);
    fprintf(stderr, "%s\n", behind);
    const char *caret = line.start + column - 1;
    /* no word begins inside a character */
    if (!column || caret < shown.start || caret > shown.end)
        return;
    fprintf(stderr, "      | %*s", (int)strlen(before), "");
    for (const char *p = shown.start; p < caret; p++)
        fputc(*p == '\t' ? '\t' : ' ', stderr);
    fputs("^\n", stderr);
}

void fail(Loc loc, const char *format, ...)
{
    if (!loc.file)
        fputs("caec", stderr);
    else
        printable_put(stderr, loc.file);
    if (loc.file && loc.line >= 1)
        fprintf(stderr, ":%d", loc.line);
    if (loc.file && loc.line >= 1 && loc.column >= 1)
        fprintf(stderr, ":%d", loc.column);
    fputs(": error: ", stderr);
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
    show_message(format, args);
    va_end(args);
    fputs("This is a mistake in caec, not in your graph. Please report it with the graph file.\n",
          stderr);
    exit(EXIT_BUG);
}
