/* The expander of templates, by texts of its own: fragments take named arguments, nothing is
   global, and an error names the template's own file and line. */
#include "base/arena.h"
#include "base/embedded.h"
#include "base/lua.h"
#include "cases.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct Template {
    const char *name, *text;
} templates[] = {
    { "boxes.in", "%-- boxes\n"
                  "%fragment box (width, label?)\n"
                  "[${width}${label and \" \" .. label or \"\"}]\n"
                  "% return width * 2\n"
                  "%-- the second of the file, which calls the first\n"
                  "%fragment two (width)\n"
                  "% local wide = box { width = width }\n"
                  "% box { width = wide,\n"
                  "%     label = \"wide\" }\n" },
    { "calls.in", "%include boxes.in\n"
                  "before ${NUMBER}\n"
                  "% two { width = NUMBER }\n"
                  "% local four = box {\n"
                  "%+    width = 2, label = \"of text\" }\n"
                  "after ${four}\n" },
    { "sets.in", "text\n% local fine = 1\n% fine = 2\n% SPAN = 3\n" },
    { "defines.in", "text\n% function span() return 3 end\n" },
    { "sets_a_hole.in", "% NUMBER = 3\n" },
    { "sets_a_helper.in", "% format = nil\n" },
    { "leaks.in", "% local function inner()\n%   LEAK = 1\n% end\n% inner()\n" },
    { "leaking_fragment.in", "%fragment leaking ()\ntext\n% LEAK = 1\n" },
    { "calls_leaking.in", "%include leaking_fragment.in\n% leaking {}\n" },
    { "unknown.in", "text\n${LEAK}\n" },
    { "forgets.in", "%include boxes.in\n\n% box { label = \"x\" }\n" },
    { "misspells.in", "%include boxes.in\n\n\n% box { width = 1, lable = \"x\" }\n" },
    { "positional.in", "%include boxes.in\n% box(3)\n" },
    { "includes_text.in", "text\n%include sets.in\n" },
    { "stray.in", "%include boxes.in\n%-- no text here\ntext\n%fragment late ()\ntext\n" },
    { "includes_stray.in", "%include stray.in\n" },
    { "malformed.in", "%fragment late\n" },
    { "before.in", "% two { width = 1 }\n%include boxes.in\n" },
};
enum { TEMPLATES = sizeof templates / sizeof templates[0] };

/* What the expander asks for a text; its path is the name below "some/". */
static int embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (int i = 0; i < TEMPLATES; i++)
        if (strcmp(templates[i].name, name) == 0) {
            lua_pushstring(L, templates[i].text);
            lua_pushfstring(L, "some/%s", name);
            return 2;
        }
    return luaL_error(L, "no template %s", name);
}

/* Calls the expander with NUMBER = 5: its status, and the text or the message, to be freed. */
static int expand(const char *name, char **said)
{
    lua_State *L = lua_new_trusted();
    const EmbeddedFile *file = embedded_find("emit/template.lua");
    assert_int_equal(lua_load_text(L, file->text, file->length, "=template.lua"), 0);
    lua_pushcfunction(L, embedded);
    assert_int_equal(lua_pcall(L, 1, 1, 0), 0);
    lua_pushstring(L, name);
    lua_newtable(L);
    lua_pushinteger(L, 5);
    lua_setfield(L, -2, "NUMBER");
    const int status = lua_pcall(L, 2, 1, 0);
    *said = text_of("%s", lua_tostring(L, -1));
    lua_close(L);
    return status;
}

static void fragments_are_functions(void **state)
{
    (void)state;
    char *text;
    assert_int_equal(expand("calls.in", &text), 0);
    assert_string_equal(text, "before 5\n[5]\n[10 wide]\n[2 of text]\nafter 4\n");
    free(text);
}

static void mistakes_are_told_at_their_line(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "sets.in", "some/sets.in:4: assignment to 'SPAN', which is not local" },
        { "defines.in", "some/defines.in:2: assignment to 'span', which is not local" },
        { "sets_a_hole.in", "some/sets_a_hole.in:1: assignment to 'NUMBER', which is not local" },
        { "sets_a_helper.in",
          "some/sets_a_helper.in:1: assignment to 'format', which is not local" },
        { "leaks.in", "some/leaks.in:2: assignment to 'LEAK', which is not local" },
        { "calls_leaking.in",
          "some/leaking_fragment.in:3: assignment to 'LEAK', which is not local" },
        { "unknown.in", "some/unknown.in:2: unknown hole 'LEAK'" },
        { "forgets.in", "some/forgets.in:3: fragment box wants 'width'" },
        { "misspells.in", "some/misspells.in:4: fragment box has no parameter 'lable'" },
        { "positional.in",
          "some/positional.in:2: fragment box is called with named arguments: box { ... }" },
        { "includes_text.in", "some/includes_text.in:2: sets.in has no fragments" },
        { "includes_stray.in", "some/stray.in:3: text outside of the file's fragments" },
        { "malformed.in", "some/malformed.in:1: %fragment wants NAME (parameters)" },
        { "before.in", "some/before.in:1: unknown hole 'two'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *message;
        if (expand(cases[i][0], &message) == 0)
            fail_msg("%s is expanded: %s", cases[i][0], message);
        assert_string_equal(message, cases[i][1]);
        free(message);
    }
}

static bool is_letter(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Whether a word stands in a stretch of text. */
static bool has_word(const char *text, size_t length, const char *word, size_t n)
{
    for (size_t i = 0; i + n <= length; i++)
        if (strncmp(text + i, word, n) == 0 && (i == 0 || !is_letter(text[i - 1]))
            && !is_letter(text[i + n]))
            return true;
    return false;
}

/* Whether some "local a, b = ..." of the template declares the word. */
static bool declares(const char *text, const char *word, size_t n)
{
    for (const char *at = text; (at = strstr(at, "local ")) != NULL; at++)
        if (has_word(at + 6, strcspn(at + 6, "=\n"), word, n))
            return true;
    return false;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (is_letter(text[n]))
        n++;
    return n;
}

/* Of a line "a, b = ..." a and b are local. */
static void check_assignment(const EmbeddedFile *file, const char *line)
{
    for (const char *word = line;;) {
        const size_t n = word_length(word);
        const bool last = strncmp(word + n, " = ", 3) == 0;
        if (n == 0 || !(last || strncmp(word + n, ", ", 2) == 0))
            return;
        if (!declares(file->text, word, n))
            fail_msg("%s: an assignment to what is not local: %.*s", file->name,
                     (int)strcspn(line, "\n"), line);
        if (last)
            return;
        word += n + 2;
    }
}

/* The templates of caec itself: what they might assign to a global in the case of some graph alone
   is read here from their text. */
static void templates_of_caec_assign_to_locals(void **state)
{
    (void)state;
    int lines = 0;
    for (int i = 0; embedded_files[i].name; i++) {
        const EmbeddedFile *file = &embedded_files[i];
        const char *end = strstr(file->name, ".in");
        if (!end || strcmp(end, ".in") != 0)
            continue;
        for (const char *line = file->text; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            /* what is indented further may be a field of a table */
            if (strncmp(line, "% ", 2) != 0 || line[2] == ' ')
                continue;
            lines++;
            line += 2;
            check_assignment(file, line);
            if (strncmp(line, "function ", 9) == 0)
                fail_msg("%s: a global function: %.*s", file->name, (int)strcspn(line, "\n"), line);
        }
    }
    assert_true(lines > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fragments_are_functions),
                                        cmocka_unit_test(mistakes_are_told_at_their_line),
                                        cmocka_unit_test(templates_of_caec_assign_to_locals) };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
