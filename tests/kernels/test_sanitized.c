/* Compiled models under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include "build.h"
#include "cases.h"
#include "files.h"
#include "net.h"
#include "process.h"

#include <stdlib.h>

/* A net that begins to decode with a dense layer is whole; others are closed. */
static void check_sanitized(Net net, const char *target, const char *kernels)
{
    if (!machine_has(target))
        skip();
    if (net.decoder[0].kind != DENSE)
        net_close(&net);
    char *graph = net_graph(&net), *options = text_of("--target %s %s", target, kernels),
         *folder = folder_new(),
         *driver = text_of("%s/tests/support/program_sanitized.c", project_folder());
    char *program = build_program_merged(
        graph, options, driver,
        "-g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer",
        folder);
    Result result = run(folder, "%s", program);
    print_message("%s, of %s", options, graph);
    want_exit(&result, 0);
    result_free(&result);
    free(program);
    free(driver);
    free(options);
    free(graph);
    folder_remove(folder);
}

static const Net pooled = {
    .height = 9,
    .width = 9,
    .channels = 3,
    .encoder = { { CONV, .filters = 17, .kernel = 3, .activation = "relu" },
                 { POOL, .size = 2 },
                 { CONV, .filters = 5, .kernel = 4, .stride = 3, .activation = "elu" } },
    .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" } }
};
static const Net valid = {
    .height = 12,
    .width = 12,
    .channels = 1,
    .encoder = { { CONV, .filters = 33, .kernel = 5, .valid = true, .activation = "tanh" },
                 { ACT, .activation = "softplus" },
                 { CONV, .filters = 4, .kernel = 2, .stride = 3, .no_bias = true },
                 { POOL, .size = 3 } }
};
static const Net large = {
    .height = 2,
    .width = 35,
    .channels = 2,
    .encoder = { { CONV, .filters = 6, .kernel = 7, .activation = "leaky_relu" } },
    .decoder = { { CONV, .filters = 1, .kernel = 1 }, { ACT, .activation = "tanh" } }
};
static const Net transposed = {
    .height = 10,
    .width = 20,
    .channels = 3,
    .encoder = { { CONV, .filters = 12, .kernel = 3, .activation = "relu" },
                 { NORM, .groups = 3 },
                 { AVG, .size = 2 },
                 { CONV, .filters = 7, .kernel = 1, .stride = 5, .activation = "tanh" } },
    .decoder = { { DECONV, .filters = 17, .kernel = 3, .stride = 5, .activation = "elu" },
                 { DECONV, .filters = 5, .kernel = 1, .stride = 2, .activation = "relu" },
                 { AVG, .size = 2 } }
};
/* Zeros wider than the window, taps apart, groups narrower than a vector, more cut off than a
   window has and more rows than any meets. */
static const Net shaped = {
    .height = 8,
    .width = 10,
    .channels = 2,
    .encoder = { { CONV, .filters = 9, .kernel = 1, .kernel_w = 2, .stride = 3, .stride_w = 1,
                   .padded = true, .pad = { 0, 4, 0, 3 }, .activation = "tanh" },
                 { CONV, .filters = 33, .kernel = 3, .dilation = 3, .dilation_w = 2, .groups = 3,
                   .activation = "relu" },
                 { POOL, .size = 2 } },
    .decoder = { { DECONV, .filters = 6, .kernel = 1, .kernel_w = 3, .stride = 4, .stride_w = 1,
                   .padded = true, .pad = { 1, 3, 0, 0 }, .enlarged = true, .more = { 3, 0 },
                   .groups = 3, .activation = "tanh" },
                 { DECONV, .filters = 4, .kernel = 3, .stride = 2, .dilation = 3, .valid = true,
                   .groups = 2 },
                 { CONV, .filters = 2, .kernel = 4, .kernel_w = 10, .valid = true } }
};
/* Two rows of eight windows and more: integers full of codes, up to the bit of the sign. */
static const Net wide_pool = {
    .height = 10,
    .width = 36,
    .channels = 3,
    .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" }, { POOL, .size = 2 } }
};
/* Windows that overlap, leave gaps and lie over every border, and codes of all of them. */
static const Net windows = {
    .height = 5,
    .width = 18,
    .channels = 1,
    .encoder = { { CONV, .filters = 3, .kernel = 2, .activation = "relu" },
                 { POOL, .size = 3, .stride = 2, .stride_w = 1, .same = true },
                 { AVG, .size = 2, .size_w = 3, .stride = 1, .pad = { 1, 2, 1, 0 } },
                 { POOL, .size = 2, .stride = 3, .stride_w = 4, .pad = { 1, 0, 0, 1 } },
                 { FLATTEN } },
    .decoder = { { DENSE, .units = 90 },
                 { RESHAPE, .shape = { 5, 18, 1 } },
                 { GLOBAL_MAX },
                 { MULTIPLY, .with = "decoder.reshape1" } }
};
static const char plain[] = "--kernel encoder.conv1=conv_plain --kernel decoder.conv1=conv_plain";

