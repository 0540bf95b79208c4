/* Emitted C is judged as written C: lines that fit, no dead text, and no include but the model's
   own files, model.h and the C library's. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 120 };

/* What a person would not have written. */
static const char *const dead[] = {
    "\\* 1([^0-9.a-zA-Z_]|$)",
    "(^|[^0-9.a-zA-Z_])1 \\* ",
    "\\* 0([^0-9.a-zA-Z_]|$)",
    "(^|[^0-9.a-zA-Z_])0 \\* ",
    "[^=(,&|<>] [+-] 0([^0-9.a-zA-Z_]|$)",
    "(^|[^0-9.a-zA-Z_])0 \\+ ",
    " / 1([^0-9.a-zA-Z_]|$)",
    "% 1([^0-9.a-zA-Z_]|$)",
    "(if|while) \\([01]\\)",
    " $",
    "\t",
    "[^;];;",
    "\\{ *\\}",
};
enum { DEAD = sizeof dead / sizeof dead[0] };

static regex_t compiled[DEAD];

static int compile_patterns(void **state)
{
    (void)state;
    for (int i = 0; i < DEAD; i++)
        if (regcomp(&compiled[i], dead[i], REG_EXTENDED | REG_NOSUB) != 0)
            return -1;
    return 0;
}

static int free_patterns(void **state)
{
    (void)state;
    for (int i = 0; i < DEAD; i++)
        regfree(&compiled[i]);
    return 0;
}

/* The includes of emitted code. */
static bool may_include(const char *line, const char *model)
{
    char own[64], kernels[64], functions[64];
    snprintf(own, sizeof own, "#include \"%s.h\"", model);
    snprintf(kernels, sizeof kernels, "#include \"%s_kernels.h\"", model);
    snprintf(functions, sizeof functions, "#include \"%s_math.h\"", model);
    const char *const lines[] = { own,
                                  kernels,
                                  functions,
                                  "#include \"model.h\"",
                                  "#include <math.h>",
                                  "#include <stddef.h>",
                                  "#include <stdint.h>" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i], line) == 0)
            return true;
    return false;
}

static int wrong_lines; /* all are shown before the test fails */

static void complain(const char *what, const char *file, int number, const char *line)
{
    if (wrong_lines++ < 40)
        print_message("%s:%d: %s: %.160s\n", file, number, what, line);
}

/* Puts letters in the place of comments, whose words and numbers are prose; `open` says whether one
   goes on from line to line. */
static void drop_comments(char *line, bool *open)
{
    for (char *p = line; *p; p++) {
        if (!*open && strncmp(p, "/*", 2) == 0)
            *open = true;
        if (*open && strncmp(p, "*/", 2) == 0) {
            *open = false;
            p[0] = p[1] = 'c';
            p++;
        } else if (*open) {
            *p = 'c';
        }
    }
}

static void check_line(const char *file, const char *model, int number, char *line, bool *open)
{
    if (strlen(line) > COLUMNS)
        complain("too long", file, number, line);
    if (strncmp(line, "#include", 8) == 0 && !may_include(line, model))
        complain("includes what it may not", file, number, line);
    char *code = text_of("%s", line);
    drop_comments(code, open);
    for (int i = 0; i < DEAD; i++)
        if (regexec(&compiled[i], code, 0, NULL, 0) == 0)
            complain(dead[i], file, number, line);
    free(code);
}

static void check_file(const char *path, const char *file, const char *model)
{
    char *text = file_read(path, NULL);
    int number = 1;
    bool open = false; /* inside a comment */
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        *end = 0;
        check_line(file, model, number, line, &open);
    }
    free(text);
}

/* README.md names the functions that the folder has of its own; erf is there where it is called. */
static void check_functions(const char *out, const char *readme, const char *file)
{
    char *path = text_of("%s/%s", out, file), *text = file_read(path, NULL);
    if (!strstr(text, " erff(") != !strstr(readme, ", erf"))
        complain("does not tell of erf as it is", "README.md", 0, file);
    free(path);
    free(text);
}

/* The folder's README.md says of every other file what is in it. */
static void check_readme(const char *out, const FileList *list)
{
    char *path = text_of("%s/README.md", out), *text = file_read(path, NULL);
    for (int i = 0; i < list->count; i++) {
        char *row = text_of("| `%s` |", list->path[i]);
        if (strcmp(list->path[i], "README.md") != 0 && !strstr(text, row))
            complain("says nothing of", "README.md", 0, list->path[i]);
        if (strstr(list->path[i], "_math.h"))
            check_functions(out, text, list->path[i]);
        free(row);
    }
    free(path);
    free(text);
}

