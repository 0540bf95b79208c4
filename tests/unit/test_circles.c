/* Who calls whom in the compiler, read from its sources: no files call each other in a circle, and
   a header is the manual of its own source. What may include what, test_layers.c holds. */
#include "cases.h"
#include "files.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n')
            *from = ' ';
}

/* Past the comment, the string or the directive that begins at `p`; `p`: none does. */
static char *past(char *p, bool line_begins)
{
    char *end = p;
    if (strncmp(p, "/*", 2) == 0)
        return strstr(p, "*/") + 2;
    if (line_begins && *p == '#')
        while (*end && (*end != '\n' || end[-1] == '\\'))
            end++;
    if (*p == '"' || *p == '\'') {
        for (end++; *end != *p; end++)
            end += *end == '\\';
        end++;
    }
    return end;
}

static char *bare_text(const char *path)
{
    char *text = file_read(path, NULL);
    for (char *p = text; *p;) {
        char *end = past(p, p == text || p[-1] == '\n');
        blank(p, end);
        p = end > p ? end : p + 1;
    }
    return text;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Calls `see` with each name at the outermost level that stands before its list of parameters, and
   with what comes after the list: '{' in a definition, ';' in a declaration. */
static void each_function(const char *text,
                          void (*see)(void *to, const char *name, int length, bool own, char next),
                          void *to)
{
    const char *start = text; /* of a declaration or definition */
    int depth = 0;
    for (const char *p = text; *p; p++) {
        if (*p == ';' || *p == '}')
            start = depth == (*p == '}') ? p + 1 : start;
        depth += (*p == '{') - (*p == '}');
        if (depth > 0 || *p != '(' || p == text || !is_letter(p[-1]))
            continue;
        const char *name = p, *end = p;
        while (name > text && is_letter(name[-1]))
            name--;
        for (int open = 0; open += (*end == '(') - (*end == ')'), open > 0; end++)
            ;
        const char *next = end + 1 + strspn(end + 1, " \n");
        const bool own = strncmp(start + strspn(start, " \n"), "static", 6) == 0;
        if (strncmp(name, "__attribute__", 13) != 0 && strchr("{;_", *next))
            see(to, name, (int)(p - name), own, *next);
        p = end;
    }
}

typedef struct Sought {
    const char *name;
    int length;
    bool found; /* as a definition ... */
    bool own;   /* ... that is static */
} Sought;

static void seek(void *to, const char *name, int length, bool own, char next)
{
    Sought *sought = to;
    if (next == '{' && length == sought->length && strncmp(name, sought->name, length) == 0) {
        sought->found = true;
        sought->own = own;
    }
}

static Sought definition_of(const char *name, int length, const char *text)
{
    Sought sought = { .name = name, .length = length };
    each_function(text, seek, &sought);
    return sought;
}

static bool names(const char *text, const char *name, int length)
{
    for (const char *p = text; *p; p++)
        if (*p == *name && strncmp(p, name, (size_t)length) == 0 && !is_letter(p[length])
            && (p == text || !is_letter(p[-1])))
            return true;
    return false;
}

/* ---- circles ---- */

/* Of each source of the compiler: its text without comments, strings and directives; and who calls
   whom. A function with external linkage is found by its name, which no two sources share. */
typedef struct Sources {
    FileList list;
    char **text;
    bool *calls; /* [caller * count + called] */
} Sources;

/* A definition: who calls it? */
typedef struct Definition {
    Sources *sources;
    int file;
} Definition;

static void find_callers(void *to, const char *name, int length, bool own, char next)
{
    const Definition *d = to;
    Sources *s = d->sources;
    for (int i = 0; !own && next == '{' && i < s->list.count; i++)
        if (s->text[i] && i != d->file && names(s->text[i], name, length)
            && !definition_of(name, length, s->text[i]).found)
            s->calls[i * s->list.count + d->file] = true;
}

static Sources sources_read(void)
{
    char *root = text_of("%s/compiler", project_folder());
    Sources s = { .list = files_below(root) };
    s.text = calloc((size_t)s.list.count, sizeof *s.text);
    s.calls = calloc((size_t)s.list.count * (size_t)s.list.count, sizeof *s.calls);
    for (int i = 0; i < s.list.count; i++) {
        char *path = text_of("%s/%s", root, s.list.path[i]);
        if (strcmp(path + strlen(path) - 2, ".c") == 0)
            s.text[i] = bare_text(path);
        free(path);
    }
    for (int i = 0; i < s.list.count; i++)
        if (s.text[i])
            each_function(s.text[i], find_callers, &(Definition){ &s, i });
    free(root);
    return s;
}

static void sources_free(Sources *s)
{
    for (int i = 0; i < s->list.count; i++)
        free(s->text[i]);
    free(s->text);
    free(s->calls);
    file_list_free(&s->list);
}

/* Whether a file calls one of those that are left, or is called by one. */
static bool has_neighbour(const Sources *s, const bool *left, int file, bool calls)
{
    const int n = s->list.count;
    for (int i = 0; i < n; i++)
        if (left[i] && s->calls[calls ? file * n + i : i * n + file])
            return true;
    return false;
}

/* Who calls nobody, or is called by nobody, is in no circle: those are left out until there are
   none. */
static void no_files_call_each_other_in_a_circle(void **state)
{
    (void)state;
    Sources s = sources_read();
    const int n = s.list.count;
    bool *left = malloc((size_t)n);
    int count = n, calls = 0;
    memset(left, true, (size_t)n);
    for (int before = n + 1; count < before;) {
        before = count;
        for (int i = 0; i < n; i++)
            if (left[i]
                && !(has_neighbour(&s, left, i, true) && has_neighbour(&s, left, i, false))) {
                left[i] = false;
                count--;
            }
    }
    for (int i = 0; i < n * n; i++) {
        calls += s.calls[i];
        if (s.calls[i] && left[i / n] && left[i % n])
            print_message("%s calls %s\n", s.list.path[i / n], s.list.path[i % n]);
    }
    assert_true(calls > 300);
    if (count > 0)
        fail_msg("%d files call each other in a circle", count);
    free(left);
    sources_free(&s);
}

/* ---- headers ---- */

/* A header is the manual of its own source. In these rooms headers are tables of
   what stands in many files. */
static const char *const rooms_of_tables[] = { "ops/", "passes/", "packing/", "kernels/" };
enum { TABLES = sizeof rooms_of_tables / sizeof rooms_of_tables[0] };

static bool is_table(const char *path)
{
    for (int i = 0; i < TABLES; i++)
        if (strncmp(path, rooms_of_tables[i], strlen(rooms_of_tables[i])) == 0)
            return true;
    return false;
}

/* A header, and the text of its source. */
typedef struct Manual {
    const char *header, *source;
    int count;
} Manual;

static void check_manual(void *to, const char *name, int length, bool own, char next)
{
    Manual *m = to;
    if (next == '{' || own)
        return;
    const Sought sought = definition_of(name, length, m->source);
    if (!sought.found || sought.own)
        fail_msg("compiler/%s declares %.*s, which its own source does not define", m->header,
                 length, name);
    m->count++;
}

static void headers_declare_what_their_sources_define(void **state)
{
    (void)state;
    char *root = text_of("%s/compiler", project_folder());
    FileList list = files_below(root);
    int count = 0;
    for (int i = 0; i < list.count; i++) {
        const char *path = list.path[i], *dot = strrchr(path, '.');
        if (strcmp(dot, ".h") != 0 || is_table(path))
            continue;
        char *header = text_of("%s/%s", root, path),
             *source = text_of("%s/%.*s.c", root, (int)(dot - path), path);
        char *declared = bare_text(header),
             *defined = file_exists(source) ? bare_text(source) : text_of("%s", "");
        Manual manual = { .header = path, .source = defined };
        each_function(declared, check_manual, &manual);
        count += manual.count;
        free(header);
        free(source);
        free(declared);
        free(defined);
    }
    assert_true(count > 150);
    file_list_free(&list);
    free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_files_call_each_other_in_a_circle),
                                        cmocka_unit_test(
                                            headers_declare_what_their_sources_define) };
    return cmocka_run_group_tests_name("circles", tests, NULL, NULL);
}
