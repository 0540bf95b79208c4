/* caec --expand: the text of one kernel, which a C compiler takes together with what every kernel
   includes. */
#include "build.h"
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

static const char include_line[] = "#include \"";

/* A graph of the same type and target lends the header of the vectors. */
static const char graph[] =
    "return autoencoder \"sample\" { input = { 4, 4, 1 }, encoder = sequential \"a\" { conv2d { "
    "filters = 1, kernel = 1 } },\n"
    "  decoder = sequential \"b\" { conv2d { filters = 1, kernel = 1 } } }\n";

static void check_expanded(const char *words, const char *target, const char *function)
{
    char *folder = folder_new(), *graph_path = text_of("%s/g.lua", folder),
         *c_path = text_of("%s/kernel.c", folder);
    const char *type = sizeof(real) == 8 ? "double" : "float";
    file_write(graph_path, graph, strlen(graph));
    Result emitted = run_caec(folder, "g.lua -o . --no-runtime --target %s --real %s", target,
                              type);
    want_exit(&emitted, 0);
    Result expanded = run_caec(folder, "--expand %s --target %s --real %s", words, target, type);
    want_exit(&expanded, 0);
    if (!strstr(expanded.out, function))
        fail_msg("--expand %s shows no %s:\n%s", words, function, expanded.out);
    assert_non_null(strstr(expanded.out, include_line));
    file_write(c_path, expanded.out, expanded.out_length);
    const char *flags = strncmp(target, "x86", 3) == 0 ? "-march=" : "";
    Result compiled = run(
        folder,
        "%s -std=c11 -O1 %s%s -Wall -Wextra -Werror -DCAEC_REAL=%s -I%s -Isample -c kernel.c -o "
        "kernel.o",
        c_compiler(), flags, *flags ? target : "", type, runtime_folder());
    print_message("--expand %s --target %s --real %s\n", words, target, type);
    want_exit(&compiled, 0);
    result_free(&emitted);
    result_free(&expanded);
    result_free(&compiled);
    free(graph_path);
    free(c_path);
    folder_remove(folder);
}

static void convolutions(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "CI=3 CO=32 K=3 POOL=2", "CI=17 CO=5 K=4 STRIDE=2",
        "H=9 W=7 K=5 SAME=0",    "UP=2 CO=16",
        "UP=3 STRIDE=3 K=2",     "CI=4 CO=6 KW=2 STRIDEW=2 DILATION=2 GROUPS=2"
    };
    static const char *const kernels[] = { "conv_direct", "conv_plain", "conv_winograd" };
    static const char *const functions[] = { "sample_conv_forward(", "sample_conv_dx(",
                                             "sample_conv_dw(" };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (int pass = 0; pass < 3; pass++)
            for (int k = 0; k < 3; k++) {
                /* 3x3 and stride 1 alone; its gradients are one function */
                if (k == 2 && (i != 3 || pass > 0))
                    continue;
                char *words = text_of("%s %s DIRECTION=%d", kernels[k], numbers[i], pass);
                check_expanded(words, i % 2 ? "x86-64-v3" : "c", functions[pass]);
                free(words);
            }
}

/* The one row of a signal is read in segments, in every direction: a ring would be as long as the
   row, and clearing it half of what reading it takes. */
static void signals_clear_no_ring(void **state)
{
    (void)state;
    for (int pass = 0; pass < 3; pass++) {
        Result expanded = run_caec(NULL,
                                   "--expand conv_direct H=1 W=256 CI=16 CO=16 K=1 KW=5 "
                                   "DIRECTION=%d --target x86-64-v3",
                                   pass);
        want_exit(&expanded, 0);
        if (strstr(expanded.out, "__builtin_memset"))
            fail_msg("direction %d clears memory:\n%s", pass, expanded.out);
        result_free(&expanded);
    }
    check_expanded("conv_direct H=1 W=300 CI=3 CO=17 K=1 KW=5 DIRECTION=2", "x86-64-v3",
                   "sample_conv_dw(");
}

static void rows_of_streams(void **state)
{
    (void)state;
    static const char *const words[] = { "conv_rows CI=3 CO=32 K=3 POOL=2",
                                         "conv_rows CI=5 CO=20 K=4 STRIDE=2 UP=3",
                                         "conv_rows CI=4 CO=20 KW=4 DILATION=3 GROUPS=2",
                                         "conv_rows_f43 H=9 W=27 CI=5 CO=17" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        check_expanded(words[i], "x86-64-v3", "sample_conv_infer(");
        check_expanded(words[i], "c", "sample_conv_infer(");
    }
}

static void dense_layers(void **state)
{
    (void)state;
    static const char *const functions[] = { "sample_dense_forward(", "sample_dense_dx(",
                                             "sample_dense_dw(" };
    for (int pass = 0; pass < 3; pass++) {
        char *words = text_of("dense_plain CI=40 CO=7 DIRECTION=%d", pass);
        check_expanded(words, pass % 2 ? "x86-64-v3" : "c", functions[pass]);
        free(words);
    }
}

/* Whatever is listed expands, for a layer of whole blocks of channels with a pool after it; what
   computes kernels of one row alone, for one. */
static void every_listed_kernel(void **state)
{
    (void)state;
    Result list = run_caec(NULL, "--list kernels");
    want_exit(&list, 0);
    int count = 0;
    for (char *line = strtok(list.out, "\n"); line; line = strtok(NULL, "\n"), count++) {
        char *name = text_of("%.*s", (int)strcspn(line, " "), line);
        const char *sides = strcmp(name, "conv_winograd_line") == 0 ? "K=1 KW=3" : "POOL=2";
        Result expanded = run_caec(NULL, "--expand %s CI=3 CO=64 %s --target x86-64-v3", name,
                                   sides);
        if (expanded.exit_code != 0 || !strstr(expanded.out, "void "))
            fail_msg("--expand %s: %s%s", name, expanded.out, expanded.err);
        result_free(&expanded);
        free(name);
    }
    assert_true(count >= 6);
    result_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(convolutions),
                                        cmocka_unit_test(dense_layers),
                                        cmocka_unit_test(signals_clear_no_ring),
                                        cmocka_unit_test(rows_of_streams),
                                        cmocka_unit_test(every_listed_kernel) };
    return cmocka_run_group_tests_name("expand", tests, NULL, NULL);
}
