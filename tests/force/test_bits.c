/* The weights after training have the same bits on 1, 2, 3 and 8 threads, in every run, resumed
   after any step. Over gcc and clang, x86-64-v3 and v4, where all convolutions are conv_direct's
   and nothing else that a compiler can contract in two ways is in the network; else built with
   CAEC_CONTRACT=OFF. The last batch's size is no power of two, so that means of gradients are
   rounded. Environment: FORCE_ALL, not empty: networks of every operator, and of Winograd's
   convolutions, too. */
#define _POSIX_C_SOURCE 200809L
#include "force.h"
#include "sanitized.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 36, 1);
    pictures_write(folder, "val", 10, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void train(const char *program, const char *out, const char *options)
{
    Result result = run(folder, "%s --train train --val val --out %s %s", program, out, options);
    want_exit(&result, 0);
    result_free(&result);
}

static int files_equal; /* found so far */

static void want_same_weights(const char *a, const char *b)
{
    static const char *const files[] = { "last.safetensors", "best.safetensors" };
    for (int i = 0; i < 2; i++) {
        char *path_a = text_of("%s/%s", a, files[i]), *path_b = text_of("%s/%s", b, files[i]);
        if (!same_in(folder, path_a, path_b))
            fail_msg("%s and %s are not the same", path_a, path_b);
        files_equal++;
        free(path_a);
        free(path_b);
    }
}

/* What a sanitizer sees does not depend on their number. */
static void threads_and_runs(void **state)
{
    (void)state;
    static const char *const programs[] = { SMALL_TRAIN, NOISY_TRAIN, GREY_TRAIN, TIED_TRAIN };
    static const int threads[] = { 8, 3, 1, 2, 2 };
    int networks = 0, counts = 0, again = 0, before = files_equal;
    for (int p = 0; p < 4; p++, networks++)
        for (int i = 0; i < (SANITIZED ? 2 : 5); i++) {
            char *out = text_of("threads%d_%d", p, i), *first = text_of("threads%d_0", p),
                 *options = text_of("--batch 7 --epochs 2 --threads %d", threads[i]);
            train(programs[p], out, options);
            if (i > 0)
                want_same_weights(first, out);
            if (i > 0 && threads[i] == threads[i - 1])
                again++;
            else
                counts++;
            free(out);
            free(first);
            free(options);
        }
    printf(
        "%d networks: %d runs on other counts of threads than 8 and %d on the same count again had "
        "the bits of the first (%d files)\n",
        networks, counts - networks, again, files_equal - before);
}

/* Twelve updates, cut in two after each of them, or after each so many. */
static void resume_after_steps(const char *program, const char *name, int apart)
{
    int before = files_equal, steps = 0;
    char *uncut = text_of("%s_uncut", name);
    train(program, uncut, "--batch 7 --epochs 2 --mirror");
    for (int step = 1; step < 12; step += apart, steps++) {
        char *out = text_of("%s_cut%d", name, step),
             *options = text_of("--batch 7 --steps %d --mirror --threads %d", step, 1 + step % 3);
        train(program, out, options);
        train(program, out, "--resume --epochs 2");
        want_same_weights(uncut, out);
        free(out);
        free(options);
    }
    printf("%s: resumed after %d steps in turn, on 1 to 3 threads, it ended with the bits of the "
           "uncut run (%d files)\n",
           name, steps, files_equal - before);
    free(uncut);
}

static void resumed_after_any_step(void **state)
{
    (void)state;
    resume_after_steps(OTHER_TRAIN, "other", SANITIZED ? 5 : 1);
    resume_after_steps(TIED_TRAIN, "tied", 5);
}

/* ---- compilers and processors ---- */

static bool runs_here(const char *target)
{
    return strcmp(target, "x86-64-v4") != 0
           || (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
               && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"));
}

static bool is_installed(const char *compiler)
{
    char *text = text_of("echo 'int main(void){return 0;}' >try.c && %s -fopenmp try.c -o try",
                         compiler);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
    bool good = result.exit_code == 0;
    result_free(&result);
    free(text);
    return good;
}

/* Compiles the graph for the target with the compiler and trains it: the name of the folder, to be
   freed. The runtime is compiled once by each compiler. */
static char *built_and_trained(const char *graph, const char *name, const char *target,
                               const char *options, const char *compiler, const char *contract)
{
    char *out = text_of("%s-%s-%s-%s", compiler, name, target, contract);
    Result result = run(folder, "%s %s -o %s.c --target %s --no-runtime%s", caec_binary(), graph,
                        out, target, options);
    want_exit(&result, 0);
    result_free(&result);
    char *script = text_of(
        "library=$(ls $PWD/%s-*/libcaec_runtime.a | head -n 1); cmake -S %s.c/%s -B %s.b "
        "-DCMAKE_C_COMPILER=%s -DCAEC_STATIC=OFF "
        "-DCAEC_CONTRACT=%s -DCAEC_RUNTIME=%s -DCAEC_RUNTIME_LIBRARY=$library && cmake --build "
        "%s.b --target %s-train --parallel 2",
        compiler, out, name, out, compiler, contract, runtime_folder(), out, name);
    result = run_words(folder, (const char *const[]){ "sh", "-c", script, NULL });
    want_exit(&result, 0);
    result_free(&result);
    char *program = text_of("%s.b/%s-train", out, name);
    train(program, out, "--batch 7 --epochs 1 --threads 2");
    free(script);
    free(program);
    return out;
}

typedef struct Build {
    const char *target, *compiler, *contract;
} Build;

/* All of them must come to the bits of the first. */
static void same_bits(const char *graph, const char *name, const char *options, const Build *builds,
                      int count)
{
    char *first = NULL;
    int before = files_equal;
    for (int i = 0; i < count; i++) {
        if (!runs_here(builds[i].target))
            continue;
        char *out = built_and_trained(graph, name, builds[i].target, options, builds[i].compiler,
                                      builds[i].contract);
        if (first)
            want_same_weights(first, out);
        else
            first = text_of("%s", out);
        printf("%s: %s by %s, contraction %s\n", name, builds[i].target, builds[i].compiler,
               builds[i].contract);
        free(out);
    }
    assert_non_null(first);
    printf("%s: %d files of these had the bits of the first build's\n", name, files_equal - before);
    free(first);
}

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

static bool all(void)
{
    const char *text = getenv("FORCE_ALL");
    return text && *text;
}

/* Sanitizers cannot see into what is compiled here. */
static void skip_without_both(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#endif
    if (!runs_here("x86-64-v3") || !is_installed("gcc") || !is_installed("clang"))
        skip();
}

static void direct_layers_as_they_are(void **state)
{
    (void)state;
    if (!all()) /* it compiles programs by both compilers */
        skip();
    static const Build builds[] = {
        { "x86-64-v3", "gcc", "ON" },
        { "x86-64-v3", "clang", "ON" },
        { "x86-64-v4", "gcc", "ON" },
        { "x86-64-v4", "clang", "ON" },
    };
    skip_without_both();
    char *graph = text_of("%s/tests/force/direct.lua", project_folder());
    same_bits(graph, "direct",
              " --kernel encoder.conv2=conv_direct --kernel decoder.conv1=conv_direct --kernel "
              "decoder.conv2=conv_direct"
              " --kernel decoder.conv3=conv_direct",
              builds, COUNT(builds));
    free(graph);
}

static void every_layer_without_contraction(void **state)
{
    (void)state;
    static const Build builds[] = {
        { "x86-64-v3", "gcc", "OFF" },
        { "x86-64-v3", "clang", "OFF" },
        { "x86-64-v4", "gcc", "OFF" },
        { "x86-64-v4", "clang", "OFF" },
    };
    skip_without_both();
    if (!all())
        skip();
    char *graph = text_of("%s/tests/force/every.lua", project_folder());
    same_bits(graph, "every", "", builds, COUNT(builds));
    free(graph);
    /* v4 by itself has another there */
    same_bits(SMALL_GRAPH, "small", " --kernel encoder.conv1.dw=conv_winograd", builds,
              COUNT(builds));
}

/* Without fused instructions there is nothing to contract. */
static void processors_without_fma(void **state)
{
    (void)state;
    static const Build v2[] = { { "x86-64-v2", "gcc", "ON" }, { "x86-64-v2", "clang", "ON" } };
    static const Build c[] = { { "c", "gcc", "ON" }, { "c", "clang", "ON" } };
    skip_without_both();
    if (!all())
        skip();
    char *graph = text_of("%s/tests/force/every.lua", project_folder());
    same_bits(graph, "every", "", v2, COUNT(v2));
    free(graph);
    graph = text_of("%s/tests/whole/other.lua", project_folder());
    same_bits(graph, "other", "", c, COUNT(c));
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_runs),
        cmocka_unit_test(resumed_after_any_step),
        cmocka_unit_test(direct_layers_as_they_are),
        cmocka_unit_test(every_layer_without_contraction),
        cmocka_unit_test(processors_without_fma),
    };
    return cmocka_run_group_tests_name("force bits", tests, set_up, tear_down);
}
