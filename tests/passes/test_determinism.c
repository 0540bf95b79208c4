/* The same graph, options and target give the same bytes: twice, from another folder, by another
   Lua. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const options[] = { "--target x86-64-v4", "--target x86-64-v3 --real double",
                                       "--target x86-64-v2", "--target c --no-runtime" };
enum { OPTIONS = sizeof options / sizeof options[0] };

/* Both emit the project's own graph and one with many numbers; the results must be the same
   files. */
static void compare(const char *compiler_a, const char *compiler_b)
{
    static const char numbers[] =
        "local slope = 0.1 + 0.2\n"
        "return autoencoder \"numbers\" { input = { 9, 15, 2 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3 }, leaky_relu { slope = "
        "slope }, max_pool2d { size = 3 } },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 2, kernel = 3, activation = \"sigmoid\" "
        "}, upsample2d { size = 3 } },\n"
        "  training = { optimizer = adam { lr = 1 / 3e4, beta2 = 1 - 1e-3 }, batch = 7 } }\n";
    char *folder = folder_new(), *path = text_of("%s/numbers.lua", folder),
         *a = text_of("%s/a", folder), *b = text_of("%s/b", folder);
    file_write(path, numbers, strlen(numbers));
    for (int i = 0; i < OPTIONS; i++) {
        Result first = run(folder, "%s %s/graphs/cae.lua -o a %s", compiler_a, project_folder(),
                           options[i]);
        Result second = run(folder, "%s numbers.lua -o a %s", compiler_a, options[i]);
        want_exit(&first, 0);
        want_exit(&second, 0);
        result_free(&first);
        result_free(&second);
        char *graphs = text_of("%s/graphs", project_folder());
        /* another folder, the options in another order */
        first = run(graphs, "%s cae.lua %s -o %s", compiler_b, options[i], b);
        second = run("/", "%s -o %s %s/numbers.lua %s", compiler_b, b, folder, options[i]);
        want_exit(&first, 0);
        want_exit(&second, 0);
        result_free(&first);
        result_free(&second);
        free(graphs);
        want_same_files(a, b);
    }
    free(path);
    free(a);
    free(b);
    folder_remove(folder);
}

static void twice_and_from_another_folder(void **state)
{
    (void)state;
    compare(caec_binary(), caec_binary());
}

static void by_the_other_lua(void **state)
{
    (void)state;
    const char *other = caec_other();
    if (!other)
        skip();
    compare(caec_binary(), other);
}

/* Texts for people too. */
static void dumps_by_the_other_lua(void **state)
{
    (void)state;
    const char *other = caec_other();
    if (!other)
        skip();
    static const char *const words[] = { "--dump plan --target c", "--dump fuse",
                                         "--memory --target x86-64-v3", "--summary", "--dot" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        Result a = run_caec(project_folder(), "graphs/cae.lua %s", words[i]);
        Result b = run(project_folder(), "%s graphs/cae.lua %s", other, words[i]);
        want_exit(&a, 0);
        want_exit(&b, 0);
        assert_true(a.out_length > 100);
        assert_string_equal(a.out, b.out);
        result_free(&a);
        result_free(&b);
    }
}

static char *fingerprint(const char *folder, const char *from, const char *to, const char *target)
{
    static const char *const graph =
        "return autoencoder \"net\" { input = { 8, 8, 2 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3, activation = \"relu\" }, "
        "max_pool2d { size = 2 } },\n"
        "  decoder = sequential \"d\" { upsample2d { size = 2 }, conv2d { filters = 2, kernel = 3 "
        "} },\n"
        "  training = { loss = \"mse\", optimizer = adam { lr = 1e-3 }, batch = 7 } }\n";
    const char *at = from ? strstr(graph, from) : graph;
    assert_non_null(at);
    char *text = from ? text_of("%.*s%s%s", (int)(at - graph), graph, to, at + strlen(from))
                      : text_of("%s", graph);
    char *path = text_of("%s/net.lua", folder), *source = text_of("%s/out/net/net.c", folder);
    file_write(path, text, strlen(text));
    Result result = run_caec(folder, "net.lua -o out --no-runtime --target %s", target);
    want_exit(&result, 0);
    result_free(&result);
    char *c = file_read(source, NULL), *found = strstr(c, ".fingerprint = \"");
    assert_non_null(found);
    found = text_of("%.16s", found + strlen(".fingerprint = \""));
    assert_int_equal(strspn(found, "0123456789abcdef"), 16);
    free(text);
    free(path);
    free(source);
    free(c);
    return found;
}

/* What a run may go on with: the same network for any target and by any training numbers; another
   where a layer or the loss is another, though all shapes are the same. */
static void fingerprints(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool same;
    } changes[] = {
        { "1e-3", "1e-4", true },
        { "batch = 7", "batch = 8", true },
        { "return", "-- a comment\n\n  return", true },
        { "max_pool2d", "avg_pool2d", false },
        { "relu", "elu", false },
        { "mse", "mae", false },
        { "activation = \"relu\"", "use_bias = true", false },
        { "filters = 5", "filters = 6", false },
    };
    char *folder = folder_new(), *ours = fingerprint(folder, NULL, NULL, "x86-64-v3"),
         *plain = fingerprint(folder, NULL, NULL, "c");
    assert_string_equal(ours, plain);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char *other = fingerprint(folder, changes[i].from, changes[i].to, "c");
        if ((strcmp(ours, other) == 0) != changes[i].same)
            fail_msg("%s instead of %s: %s, before %s", changes[i].to, changes[i].from, other,
                     ours);
        free(other);
    }
    free(ours);
    free(plain);
    folder_remove(folder);
}

/* Of how many images statistics are, and how fast they move. */
static void fingerprints_of_statistics(void **state)
{
    (void)state;
    static const char *const norms[] = { "batch_norm {}, max_pool2d",
                                         "batch_norm { over = 7 }, max_pool2d",
                                         "batch_norm { momentum = 0.5 }, max_pool2d" };
    char *folder = folder_new(), *found[3];
    for (int i = 0; i < 3; i++)
        found[i] = fingerprint(folder, "max_pool2d", norms[i], "c");
    assert_string_not_equal(found[0], found[1]);
    assert_string_not_equal(found[0], found[2]);
    for (int i = 0; i < 3; i++)
        free(found[i]);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_and_from_another_folder), cmocka_unit_test(by_the_other_lua),
        cmocka_unit_test(dumps_by_the_other_lua),        cmocka_unit_test(fingerprints),
        cmocka_unit_test(fingerprints_of_statistics),
    };
    return cmocka_run_group_tests_name("determinism", tests, NULL, NULL);
}