static const Net dense = { .height = 6,
                           .width = 10,
                           .channels = 1,
                           .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "relu" },
                                        { POOL, .size = 2 },
                                        { FLATTEN },
                                        { DENSE, .units = 17, .activation = "tanh" } },
                           .decoder = { { DENSE, .units = 30, .activation = "relu" },
                                        { RESHAPE, .shape = { 3, 5, 2 } },
                                        { UP, .size = 2 },
                                        { CONV, .filters = 1, .kernel = 3 } } };

static void with_pool_and_upsampling(void **state)
{
    (void)state;
    check_sanitized(pooled, "x86-64-v3", "");
    check_sanitized(pooled, "c", plain);
}

static void with_full_codes(void **state)
{
    (void)state;
    static const char *const kernels[] = { "conv_plain", "conv_direct", "conv_winograd" };
    for (int i = 0; i < 3; i++) {
        char *options = text_of("--kernel encoder.conv1=%s", kernels[i]);
        check_sanitized(wide_pool, "c", options);
        free(options);
    }
    check_sanitized(wide_pool, "x86-64-v3", "");
}

static void with_windows_over_the_border(void **state)
{
    (void)state;
    check_sanitized(windows, "x86-64-v3", "--kernel decoder.dense1=dense_plain");
}

static void without_padding(void **state)
{
    (void)state;
    check_sanitized(valid, "x86-64-v2", "");
}

static void with_long_rows(void **state)
{
    (void)state;
    check_sanitized(large, "c", "");
}

static void of_transposed_convolutions(void **state)
{
    (void)state;
    check_sanitized(transposed, "x86-64-v3", "");
    check_sanitized(transposed, "c", "--kernel decoder.deconv1=conv_plain");
}

static void of_other_shapes(void **state)
{
    (void)state;
    check_sanitized(shaped, "x86-64-v3", "");
    check_sanitized(shaped, "c", "--kernel encoder.conv2=conv_plain");
}

/* By the plain kernel, whose sums are the same for one image and for several, as the program wants
   them. */
static void with_dense_layers(void **state)
{
    (void)state;
    check_sanitized(dense, "x86-64-v3",
                    "--kernel encoder.dense1=dense_plain --kernel decoder.dense1=dense_plain");
    check_sanitized(dense, "c", "");
}

static void on_avx512(void **state)
{
    (void)state;
    check_sanitized(pooled, "x86-64-v4", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_pool_and_upsampling),
        cmocka_unit_test(with_full_codes),
        cmocka_unit_test(with_windows_over_the_border),
        cmocka_unit_test(without_padding),
        cmocka_unit_test(with_long_rows),
        cmocka_unit_test(of_transposed_convolutions),
        cmocka_unit_test(of_other_shapes),
        cmocka_unit_test(with_dense_layers),
        cmocka_unit_test(on_avx512),
    };
    return cmocka_run_group_tests_name("sanitized", tests, NULL, NULL);
}