static void check_model(const char *graph_folder, const char *graph, const char *model,
                        const char *options)
{
    char *folder = folder_new(), *out = text_of("%s/%s", folder, model);
    Result result = run_caec(graph_folder, "%s -o %s --no-runtime %s", graph, folder, options);
    print_message("%s %s\n", graph, options);
    want_exit(&result, 0);
    FileList list = files_below(out);
    for (int i = 0; i < list.count; i++) {
        char *path = text_of("%s/%s", out, list.path[i]);
        if (strstr(list.path[i], ".c") || strstr(list.path[i], ".h"))
            check_file(path, list.path[i], model);
        free(path);
    }
    assert_true(list.count > 5);
    check_readme(out, &list);
    file_list_free(&list);
    result_free(&result);
    free(out);
    folder_remove(folder);
}

static const char *const options[] = { "--target x86-64-v4", "--target x86-64-v3",
                                       "--target c --real double" };
enum { OPTIONS = sizeof options / sizeof options[0] };

static void of_the_networks_in_graphs(void **state)
{
    (void)state;
    char *folder = text_of("%s/graphs", project_folder());
    FileList list = files_below(folder);
    wrong_lines = 0;
    for (int i = 0; i < list.count; i++) {
        char *model = text_of("%.*s", (int)strcspn(list.path[i], "."), list.path[i]);
        for (int k = 0; k < OPTIONS; k++)
            if (strstr(list.path[i], ".lua"))
                check_model(folder, list.path[i], model, options[k]);
        free(model);
    }
    if (wrong_lines)
        fail_msg("%d lines that nobody would have written", wrong_lines);
    file_list_free(&list);
    free(folder);
}

/* Numbers that invite it: kernels and strides of 1, one channel, one pixel, one of everything. */
static void of_networks_with_ones(void **state)
{
    (void)state;
    static const char *const graphs[] = {
        "return autoencoder \"net\" { input = { 1, 1, 1 }, encoder = sequential \"e\" { conv2d { "
        "filters = 1, kernel = 1 } },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 1, kernel = 1, activation = \"relu\" } "
        "} }\n",
        "return autoencoder \"net\" { input = { 8, 1, 1 }, encoder = sequential \"e\" { conv2d { "
        "filters = 3, kernel = 3, use_bias = false },\n"
        "  max_pool2d { size = 1 } }, decoder = sequential \"d\" { upsample2d { size = 1 }, conv2d "
        "{ filters = 1, kernel = 2, stride = 1 }, tanh {} } }\n",
        "return autoencoder \"net\" { input = { 12, 18, 2 }, encoder = sequential \"e\" { conv2d { "
        "filters = 17, kernel = 1, stride = 2 }, max_pool2d { size = 3 },\n"
        "  leaky_relu { slope = 1 } }, decoder = sequential \"d\" { upsample2d { size = 6 }, "
        "conv2d { filters = 2, kernel = 5, activation = \"gelu\" } } }\n",
        "return autoencoder \"net\" { input = { 9, 9, 3 }, encoder = sequential \"e\" { conv2d { "
        "filters = 8, kernel = 3, padding = \"valid\" }, relu {} },\n"
        "  decoder = sequential \"d\" { upsample2d { size = 9 }, conv2d { filters = 3, kernel = 7, "
        "stride = 7 }, leaky_relu { slope = 0 } } }\n",
    };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    static const char *const kernels[] = {
        "", "--kernel e.conv1=conv_plain --kernel d.conv1=conv_plain",
        "--kernel e.conv1=conv_direct --kernel d.conv1=conv_direct"
    };
    wrong_lines = 0;
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        file_write(path, graphs[i], strlen(graphs[i]));
        for (int k = 0; k < OPTIONS * 3; k++) {
            char *all = text_of("%s %s", options[k % OPTIONS], kernels[k / OPTIONS]);
            check_model(folder, "net.lua", "net", all);
            free(all);
        }
    }
    if (wrong_lines)
        fail_msg("%d lines that nobody would have written", wrong_lines);
    free(path);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_the_networks_in_graphs),
                                        cmocka_unit_test(of_networks_with_ones) };
    return cmocka_run_group_tests_name("text", tests, compile_patterns, free_patterns);
}
