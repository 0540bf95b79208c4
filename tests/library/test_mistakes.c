/* Whatever a caller does wrong gets its code, and nothing runs over: under AddressSanitizer and
   UndefinedBehaviorSanitizer. */
#include "library.h"

#include <stdlib.h>

static void check(const char *graph, const char *options)
{
    char *folder = library_write(graph, options);
    char *more = text_of("%s/tests/library/program_mistakes.c -o program -lm", project_folder()),
         *program = text_of("%s/program", folder);
    library_compile_merged(folder, "-fsanitize=address,undefined -fno-sanitize-recover=all", more);
    Result result = run(folder, "%s", program);
    print_message("%s", result.out);
    want_exit(&result, 0);
    result_free(&result);
    free(more);
    free(program);
    folder_remove(folder);
}

static void in_plain_c(void **state)
{
    (void)state;
    check(net_cae, "--target c");
    check(net_cae, "--target c --optimize size");
}

static void on_this_machine(void **state)
{
    (void)state;
    check(net_cae, "");
    check(net_dense, "");
}

static void with_other_layers(void **state)
{
    (void)state;
    check(net_noise, "--target c");
    check(net_grouped, "--target c");
    check(net_bce, "");
}

/* A block that another library opened, of a smaller model and of a larger one, and of the same
   network under another name. */
static void with_blocks_of_another_library(void **state)
{
    (void)state;
    static const char small[] = NET(
        8, 8, 3,
        "conv2d { filters = 4, kernel = 3, activation = \"relu\" }, max_pool2d { size = 2 },",
        "conv2d { filters = 3, kernel = 3 }, upsample2d { size = 2 },",
        "loss = \"mse\", optimizer = adam {}");
    const char *const graphs[] = { net_cae, small };
    for (int i = 0; i < 2; i++) {
        char *folder = library_write(graphs[i], "--stream --target c");
        library_add(folder, "twin", small, "--stream --target c");
        char *more = text_of("%s/tests/library/program_two.c -o program", project_folder());
        library_compile(folder, "-Itwin -fsanitize=address,undefined -fno-sanitize-recover=all",
                        more);
        Result result = run(folder, "./program");
        print_message("%s", result.out);
        want_exit(&result, 0);
        result_free(&result);
        free(more);
        folder_remove(folder);
    }
}

/* Of the same model by other options: blocks of other sizes under the same name. */
static void with_blocks_by_other_options(void **state)
{
    (void)state;
    Library one = library_load(net_cae, "--target c"),
            other = library_load(net_cae, "--target c --optimize size");
    assert_true(one.train_bytes > other.train_bytes);
    float *parameters = block_new(one.parameters * sizeof *parameters);
    void *training = block_new(one.train_bytes);
    assert_int_equal(one.train_open(parameters, training, one.train_bytes), 0);
    assert_int_equal(one.update(training, 0.1f), ERROR_NO_IMAGES);
    assert_int_equal(other.update(training, 0.1f), ERROR_NOT_OPEN);
    free(parameters);
    free(training);
    library_free(&one);
    library_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_plain_c),
        cmocka_unit_test(on_this_machine),
        cmocka_unit_test(with_other_layers),
        cmocka_unit_test(with_blocks_of_another_library),
        cmocka_unit_test(with_blocks_by_other_options),
    };
    return cmocka_run_group_tests_name("library mistakes", tests, NULL, NULL);
}
