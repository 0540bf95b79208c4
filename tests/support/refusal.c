#define _POSIX_C_SOURCE 200809L
#include "refusal.h"

#include "cases.h"
#include "files.h"
#include "process.h"

#include "formats/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Place {
    int line, column; /* 0: none */
    char *text;       /* of the line */
} Place;

/* Takes the mark out of the text. */
static Place find_place(char *text)
{
    char *mark = strpbrk(text, "@^"), *start;
    if (!mark)
        return (Place){ 0 };
    bool whole_line = *mark == '^';
    memmove(mark, mark + 1, strlen(mark));
    Place place = { .line = 1 };
    for (char *p = start = text; p < mark; p++)
        if (*p == '\n') {
            place.line++;
            start = p + 1;
        }
    place.column = whole_line ? 0 : (int)(mark - start) + 1;
    place.text = text_of("%.*s", (int)strcspn(start, "\n"), start);
    return place;
}

/* Of a line of more than 200 bytes, 200 around the column; dots stand where it was cut. Characters
   of several bytes stay whole. */
static char *window(const char *line, int *column)
{
    int length = (int)strlen(line), from = *column - 100, to;
    if (length <= 200)
        return text_of("%s", line);
    from = from > length - 200 ? length - 200 : from;
    from = from < 0 ? 0 : from;
    to = from + 200;
    while (from && from < to && (line[from] & 0xc0) == 0x80)
        from++;
    while (to > from && (line[to] & 0xc0) == 0x80)
        to--;
    if (*column)
        *column = *column - 1 < from || *column - 1 > to ? 0 : *column - from + (from ? 3 : 0);
    return text_of("%s%.*s%s", from ? "..." : "", to - from, line + from, to < length ? "..." : "");
}

/* As unit_printable holds it, but tabs stay. */
static char *printable(const char *text)
{
    size_t left = strlen(text), n = 0;
    char *copy = malloc(left + 1);
    assert_non_null(copy);
    for (size_t size; left > 0; text += size, left -= size) {
        int passes;
        size = printable_character(text, left, &passes);
        bool stays = passes || *text == '\t';
        memcpy(copy + n, stays ? text : "?", stays ? size : 1);
        n += stays ? size : 1;
    }
    copy[n] = 0;
    return copy;
}

/* "file:3:5: error: " and the two lines below the message. */
static void expected_lines(const Place *place, char **prefix, char **below)
{
    if (!place->line) {
        *prefix = text_of("net.lua: error: ");
        *below = text_of("%s", "");
        return;
    }
    int column = place->column;
    char *piece = window(place->text, &column), *shown = printable(piece);
    *prefix = place->column ? text_of("net.lua:%d:%d: error: ", place->line, place->column)
                            : text_of("net.lua:%d: error: ", place->line);
    if (!column) {
        *below = text_of("%5d | %s\n", place->line, shown);
    } else {
        char *blanks = text_of("%.*s", column - 1, piece);
        for (char *p = blanks; *p; p++)
            *p = *p == '\t' ? '\t' : ' ';
        *below = text_of("%5d | %s\n      | %s^\n", place->line, shown, blanks);
        free(blanks);
    }
    free(piece);
    free(shown);
}

/* What a user must never see: Lua's own words, ours about ourselves, a report of a sanitizer. */
static const char *const inside[] = { "traceback",      "dsl.lua",   "__at",         "Assertion",
                                      "internal error", "Sanitizer", "runtime error" };

static void check_message(const Refusal *refusal, const char *said, const Place *place)
{
    char *prefix, *below;
    expected_lines(place, &prefix, &below);
    const char *newline = strchr(said, '\n');
    if (strncmp(said, prefix, strlen(prefix)) != 0
        || strncmp(said + strlen(prefix), refusal->message, strlen(refusal->message)) != 0)
        fail_msg("of\n%s\ncaec says\n%s\ninstead of\n%s%s ...\n%s", refusal->graph, said, prefix,
                 refusal->message, below);
    if (!newline || strcmp(newline + 1, below) != 0)
        fail_msg("of\n%s\ncaec shows\n%s\ninstead of\n%s", refusal->graph, said, below);
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (strstr(said, inside[i]))
            fail_msg("of\n%s\ncaec says\n%s", refusal->graph, said);
    free(prefix);
    free(below);
}

/* What the compiler says of a graph that it must refuse, writing nothing. */
static Result refused_by(const char *compiler, const char *graph, size_t length)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *out = text_of("%s/out", folder);
    file_write(path, graph, length);
    Result result = run(folder, "%s net.lua -o out", compiler);
    if (result.exit_code != 1)
        print_message("%s", graph);
    want_exit(&result, 1);
    assert_string_equal(result.out, "");
    assert_false(file_exists(out));
    free(path);
    free(out);
    folder_remove(folder);
    return result;
}

static void refuse_by(const char *compiler, const Refusal *refusal)
{
    char *text = text_of("%s", refusal->graph);
    Place place = find_place(text);
    Result result = refused_by(compiler, text, strlen(text));
    check_message(refusal, result.err, &place);
    result_free(&result);
    free(place.text);
    free(text);
}

void want_refusal(const Refusal *refusal)
{
    refuse_by(caec_binary(), refusal);
    if (caec_other())
        refuse_by(caec_other(), refusal);
}

/* The line of the text as the compiler shows it: without a carriage return, bytes below a blank as
   question marks. */
static char *shown_line(const char *graph, size_t length, int line)
{
    const char *p = graph, *end = graph + length;
    for (int i = 1; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            fail_msg("the message is about line %d, which the file has not", line);
        p++;
    }
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t n = (size_t)((newline ? newline : end) - p);
    n -= n > 0 && p[n - 1] == '\r';
    char *text = calloc(1, n + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = (unsigned char)p[i] < ' ' && p[i] != '\t' ? '?' : p[i];
    return text;
}

static void check_place(const char *said, const char *graph, size_t length, int line, bool whole)
{
    Place place = { 0 };
    int n = 0;
    if (sscanf(said, "net.lua:%d:%d: %n", &place.line, &place.column, &n) < 2 || !n) {
        place.column = n = 0;
        if (sscanf(said, "net.lua:%d: %n", &place.line, &n) < 1 || !n)
            place.line = n = 0;
    }
    if ((!place.line && !whole) || (line && place.line != line))
        fail_msg("caec says\n%s\nwhich is not about line %d", said, line);
    char *prefix, *below;
    place.text = place.line ? shown_line(graph, length, place.line) : NULL;
    /* after what is shown */
    if (place.line && (place.column < 0 || place.column > (int)strlen(place.text) + 1))
        place.column = 0;
    expected_lines(&place, &prefix, &below);
    const char *error = strstr(said, "error: "), *newline = strchr(said, '\n');
    if (strncmp(said, "net.lua:", 8) != 0 || !error || !newline || newline - error <= 7
        || strcmp(newline + 1, below) != 0)
        fail_msg("caec shows\n%s\ninstead of a message and\n%s", said, below);
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (strstr(said, inside[i]))
            fail_msg("caec says\n%s", said);
    free(place.text);
    free(prefix);
    free(below);
}

void want_refused(const char *graph, size_t length, int line, bool whole)
{
    const char *const compilers[] = { caec_binary(), caec_other() };
    for (int i = 0; i < 2 && compilers[i]; i++) {
        Result result = refused_by(compilers[i], graph, length);
        check_place(result.err, graph, length, line, whole);
        result_free(&result);
    }
}
