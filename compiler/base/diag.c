#include "diag.h"

#include "../../runtime/formats/printable.h"
#include "excerpt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* shown of a text that a graph file may make as long as it likes */
enum { MESSAGE_BYTES = 4000 };

/* What stands in a message may come from a hostile file: it is cut, and cannot speak to the
   terminal. */
static void show_message(const char *format, va_list args)
{
    static char text[MESSAGE_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    printable_put(stderr, text);
    fputs(length >= MESSAGE_BYTES ? " ...\n" : "\n", stderr);
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
    excerpt_print(loc.file, loc.line, loc.column);
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
