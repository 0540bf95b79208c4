/* The rooms of the house: what a file may include. The include graph is read from the sources and
   held against the lists below. */
#include "cases.h"
#include "files.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the ground up; a file includes its own header, headers of rooms above it in this list, and
   those named earlier in its own room's line. Of a room with folders, none of them includes what
   is in another. */
enum { HEADERS = 20 };
static const struct Room {
    const char *name;
    const char *headers[HEADERS + 1];
} rooms[] = {
    { "base",
      { "arena.h", "table.h", "excerpt.h", "diag.h", "signals.h", "text.h", "files.h", "manifest.h",
        "swap.h", "folder.h", "embedded.h", "lua.h" } },
    { "ir", { "native.h", "target.h", "graph.h", "print.h", "dot.h", "check.h" } },
    { "ops", { "ops.def", "elementwise.def", "ops.h", "elementwise.h" } },
    { "front",
      { "names.h", "source.h", "edit_distance.h", "suggest.h", "words.h", "arguments.h",
        "training.h", "references.h", "stages.h", "loader.h", "layer_names.h", "script.h",
        "layers.h", "load.h", "sample_numbers.h", "sample.h", "trained.h" } },
    { "passes", { "copies.h", "passes.h", "pipeline.h" } },
    { "packing", { "codes.h", "packings.def", "packing.h", "stored.h", "points.h" } },
    { "kernels", { "kernels.def", "kernel.h", "conv.h", "dense.h" } },
    { "program",
      { "tuning.h", "plan.h", "choose.h", "stream.h", "functions.h", "memory.h", "microbatch.h",
        "training.h", "assemble.h", "spans.h", "checker.h", "check_lives.h", "check_values.h",
        "check_calls.h", "check_stream.h", "check.h", "print.h" } },
    { "budget",
      { "savings.h", "variants.h", "draft.h", "candidates.h", "search.h", "limit.h", "report.h",
        "make.h" } },
    { "emit",
      { "holes.h", "summary.h", "emit_options.h", "emit.h", "programs.h", "emitter.h",
        "library_weights.h", "library.h", "model.h" } },
    { "tune", { "scratch.h", "tune.h" } },
    { "command",
      { "list.h", "option_table.h", "option_values.h", "combination.h", "options.h", "expand.h" } },
    { "main", { NULL } },
};
enum { ROOMS = sizeof rooms / sizeof rooms[0] };

static int room_of(const char *path)
{
    for (int i = 0; i < ROOMS; i++) {
        size_t n = strlen(rooms[i].name);
        if (strncmp(path, rooms[i].name, n) == 0
            && (path[n] == '/' || (path[n] == '.' && i == ROOMS - 1)))
            return i;
    }
    return -1;
}

/* Place in the room's line; -1: it is not there. */
static int place_in_room(int room, const char *file)
{
    for (int i = 0; rooms[room].headers[i]; i++)
        if (strcmp(rooms[room].headers[i], file) == 0)
            return i;
    return -1;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Place of a file, or of its own header; -1: a source without one. */
static int place_of_file(int room, const char *file)
{
    int place = place_in_room(room, file);
    char *header = text_of("%.*s.h", (int)strcspn(file, "."), file);
    if (place < 0)
        place = place_in_room(room, header);
    free(header);
    return place;
}

static bool is_own_header(const char *path, const char *included)
{
    const char *file = base_name(path);
    size_t n = strcspn(file, ".");
    return strlen(included) == n + 2 && strncmp(file, included, n) == 0
           && strcmp(included + n, ".h") == 0;
}

/* Calls `check` for every #include "..." of a text. Returns their number. */
static int each_include(const char *path, const char *text,
                        void (*check)(const char *path, const char *included))
{
    int count = 0;
    for (const char *p = text; (p = strstr(p, "#include \"")) != NULL; count++) {
        p += strlen("#include \"");
        char *included = text_of("%.*s", (int)strcspn(p, "\""), p);
        check(path, included);
        free(included);
    }
    return count;
}

/* The one room of the runtime that some here may use: files of weights, and what is printed. */
static bool is_of_formats(const char *path, const char *included)
{
    const char *up = strchr(path, '/') ? "../../runtime/formats/" : "../runtime/formats/";
    const char *const users[] = { "base/", "front/", "command/", "main." };
    for (int i = 0; i < 4; i++)
        if (strncmp(path, users[i], strlen(users[i])) == 0)
            return strncmp(included, up, strlen(up)) == 0;
    return false;
}

/* The path below compiler/ that a file there includes; the caller frees it. */
static char *path_of_include(const char *path, const char *included)
{
    int folder = (int)(base_name(path) - path);
    while (strncmp(included, "../", 3) == 0 && folder > 0) {
        included += 3;
        for (folder--; folder > 0 && path[folder - 1] != '/'; folder--)
            ;
    }
    return text_of("%.*s%s", folder, path, included);
}

static bool same_folder(const char *a, const char *b)
{
    size_t n = (size_t)(base_name(a) - a);
    return n == (size_t)(base_name(b) - b) && strncmp(a, b, n) == 0;
}

/* "kernels/conv/conv.h" is, "kernels/kernel.h" is not. */
static bool is_in_subfolder(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash && strchr(slash + 1, '/');
}

static void check_compiler_include(const char *path, const char *included)
{
    if (is_of_formats(path, included))
        return;
    char *target = path_of_include(path, included);
    int from = room_of(path), to = room_of(target);
    const char *header = base_name(target);
    if (to < 0 || place_in_room(to, header) < 0)
        fail_msg("compiler/%s includes %s, which is in no list", path, included);
    int own = place_of_file(from, base_name(path)), other = place_in_room(to, header);
    bool same_room = to == from && (own < 0 || other < own);
    if (!(to < from || same_room || is_own_header(path, header)))
        fail_msg("compiler/%s must not include %s: it stands %s", path, included,
                 to == from ? "later in its own room" : "in a room below");
    if (to == from && is_in_subfolder(target) && !same_folder(path, target))
        fail_msg("compiler/%s must not include %s: that is another folder's", path, included);
    free(target);
}

static bool is_c(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0 || strcmp(dot, ".def") == 0);
}

