/* No emitted loop loads under a condition, which GCC 12 compiles wrongly at -O3: see
 * tests/reference/test_nets.c, which looks at the reference networks. A load under a condition is a
 * masked load in AVX2, so the compiled text of small networks must have none. */
#include "build.h"
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

/* What the reference networks have not: values thrown away or looked up under a condition, in rows
   of one vector or two. */
static const char looked_up[] =
    "return autoencoder \"net\" { input = { 12, 12, 3 },\n"
    "  encoder = sequential \"encoder\" { conv2d { filters = 4, kernel = 3, activation = \"relu\" "
    "}, dropout { rate = 0.25 }, max_pool2d { size = 2 },\n"
    "    conv2d { filters = 9, kernel = 3 }, relu {}, max_pool2d { size = 3 }, leaky_relu {}, "
    "concat { with = \"encoder.pool2\" } },\n"
    "  decoder = sequential \"decoder\" { conv2d { filters = 9, kernel = 1 }, max_unpool2d { pool "
    "= \"encoder.pool2\" }, relu {}, avg_pool2d { size = 3 },\n"
    "    flatten {}, dense { units = 12, activation = \"relu\" }, dense { units = 144, activation "
    "= \"elu\" }, reshape { shape = { 6, 6, 4 } },\n"
    "    max_unpool2d { pool = \"encoder.pool1\" }, conv2d { filters = 3, kernel = 3, activation = "
    "\"relu\" } } }\n";

/* Lines of the assembly that load or store under a mask. */
static int masked_lines(const char *folder)
{
    FileList list = files_below(folder);
    int count = 0;
    for (int i = 0; i < list.count; i++) {
        size_t n = strlen(list.path[i]);
        if (n < 2 || strcmp(list.path[i] + n - 2, ".s") != 0)
            continue;
        char *path = text_of("%s/%s", folder, list.path[i]), *text = file_read(path, NULL);
        for (const char *at = text; (at = strstr(at, "maskmov")); at++) {
            if (count++ == 0)
                print_message("%s: masked\n", list.path[i]);
        }
        free(text);
        free(path);
    }
    file_list_free(&list);
    return count;
}

static void check(const char *graph, const char *options)
{
    const char *type = sizeof(real) == sizeof(double) ? "double" : "float";
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --no-runtime --target x86-64-v3 --real %s %s",
                             type, options);
    want_exit(&result, 0);
    result_free(&result);
    char *flags = emitted_flags(folder), *sources = emitted_sources(folder);
    result = run(folder, "%s -std=c11 -O3 -S %s -DCAEC_REAL=%s -I%s -Inet %s", c_compiler(), flags,
                 type, runtime_folder(), sources);
    want_exit(&result, 0);
    result_free(&result);
    int masked = masked_lines(folder);
    if (masked)
        print_message("%s", graph);
    assert_int_equal(masked, 0);
    free(flags);
    free(sources);
    free(path);
    folder_remove(folder);
}

/* What is looked at is the text of the plain C compiler, the same in every build: those under
   sanitizers need not look again. */
static void skip_under_sanitizers(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#endif
}

static void what_is_looked_up(void **state)
{
    (void)state;
    skip_under_sanitizers();
    check(looked_up, "");
    check(looked_up,
          "--kernel encoder.conv1=conv_plain --kernel encoder.conv2=conv_direct --kernel "
          "decoder.conv1=conv_plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_looked_up) };
    return cmocka_run_group_tests_name("masked", tests, NULL, NULL);
}
