/* conv_winograd_line against the definition: kernels {1, 3} of stride 1, of one row and of several,
 * with tiles that reach over the end of the row. The bound that conv_winograd_line.c states: 2e-6
 * of the largest value forward, 4e-6 backward, in float. */
#include "cases.h"
#include "compare.h"
#include "model.h"

static const Tolerance tolerance = { sizeof(real) == 8 ? 1e-12 : 2e-6,
                                     sizeof(real) == 8 ? 1e-12 : 4e-6 };

static void check(const LineCase *cases, size_t count, const char *target)
{
    compare_lines_with_plain(cases, count, target, "conv_winograd_line", tolerance);
}

static const LineCase channels[] = {
    { { 1, 32, 17, 16, 1, 1, 1, 0, false }, .kernel_w = 3 },
    { { 1, 24, 3, 1, 1, 1, 1, 0, false }, .kernel_w = 3 },
    { { 1, 40, 20, 70, 1, 1, 1, 0, false }, .kernel_w = 3 },
    { { 1, 16, 0, 33, 1, 1, 1, 0, false }, .kernel_w = 3 },
};

static void any_number_of_channels(void **state)
{
    (void)state;
    check(channels, COUNT(channels), "x86-64-v3");
    check(channels, 1, "c");
}

static void any_number_of_channels_on_avx512(void **state)
{
    (void)state;
    check(channels + 2, 1, "x86-64-v4");
}

/* Widths of 4 n + 1, + 2 and + 3, of several strips; rows side by side; no padding. */
static void any_size(void **state)
{
    (void)state;
    static const LineCase cases[] = {
        { { 1, 301, 5, 9, 1, 1, 1, 0, false }, .kernel_w = 3 },
        { { 3, 6, 5, 6, 1, 1, 1, 0, false }, .kernel_w = 3 },
        { { 2, 135, 2, 8, 1, 1, 1, 0, false }, .kernel_w = 3 },
        { { 1, 21, 4, 5, 1, 1, 1, 0, true }, .kernel_w = 3 },
    };
    check(cases, COUNT(cases), "x86-64-v3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_channels),
        cmocka_unit_test(any_number_of_channels_on_avx512),
        cmocka_unit_test(any_size),
    };
    return cmocka_run_group_tests_name("conv_winograd_line", tests, NULL, NULL);
}
