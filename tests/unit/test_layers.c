/* The rooms of the house: what a file may include. The include graph is read from the sources and
   held against the lists below. */
#include "cases.h"
#include "files.h"

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
    { "ops", { "ops.def", "elementwise.def", "ops.h", "layer.h", "elementwise.h" } },
    { "front",
      { "names.h", "source.h", "edit_distance.h", "other_words.h", "suggest.h", "words.h",
        "arguments.h", "losses.h", "training.h", "references.h", "stages.h", "loader.h",
        "layer_names.h", "script.h", "layers.h", "load.h", "sample_numbers.h", "sample.h",
        "trained.h" } },
    { "passes", { "copies.h", "passes.h", "pipeline.h" } },
    { "packing", { "codes.h", "packings.def", "packing.h", "stored.h", "points.h" } },
    { "kernels", { "kernels.def", "kernel.h", "conv.h", "depthwise.h", "dense.h", "pixels.h" } },
    { "program",
      { "tuning.h", "terms.h", "plan.h", "choose.h", "stream.h", "functions.h", "memory.h",
        "microbatch.h", "training.h", "assemble.h", "spans.h", "checker.h", "check_lives.h",
        "check_values.h", "check_calls.h", "check_stream.h", "check.h", "print.h" } },
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

/* Headers that no other room includes. */
static const char *const private_headers[] = { "ops/layer.h", "ops/elementwise.h" };

static bool is_private(const char *target)
{
    bool found = false;
    for (size_t i = 0; i < sizeof private_headers / sizeof private_headers[0]; i++)
        found = found || strcmp(target, private_headers[i]) == 0;
    return found;
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
    if (to != from && is_private(target))
        fail_msg("compiler/%s must not include %s: it is for its own room", path, included);
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
                                        cmocka_unit_test(the_runtime_stands_alone),
                                        cmocka_unit_test(jumps_lose_nothing) };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