static int check_folder(const char *folder, void (*check)(const char *path, const char *included))
{
    char *root = text_of("%s/%s", project_folder(), folder);
    FileList list = files_below(root);
    int count = 0;
    for (int i = 0; i < list.count; i++) {
        if (!is_c(list.path[i]))
            continue;
        char *path = text_of("%s/%s", root, list.path[i]), *text = file_read(path, NULL);
        count += each_include(list.path[i], text, check);
        free(path);
        free(text);
    }
    file_list_free(&list);
    free(root);
    return count;
}

static void the_compiler_keeps_to_its_rooms(void **state)
{
    (void)state;
    char *root = text_of("%s/compiler", project_folder());
    FileList list = files_below(root);
    for (int i = 0; i < list.count; i++)
        if (is_c(list.path[i]) && room_of(list.path[i]) < 0)
            fail_msg("compiler/%s is in no room", list.path[i]);
    for (int i = 0; i < list.count; i++)
        if (strcmp(strrchr(list.path[i], '.'), ".h") == 0
            && place_in_room(room_of(list.path[i]), base_name(list.path[i])) < 0)
            fail_msg("compiler/%s is in no list", list.path[i]);
    file_list_free(&list);
    free(root);
    assert_true(check_folder("compiler", check_compiler_include) > 50);
}

enum { FOLDER_FILES = 20 };

/* What is in one folder can be read as one list. */
static void folders_of_kernels_are_small(void **state)
{
    (void)state;
    static const char *const rooms_of_many[] = { "kernels", "packing" };
    int folders = 0;
    for (int r = 0; r < 2; r++) {
        char *root = text_of("%s/compiler/%s", project_folder(), rooms_of_many[r]);
        FileList list = files_below(root);
        for (int i = 0; i < list.count; i++) {
            int files = 0, first = i;
            for (int k = 0; k < list.count; k++) {
                files += same_folder(list.path[i], list.path[k]);
                first = k < first && same_folder(list.path[i], list.path[k]) ? k : first;
            }
            folders += first == i;
            if (files > FOLDER_FILES)
                fail_msg("compiler/%s: %d files lie beside %s; at most %d do", rooms_of_many[r],
                         files, list.path[i], FOLDER_FILES);
        }
        file_list_free(&list);
        free(root);
    }
    assert_true(folders >= 6);
}

/* Templates are named by their file names alone: the path of one, NULL: there is none. */
static const char *template_path(const FileList *list, const char *name, size_t n)
{
    for (int i = 0; i < list->count; i++) {
        const char *base = base_name(list->path[i]);
        if (strncmp(base, name, n) == 0 && base[n] == 0)
            return list->path[i];
    }
    return NULL;
}

/* Fragments stand in the template's own folder, in fragments/ of its room, or in a room above. */
static int check_template(const FileList *list, const char *path, const char *text)
{
    int count = 0;
    for (const char *p = text; (p = strstr(p, "%include ")) != NULL; count++) {
        p += strlen("%include ");
        const size_t n = strcspn(p, "\n");
        const char *target = template_path(list, p, n);
        if (!target)
            fail_msg("compiler/%s includes %.*s, which is nowhere", path, (int)n, p);
        const int from = room_of(path), to = room_of(target);
        if (to > from
            || (to == from && !same_folder(path, target) && !strstr(target, "/fragments/")))
            fail_msg("compiler/%s must not include %s", path, target);
    }
    return count;
}

