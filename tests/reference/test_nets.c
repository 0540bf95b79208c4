/* Whole programs against PyTorch in float64: for each network of nets.txt `NET-train verify` must
 * find forward, losses, gradients and Adam's updates within its bounds. References in nets/ need
 * nothing more; the others are made by $CAEC_SHARED/oracle/oracle.py, where there is one and
 * PyTorch. */
#define _POSIX_C_SOURCE 200809L
#include "build.h"
#include "cases.h"
#include "files.h"
#include "model.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

static const char target[] = "x86-64-v3";

/* As users compile it, each source by itself at -O3, since compilers err there alone (see
   want_no_masks()). Programs in double are for proofs, and under a sanitizer GCC takes its checks
   for reasons to warn of bounds: these are compiled as one, in a third of the time. */
static bool as_users_do(void)
{
    return sizeof(real) == sizeof(float) && !strstr(TEST_SANITIZE, "sanitize");
}

static const char *optimize(void)
{
    return as_users_do() ? "-O3" : "-O0";
}

/* Every second network: the others, of the same words, are compiled as one at -O1, in a third of
   the time. */
static bool next_as_users_do(void)
{
    static int networks;
    return as_users_do() && networks++ % 2 == 0;
}

/* What all programs have in common besides the library, compiled once, with the flags of the first
   network: a folder of objects. */
static char *runtime;
static const char *const parts[] = { "main_train",     "compute/clip",      "compute/finite",
                                     "compute/groups", "compute/optimizer", "compute/peak" };

static void compile_runtime(const char *graph)
{
    runtime = folder_new();
    char *path = text_of("%s/net.lua", runtime);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(runtime, "net.lua -o . --no-runtime --target %s", target);
    want_exit(&result, 0);
    result_free(&result);
    char *flags = emitted_flags(runtime), *sources = text_of("%s", "");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char *more = text_of("%s %s/%s.c", sources, runtime_folder(), parts[i]);
        free(sources);
        sources = more;
    }
    result = run(runtime, "%s -std=c11 %s %s -fopenmp -DCAEC_REAL=%s -I%s %s -c%s", c_compiler(),
                 optimize(), flags, sizeof(real) == 8 ? "double" : "float", runtime_folder(),
                 TEST_SANITIZE, sources);
    want_exit(&result, 0);
    result_free(&result);
    free(path);
    free(flags);
    free(sources);
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(runtime);
    return 0;
}

/* No emitted loop loads under a condition. Where GCC 12 takes such a loop apart and puts it
   together as one group of vectors (`value[i] > 0 ? dy[i] : 0` for 9 to 16 values in a function
   that is inlined), it loads all of them under the mask of the first: wrong gradients, at -O3
   alone. A load under a condition is a masked load in AVX2, so the program must have none.
   tests/kernels/test_masked.c looks at more networks. */
static void want_no_masks(const char *folder)
{
    Result result = run_words(
        folder, (const char *const[]){ "sh", "-c",
                                       "objdump -d --no-show-raw-insn program >code && "
                                       "grep -q 'vfmadd.*ymm' code && ! grep -m 3 maskmov code",
                                       NULL });
    want_exit(&result, 0);
    result_free(&result);
}

static void verify(const char *name, const char *graph, const char *reference)
{
    char *folder = folder_new();
    char *options = text_of("--target %s", target);
    if (!runtime)
        compile_runtime(graph);
    const bool whole = next_as_users_do();
    char *flags = text_of(
        "%s %s/clip.o %s/finite.o %s/groups.o %s/optimizer.o %s/peak.o %s %s -fopenmp -ljpeg -lpng "
        "-lz -ljansson"
        " -lpthread",
        as_users_do() && !whole ? "-O1" : optimize(), runtime, runtime, runtime, runtime, runtime,
        TEST_RUNTIME_LIBRARY, TEST_SANITIZE);
    print_message("%s\n", name);
    char *main_object = text_of("%s/main_train.o", runtime);
    char *program = (whole ? build_program : build_program_merged)(graph, options, main_object,
                                                                   flags, folder);
    free(main_object);
    Result result = run(folder, "%s verify %s", program, reference);
    if (result.exit_code != 0)
        print_message("%s%s", graph, result.out);
    want_exit(&result, 0);
    result_free(&result);
    if (whole)
        want_no_masks(folder);
    free(program);
    free(flags);
    free(options);
    folder_remove(folder);
}

/* Calls f for each network of the list, its name and its description apart. Returns how many there
   are. */
static int each_net(void (*f)(const char *name, const char *spec))
{
    char *path = text_of("%s/tests/reference/nets.txt", project_folder()),
         *list = file_read(path, NULL), *rest = list;
    int count = 0;
    for (char *line; (line = strtok_r(rest, "\n", &rest));) {
        char *space = strchr(line, ' ');
        if (*line == '#')
            continue;
        assert_non_null(space);
        *space = 0;
        f(line, space + 1);
        count++;
    }
    free(path);
    free(list);
    return count;
}

static char *kept_path(const char *name, const char *ending)
{
    return text_of("%s/tests/reference/nets/%s.%s", project_folder(), name, ending);
}

static bool is_kept(const char *name)
{
    char *path = kept_path(name, "safetensors");
    bool kept = file_exists(path);
    free(path);
    return kept;
}

static int kept;

static void verify_kept(const char *name, const char *spec)
{
    (void)spec;
    if (!is_kept(name))
        return;
    char *lua = kept_path(name, "lua"), *reference = kept_path(name, "safetensors"),
         *graph = file_read(lua, NULL);
    verify(name, graph, reference);
    kept++;
    free(lua);
    free(reference);
    free(graph);
}

static void kept_references(void **state)
{
    (void)state;
    each_net(verify_kept);
    assert_true(kept >= 10);
}

static char *made; /* folder of the references made here */

static bool make(const char *name, const char *spec)
{
    const char *shared = getenv("CAEC_SHARED");
    char *script = text_of("%s/oracle/oracle.py", shared ? shared : "");
    bool ok = shared && file_exists(script) && file_exists("/usr/bin/python3");
    if (ok) {
        Result result = run(made, "/usr/bin/python3 %s net %s.safetensors %s.lua %s", script, name,
                            name, spec);
        ok = result.exit_code == 0 || !strstr(result.err, "ModuleNotFoundError");
        if (ok)
            want_exit(&result, 0);
        result_free(&result);
    }
    free(script);
    return ok;
}

static void verify_made(const char *name, const char *spec)
{
    if (is_kept(name))
        return;
    if (!make(name, spec)) {
        print_message("no oracle: CAEC_SHARED is not set or has none, or python3 has no torch\n");
        folder_remove(made);
        skip();
    }
    char *lua = text_of("%s/%s.lua", made, name),
         *reference = text_of("%s/%s.safetensors", made, name), *graph = file_read(lua, NULL);
    verify(name, graph, reference);
    free(lua);
    free(reference);
    free(graph);
}

static void references_made_here(void **state)
{
    (void)state;
    made = folder_new();
    int count = each_net(verify_made);
    folder_remove(made);
    assert_true(count >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(kept_references),
                                        cmocka_unit_test(references_made_here) };
    return cmocka_run_group_tests_name("reference nets", tests, NULL, tear_down);
}
