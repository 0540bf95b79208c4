#define _POSIX_C_SOURCE 200809L
#include "refusal.h"

#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct Place {
    int line, column;       /* 0: none */
    char *text;             /* of the line */
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

/* "file:3:5: error: " and the two lines below the message. */
static void expected_lines(const Place *place, char **prefix, char **below)
{
    if (!place->line) {
        *prefix = text_of("net.lua: error: ");
        *below = text_of("%s", "");
    } else if (!place->column) {
        *prefix = text_of("net.lua:%d: error: ", place->line);
        *below = text_of("%5d | %s\n", place->line, place->text);
    } else {
        char *blanks = text_of("%.*s", place->column - 1, place->text);
        for (char *p = blanks; *p; p++)
            *p = *p == '\t' ? '\t' : ' ';
        *prefix = text_of("net.lua:%d:%d: error: ", place->line, place->column);
        *below = text_of("%5d | %s\n      | %s^\n", place->line, place->text, blanks);
        free(blanks);
    }
}

/* What a user must never see: Lua's own words, ours about ourselves, a report of a sanitizer. */
static const char *const inside[] = { "traceback", "dsl.lua", "__at", "Assertion", "internal error", "Sanitizer", "runtime error" };

static void check_message(const Refusal *refusal, const char *said, const Place *place)
{
    char *prefix, *below;
    expected_lines(place, &prefix, &below);
    const char *newline = strchr(said, '\n');
    if (strncmp(said, prefix, strlen(prefix)) != 0 || strncmp(said + strlen(prefix), refusal->message, strlen(refusal->message)) != 0)
        fail_msg("of\n%s\ncaec says\n%s\ninstead of\n%s%s ...\n%s", refusal->graph, said, prefix, refusal->message, below);
    if (!newline || strcmp(newline + 1, below) != 0)
        fail_msg("of\n%s\ncaec shows\n%s\ninstead of\n%s", refusal->graph, said, below);
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (strstr(said, inside[i]))
            fail_msg("of\n%s\ncaec says\n%s", refusal->graph, said);
    free(prefix);
    free(below);
}

static void refuse_by(const char *compiler, const Refusal *refusal)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder), *text = text_of("%s", refusal->graph), *out = text_of("%s/out", folder);
    Place place = find_place(text);
    file_write(path, text, strlen(text));
    Result result = run(folder, "%s net.lua -o out", compiler);
    if (result.exit_code != 1)
        print_message("%s", refusal->graph);
    want_exit(&result, 1);
    check_message(refusal, result.err, &place);
    assert_string_equal(result.out, "");
    assert_false(file_exists(out));
    result_free(&result);
    free(place.text);
    free(path);
    free(text);
    free(out);
    folder_remove(folder);
}

void want_refusal(const Refusal *refusal)
{
    refuse_by(caec_binary(), refusal);
    if (caec_other())
        refuse_by(caec_other(), refusal);
}
