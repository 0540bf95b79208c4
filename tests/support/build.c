#define _POSIX_C_SOURCE 200809L
#include "build.h"

#include "cases.h"
#include "files.h"
#include "process.h"

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
        has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (strcmp(target, "x86-64-v4") == 0)
        has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
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
    Result result = run_caec(folder, "net.lua -o . --no-runtime --real %s %s", real_name(), options);
    want_exit(&result, 0);
    result_free(&result);
    free(path);
}

char *emitted_sources(const char *folder)
{
    FileList list = files_below(folder);
    char *sources = text_of("%s", "");
    for (int i = 0; i < list.count; i++) {
        size_t n = strlen(list.path[i]);
        if (n < 2 || strcmp(list.path[i] + n - 2, ".c") != 0)
            continue;
        char *longer = text_of("%s %s", sources, list.path[i]);
        free(sources);
        sources = longer;
    }
    file_list_free(&list);
    return sources;
}

static void compile(const char *graph, const char *options, const char *folder, const char *more)
{
    emit(graph, options, folder);
    char *flags = emitted_flags(folder), *sources = emitted_sources(folder);
    Result result = run(folder, "%s -std=c11 -O1 %s -Wall -Wextra -Wshadow -Werror -DCAEC_REAL=%s -I%s -Inet %s %s%s -lm", c_compiler(), flags,
                        real_name(), runtime_folder(), sources, more, wants_openblas(folder) ? " -lopenblas" : "");
    want_exit(&result, 0);
    result_free(&result);
    free(flags);
    free(sources);
}

Built build_model(const char *graph, const char *options)
{
    Built built = { .folder = folder_new() };
    compile(graph, options, built.folder, "-fPIC -shared -o net.so");
    char *path = text_of("%s/net.so", built.folder);
    built.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!built.library)
        fail_msg("%s", dlerror());
    built.model = dlsym(built.library, "caec_model");
    assert_non_null(built.model);
    free(path);
    return built;
}

char *build_program(const char *graph, const char *options, const char *driver, const char *flags, const char *folder)
{
    char *more = text_of("%s/tests/support/%s %s -o program", project_folder(), driver, flags);
    compile(graph, options, folder, more);
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
