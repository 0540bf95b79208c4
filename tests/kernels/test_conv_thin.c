/* conv_thin against the definition: few input channels, output channels in whole vectors, with and
   without the pool that its dW wants. */
#include "cases.h"
#include "compare.h"
#include "model.h"

static const Tolerance tolerance = { sizeof(real) == 8 ? 1e-12 : 1e-5,
                                     sizeof(real) == 8 ? 1e-12 : 2e-5 };

static void check(const ConvCase *cases, size_t count, const char *target)
{
    compare_with_plain(cases, count, target, "conv_thin", tolerance);
}

static const ConvCase images[] = {
    { 8, 8, 0, 16, 3, 1, 1, 0, false },  { 8, 6, 0, 32, 3, 1, 1, 2, false },
    { 9, 9, 0, 16, 3, 1, 1, 2, false },  { 8, 11, 0, 16, 3, 1, 1, 2, false },
    { 11, 6, 0, 48, 3, 1, 1, 2, false }, { 8, 8, 0, 16, 3, 1, 1, 4, false },
    { 7, 11, 0, 16, 3, 1, 1, 3, false },
};

static void of_pixels(void **state)
{
    (void)state;
    check(images, COUNT(images), "x86-64-v3");
}

static void of_pixels_on_avx512(void **state)
{
    (void)state;
    check(images, COUNT(images), "x86-64-v4");
}

static void of_one_to_four_channels(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 6, 9, 1, 16, 3, 1, 1, 2, false }, { 8, 8, 2, 16, 3, 1, 1, 2, false },
        { 5, 7, 3, 32, 3, 1, 1, 0, false }, { 10, 4, 4, 16, 3, 1, 1, 0, false },
        { 9, 9, 2, 16, 3, 1, 1, 0, true },
    };
    check(cases, COUNT(cases), "x86-64-v3");
    check(cases, 1, "x86-64-v2");
    check(&cases[3], 1, "c");
}

static void of_one_to_three_channels_on_avx512(void **state)
{
    (void)state;
    static const ConvCase cases[] = { { 6, 9, 1, 16, 3, 1, 1, 2, false },
                                      { 8, 13, 2, 32, 3, 1, 1, 2, false },
                                      { 9, 9, 3, 16, 3, 1, 1, 2, true } };
    check(cases, COUNT(cases), "x86-64-v4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_pixels),
        cmocka_unit_test(of_pixels_on_avx512),
        cmocka_unit_test(of_one_to_four_channels),
        cmocka_unit_test(of_one_to_three_channels_on_avx512),
    };
    return cmocka_run_group_tests_name("conv_thin", tests, NULL, NULL);
}
