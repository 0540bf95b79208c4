#include "excerpt.h"

#include "../../runtime/formats/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* shown of a line that a graph file may make as long as it likes */
enum { LINE_BYTES = 200 };

static struct {
    const char *file, *text, *end;
} source;

void excerpt_source(const char *file, const char *text, size_t length)
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

void excerpt_print(const char *file, int number, int column)
{
    if (!source.text || !file || strcmp(file, source.file) != 0 || number < 1)
        return;
    Piece line = find_line(number);
    if (!line.start)
        return;
    if (column < 1 || column > line.end - line.start + 1)
        column = 0;
    Piece shown = window(line, column);
    const char *before = shown.start > line.start ? "..." : "",
               *behind = shown.end < line.end ? "..." : "";
    fprintf(stderr, "%5d | %s", number, before);
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
