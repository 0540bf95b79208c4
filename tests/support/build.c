#define _POSIX_C_SOURCE 200809L
#include "build.h"

#include "cases.h"
#include "files.h"
#include "process.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool machine_has(const char *target)
{
    bool has = strcmp(target, "c") == 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (strcmp(target, "x86-64-v2") == 0)
        has = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    if (strcmp(target, "x86-64-v3") == 0)
        has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
              && __builtin_cpu_supports("bmi2");
    if (strcmp(target, "x86-64-v4") == 0)
        has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
              && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
              && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    has = has || strcmp(target, "aarch64") == 0;
#endif
    return has;
}

/* What stands between `before` and the next closing parenthesis; to be freed. */
static char *between(const char *text, const char *before)
{
    const char *p = strstr(text, before);
    if (!p)
        fail_msg("the emitted CMakeLists.txt has no %s", before);
    p += strlen(before);
    return text_of("%.*s", (int)strcspn(p, ")"), p);
}

char *emitted_flags(const char *folder)
{
    char *path = text_of("%s/net/CMakeLists.txt", folder);
    char *text = file_read(path, NULL);
    char *target = between(text, "set(TARGET_FLAGS"), *model = between(text, "set(KERNEL_FLAGS");
    char *flags = text_of("%s %s", target, model);
    free(path);
    free(text);
    free(target);
    free(model);
    return flags;
}

static bool wants_openblas(const char *folder)
{
    char *path = text_of("%s/net/CMakeLists.txt", folder), *text = file_read(path, NULL);
    bool wants = strstr(text, "caec_find_openblas()") != NULL;
    free(path);
    free(text);
    return wants;
}

static const char *real_name(void)
{
    return sizeof(real) == sizeof(double) ? "double" : "float";
}

static void emit(const char *graph, const char *options, const char *folder)
{
    char *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --no-runtime --real %s %s", real_name(),
                             options);
    want_exit(&result, 0);
    result_free(&result);
    free(path);
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static void add_source(char **sources, const char *source)
{
    char *longer = text_of("%s %s", *sources, source);
    free(*sources);
    *sources = longer;
}

char *emitted_sources(const char *folder)
{
    FileList list = files_below(folder);
    char *sources = text_of("%s", "");
    for (int i = 0; i < list.count; i++)
        if (ends_in(list.path[i], ".c"))
            add_source(&sources, list.path[i]);
    file_list_free(&list);
    return sources;
}

/* The functions of a file that no other file sees: their names, each ended by a blank. */
static char *static_names(const char *path)
{
    char *text = file_read(path, NULL), *names = text_of("%s", "");
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t end = strcspn(line, "(=;\n"), start = end;
        if (strncmp(line, "static ", 7) != 0 || line[end] != '(')
            continue;
        while (start > 0 && (isalnum((unsigned char)line[start - 1]) || line[start - 1] == '_'))
            start--;
        char *longer = text_of("%s%.*s ", names, (int)(end - start), line + start);
        free(names);
        names = longer;
    }
    free(text);
    return names;
}

/* Lines that end a source's own macros, which another may define anew. */
static void undefine_macros(FILE *f, const char *path)
{
    static const char word[] = "\n#define ";
    char *text = file_read(path, NULL);
    for (const char *p = text; (p = strstr(p, word)) != NULL;) {
        p += strlen(word);
        fprintf(f, "#undef %.*s\n", (int)strcspn(p, " (\n"), p);
    }
    free(text);
}

/* A line that includes a source, under names of its own for what the source keeps to itself. */
static void include_source(FILE *f, const char *folder, const char *source, int number)
{
    char *path = text_of("%s/%s", folder, source), *names = static_names(path), *rest = NULL,
         *again = text_of("%s", names);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        fprintf(f, "#define %s %s_%d\n", name, name, number);
    fprintf(f, "#include \"%s\"\n", source);
    for (char *name = strtok_r(again, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        fprintf(f, "#undef %s\n", name);
    undefine_macros(f, path);
    free(path);
    free(names);
    free(again);
}

char *merged_sources(const char *folder)
{
    FileList list = files_below(folder);
    char *path = text_of("%s/merged.c", folder);
    FILE *merged = fopen(path, "w");
    assert_non_null(merged);
    for (int i = 0; i < list.count; i++) {
        const char *source = list.path[i];
        if (ends_in(source, ".c") && strcmp(source, "net/net.c") != 0
            && strcmp(source, "merged.c") != 0)
            include_source(merged, folder, source, i);
    }
    free(path);
    path = text_of("%s/net/net.c", folder);
    if (file_exists(path))
        fprintf(merged, "#include \"net/net.c\"\n");
    fclose(merged);
    free(path);
    file_list_free(&list);
    return text_of(" merged.c");
}

/* What takes the time is compiling. Optimized code runs where it is as users have it: in whole
   programs (tests/whole, tests/reference: -O3, warnings are errors) and in random graphs at -O3. */
static const char *optimization(void)
{
    return "-O0";
}

static void compile(const char *graph, const char *options, const char *folder, bool merged,
                    const char *optimize, const char *more)
{
    const char *given = getenv("CAEC_OPTIMIZE");
    emit(graph, options, folder);
    char *flags = emitted_flags(folder),
         *sources = merged ? merged_sources(folder) : emitted_sources(folder);
    Result result = run(
        folder,
        "%s -std=c11 %s %s -Wall -Wextra -Wshadow -Werror -DCAEC_REAL=%s -I%s -Inet -I. %s %s%s "
        "-lm",
        c_compiler(), given ? given : optimize, flags, real_name(), runtime_folder(), sources, more,
        wants_openblas(folder) ? " -lopenblas" : "");
    want_exit(&result, 0);
    result_free(&result);
    free(flags);
    free(sources);
}

static Built build(const char *graph, const char *options, bool merged, const char *optimize)
{
    Built built = { .folder = folder_new() };
    compile(graph, options, built.folder, merged, optimize, "-fPIC -shared -o net.so");
    char *path = text_of("%s/net.so", built.folder);
    built.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!built.library)
        fail_msg("%s", dlerror());
    built.model = dlsym(built.library, "caec_model");
    assert_non_null(built.model);
    free(path);
    return built;
}

Built build_model(const char *graph, const char *options)
{
    return build(graph, options, false, optimization());
}

Built build_model_merged(const char *graph, const char *options)
{
    return build(graph, options, true, optimization());
}

Built build_model_unoptimized(const char *graph, const char *options)
{
    return build(graph, options, true, "-O0");
}

char *build_program(const char *graph, const char *options, const char *driver, const char *flags,
                    const char *folder)
{
    char *more = text_of("%s %s -o program", driver, flags);
    compile(graph, options, folder, false, optimization(), more);
    free(more);
    return text_of("%s/program", folder);
}

char *build_program_merged(const char *graph, const char *options, const char *driver,
                           const char *flags, const char *folder)
{
    char *more = text_of("%s %s -o program", driver, flags);
    compile(graph, options, folder, true, optimization(), more);
    free(more);
    return text_of("%s/program", folder);
}

void built_free(Built *built)
{
    if (built->library)
        dlclose(built->library);
    folder_remove(built->folder);
    *built = (Built){ 0 };
}