static void templates_keep_to_their_rooms(void **state)
{
    (void)state;
    char *root = text_of("%s/compiler", project_folder());
    FileList list = files_below(root);
    int count = 0;
    for (int i = 0; i < list.count; i++) {
        const char *dot = strrchr(list.path[i], '.');
        if (!dot || strcmp(dot, ".in") != 0)
            continue;
        char *path = text_of("%s/%s", root, list.path[i]), *text = file_read(path, NULL);
        count += check_template(&list, list.path[i], text);
        free(path);
        free(text);
    }
    file_list_free(&list);
    free(root);
    assert_true(count > 40);
}

/* ---- circles ---- */

/* Of each source of the compiler: its text without comments, strings and directives; and who calls
   whom. A function with external linkage is found by its name, which no two sources share. */
typedef struct Sources {
    FileList list;
    char **text;
    bool *calls; /* [caller * count + called] */
} Sources;

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

/* A header is the manual of its own source. In these rooms headers are tables of
   what stands in many files. */
static const char *const rooms_of_tables[] = { "ops", "passes", "packing", "kernels" };

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
        bool table = strcmp(dot, ".h") != 0;
        for (int k = 0; k < 4; k++)
            table = table || strcmp(rooms[room_of(path)].name, rooms_of_tables[k]) == 0;
        if (table)
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

/* The runtime's rooms, from the ground up; "" holds what stands beside them: model.h, error and
   memory at the bottom, the mains above all. */
static const char *const runtime_rooms[] = { "formats/", "",       "images/", "data/",  "weights/",
                                             "compute/", "check/", "train/",  "infer/", "main_" };
enum { RUNTIME_ROOMS = sizeof runtime_rooms / sizeof runtime_rooms[0], GROUND = 1 };

static int runtime_room(const char *path)
{
    for (int i = 0; i < RUNTIME_ROOMS; i++)
        if (*runtime_rooms[i] && strncmp(path, runtime_rooms[i], strlen(runtime_rooms[i])) == 0)
            return i;
    return strchr(path, '/') ? -1 : GROUND;
}

/* The runtime stands alone: its includes are files of its own, of a room above or its own; formats
   know nobody, model.h includes nothing. */
static void check_runtime_include(const char *path, const char *included)
{
    const char *slash = strchr(path, '/'),
               *target = strncmp(included, "../", 3) == 0 ? included + 3 : included;
    int folder = slash ? (int)(slash - path) + 1 : 0;
    char *beside = text_of("%s/%.*s%s", runtime_folder(), folder, path, target),
         *from_root = text_of("%s/%s", runtime_folder(), target);
    bool own = file_exists(beside) && target == included;
    int from = runtime_room(path), to = own ? from : runtime_room(target);
    if (from < 0 || to < 0)
        fail_msg("runtime/%s or %s is in no room", path, included);
    if (!own && !file_exists(from_root))
        fail_msg("runtime/%s includes %s, which is not the runtime's", path, included);
    if (to > from || (from == 0 && to != 0))
        fail_msg("runtime/%s must not include %s: that room stands below", path, included);
    if (strcmp(path, "model.h") == 0)
        fail_msg("model.h includes %s: it is to stand alone", included);
    free(beside);
    free(from_root);
}

static void the_runtime_stands_alone(void **state)
{
    (void)state;
    assert_true(check_folder("runtime", check_runtime_include) > 30);
}

/* What a function stores in its locals between setjmp and the jump back is lost or not, as the
   compiler likes. So those that call it store nothing: all that changes lives in a caller. */
static void check_jumps(const char *path, const char *text)
{
    for (const char *at = strstr(text, "setjmp("); at; at = strstr(at + 1, "setjmp(")) {
        const char *start = at, *end = strstr(at, "\n}");
        while (start > text && strncmp(start, "\n{", 2) != 0)
            start--;
        for (const char *c = start; c < end; c++)
            if (*c == '=' && c[1] != '=' && !strchr("=!<>", c[-1]))
                fail_msg("runtime/%s: a function that calls setjmp stores: %.*s", path,
                         (int)(end - start), start);
    }
}

static void jumps_lose_nothing(void **state)
{
    (void)state;
    FileList list = files_below(runtime_folder());
    int jumps = 0;
    for (int i = 0; i < list.count; i++) {
        if (!is_c(list.path[i]))
            continue;
        char *path = text_of("%s/%s", runtime_folder(), list.path[i]),
             *text = file_read(path, NULL);
        check_jumps(list.path[i], text);
        jumps += strstr(text, "setjmp(") != NULL;
        free(path);
        free(text);
    }
    file_list_free(&list);
    assert_true(jumps >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_compiler_keeps_to_its_rooms),
                                        cmocka_unit_test(folders_of_kernels_are_small),
                                        cmocka_unit_test(templates_keep_to_their_rooms),
                                        cmocka_unit_test(no_files_call_each_other_in_a_circle),
                                        cmocka_unit_test(headers_declare_what_their_sources_define),
                                        cmocka_unit_test(the_runtime_stands_alone),
                                        cmocka_unit_test(jumps_lose_nothing) };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
