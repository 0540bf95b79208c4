/* In a black border a sum without bias is exactly 0 and lets no gradient through a ReLU. Kernels
   that work in another domain must not leave rounding there. */
#include "compare.h"
#include "cases.h"
#include "model.h"

static const Tolerance tolerance = { sizeof(real) == 8 ? 1e-12 : 1e-5,
                                     sizeof(real) == 8 ? 1e-12 : 2e-5 };

static void winograd(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 24, 30, 3, 8, 3, 1, 1, 0, false },  { 23, 29, 16, 16, 3, 1, 1, 2, false },
        { 21, 18, 0, 16, 3, 1, 1, 2, false }, { 24, 27, 5, 6, 3, 1, 1, 3, false },
        { 22, 25, 8, 8, 3, 1, 1, 0, true },   { 20, 20, 0, 5, 3, 1, 1, 0, false },
    };
    compare_in_black_borders(cases, COUNT(cases), "x86-64-v3", "conv_winograd", tolerance);
    compare_in_black_borders(&cases[2], 1, "c", "conv_winograd", tolerance);
}

static void winograd_upsampled(void **state)
{
    (void)state;
    static const ConvCase cases[] = { { 18, 21, 16, 4, 3, 1, 2, 0, false },
                                      { 17, 15, 6, 5, 3, 1, 2, 2, false } };
    compare_in_black_borders(cases, COUNT(cases), "x86-64-v3", "conv_winograd", tolerance);
}

static void thin(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 21, 27, 0, 16, 3, 1, 1, 2, false },
        { 24, 30, 3, 16, 3, 1, 1, 0, false },
        { 22, 25, 0, 32, 3, 1, 1, 0, true },
        { 20, 23, 2, 16, 3, 1, 1, 3, false },
    };
    compare_in_black_borders(cases, COUNT(cases), "x86-64-v3", "conv_thin", tolerance);
    compare_in_black_borders(cases, 1, "x86-64-v4", "conv_thin", tolerance);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(winograd),
                                        cmocka_unit_test(winograd_upsampled),
                                        cmocka_unit_test(thin) };
    return cmocka_run_group_tests_name("zeros", tests, NULL, NULL);
}
