/* Which kernels the plan chooses, read from `--dump plan`: nothing falls to the loops of the
   definition unseen, and pools and activations are taken in. */
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

static char *plan_of(const char *graph, const char *target)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --dump plan --target %s", target);
    want_exit(&result, 0);
    free(result.err);
    free(path);
    folder_remove(folder);
    return result.out;
}

/* The start of a step's line: its function, its kernel. */
static bool is_chosen(const char *plan, const char *function, const char *kernel)
{
    const char *at = strstr(plan, function);
    size_t n = strlen(function);
    if (!at || at[n] != ' ')
        return false;
    at += n + strspn(at + n, " ");
    return strncmp(at, kernel, strlen(kernel)) == 0 && at[strlen(kernel)] == ' ';
}

static void no_plain_convolution(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v4", "x86-64-v3", "c", "aarch64" };
    for (int kernel = 1; kernel <= 7; kernel++)
        for (int stride = 1; stride <= 3; stride++) {
            char *graph = text_of(
                "return autoencoder \"net\" {\n  input = { 12, 24, 3 },\n  encoder = sequential "
                "\"e\" {\n"
                "    conv2d { filters = 16, kernel = 1 }, conv2d { filters = 16, kernel = %d, "
                "stride = %d, activation = \"relu\" },\n  },\n"
                "  decoder = sequential \"d\" { conv2d_transpose { filters = 16, kernel = %d, "
                "stride = %d },\n"
                "    conv2d { filters = 3, kernel = 1 } },\n}\n",
                kernel, stride, kernel, stride);
            char *plan = plan_of(graph, targets[(kernel + stride) % 4]);
            static const char *const steps[] = { "e_conv2_forward", "e_conv2_dw",
                                                 "d_deconv1_forward", "d_deconv1_dx",
                                                 "d_deconv1_dw" };
            for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
                if (!(i == 1 && is_chosen(plan, "e_conv2_backward", "conv_winograd"))
                    && (is_chosen(plan, steps[i], "conv_plain")
                        || !(is_chosen(plan, steps[i], "conv_direct")
                             || is_chosen(plan, steps[i], "conv_winograd"))))
                    fail_msg("%s of a kernel %d and stride %d is computed by another kernel:\n%s",
                             steps[i], kernel, stride, plan);
            free(plan);
            free(graph);
        }
}

/* In training the activation's gradient reads the value before an average pool, so it is kept;
   inference takes the pool in. */
static void an_average_pool_is_taken_in(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" {\n  input = { 12, 24, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 16, kernel = 5, activation = \"relu\" "
        "}, avg_pool2d {}, conv2d { filters = 5, kernel = 5 }, avg_pool2d {} },\n"
        "  decoder = sequential \"d\" { upsample2d { size = 4 }, conv2d { filters = 3, kernel = 1 "
        "} },\n}\n";
    char *plan = plan_of(graph, "x86-64-v3"), *encode = strstr(plan, "\nencode:");
    assert_non_null(encode);
    *encode++ = 0;
    assert_true(is_chosen(plan, "e_pool1_forward", "pool"));
    assert_null(strstr(plan, "e_pool2_forward"));
    assert_null(strstr(plan, "e_pool1_dx"));
    assert_null(strstr(plan, "e_pool2_dx"));
    assert_null(strstr(encode, "e_pool1_forward"));
    free(plan);
}

/* Dense layers take as many images at once as keep their values within 128 MiB; here an image's 3
   MiB are there three times. */
static void large_values_go_in_smaller_microbatches(void **state)
{
    (void)state;
    static const int sides[] = { 128, 256, 512 };
    static const char *const groups[] = { "microbatch: 32 images at once",
                                          "microbatch: 32 images at once",
                                          "microbatch: 8 images at once" };
    for (int i = 0; i < 3; i++) {
        char *graph = text_of(
            "return autoencoder \"net\" {\n  input = { %d, %d, 3 },\n  encoder = sequential \"e\" "
            "{ flatten {}, dense { units = 2 } },\n"
            "  decoder = sequential \"d\" { dense { units = %d }, reshape { shape = { %d, %d, 3 } "
            "} },\n}\n",
            sides[i], sides[i], 3 * sides[i] * sides[i], sides[i], sides[i]);
        char *plan = plan_of(graph, "x86-64-v3");
        if (!strstr(plan, groups[i]))
            fail_msg("no \"%s\" for a side of %d:\n%s", groups[i], sides[i], plan);
        free(plan);
        free(graph);
    }
    char *plan = plan_of(
        "return autoencoder \"net\" {\n  input = { 512, 512, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 64, kernel = 3, activation = \"relu\" "
        "}, max_pool2d { size = 8 }, flatten {},\n"
        "    dense { units = 2 } },\n  decoder = sequential \"d\" { dense { units = 786432 }, "
        "reshape { shape = { 512, 512, 3 } } },\n}\n",
        "x86-64-v3");
    assert_non_null(strstr(plan, "microbatch: 2 images at once"));
    free(plan);
}

/* bce reads the logits: training never computes the sigmoid, inference takes it in. */
static void cross_entropy_reads_the_logits(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" {\n  input = { 12, 24, 3 },\n  encoder = sequential \"e\" { "
        "conv2d { filters = 16, kernel = 3 } },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 5, activation = \"sigmoid\" "
        "} },\n  training = { loss = \"bce\" },\n}\n";
    char *plan = plan_of(graph, "x86-64-v3"), *decode = strstr(plan, "\ndecode:");
    assert_non_null(decode);
    *decode++ = 0;
    assert_null(strstr(plan, "sigmoid"));
    assert_null(strstr(decode, "sigmoid"));
    assert_non_null(strstr(decode, "+act"));
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_plain_convolution),
        cmocka_unit_test(an_average_pool_is_taken_in),
        cmocka_unit_test(large_values_go_in_smaller_microbatches),
        cmocka_unit_test(cross_entropy_reads_the_logits),
    };
    return cmocka_run_group_tests_name("chosen", tests, NULL, NULL);
}
