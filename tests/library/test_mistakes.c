/* Whatever a caller does wrong gets its code, and nothing runs over: under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include "library.h"

#include <stdlib.h>

static void check(const char *graph, const char *options)
{
    char *folder = library_write(graph, options);
    char *more = text_of("%s/tests/library/program_mistakes.c -o program -lm", project_folder()), *program = text_of("%s/program", folder);
    library_compile(folder, "-g -fsanitize=address,undefined -fno-sanitize-recover=all", more);
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
    check(net_bce, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_plain_c), cmocka_unit_test(on_this_machine), cmocka_unit_test(with_other_layers) };
    return cmocka_run_group_tests_name("library mistakes", tests, NULL, NULL);
}
