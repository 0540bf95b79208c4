/* conv_winograd against the definition: where it fits (3x3, stride 1), with tiles that reach over
 * the border, pools it takes in and upsampling by 2. The bound that conv_winograd.c states: 2e-6 of
 * the largest value forward, 4e-6 backward, in float. */
#include "build.h"
#include "cases.h"
#include "compare.h"
#include "model.h"

static const Tolerance tolerance = { sizeof(real) == 8 ? 1e-12 : 2e-6,
                                     sizeof(real) == 8 ? 1e-12 : 4e-6 };

static void check(const ConvCase *cases, size_t count, const char *target)
{
    compare_with_plain(cases, count, target, "conv_winograd", tolerance);
}

static const ConvCase channels[] = {
    { 8, 8, 3, 1, 3, 1, 1, 0, false },    { 8, 8, 1, 5, 3, 1, 1, 0, false },
    { 8, 12, 17, 16, 3, 1, 1, 0, false }, { 4, 8, 8, 33, 3, 1, 1, 0, false },
    { 4, 4, 20, 70, 3, 1, 1, 0, false },  { 8, 8, 0, 17, 3, 1, 1, 0, false },
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
    check(channels + 1, 4, "x86-64-v4");
}

/* Sides of 4 n, 4 n + 1, + 2 and + 3; images of many tiles and several strips. */
static void any_size(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 5, 7, 5, 6, 3, 1, 1, 0, false },   { 6, 9, 5, 6, 3, 1, 1, 0, false },
        { 7, 4, 5, 6, 3, 1, 1, 0, false },   { 4, 13, 5, 6, 3, 1, 1, 0, false },
        { 39, 37, 3, 8, 3, 1, 1, 0, false }, { 9, 9, 4, 5, 3, 1, 1, 0, true },
    };
    check(cases, COUNT(cases), "x86-64-v3");
    check(&cases[1], 1, "x86-64-v2");
}

static void pool_taken_in_and_not(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 8, 6, 3, 8, 3, 1, 1, 2, false },   { 9, 9, 3, 5, 3, 1, 1, 2, false },
        { 8, 11, 3, 17, 3, 1, 1, 2, false }, { 7, 11, 3, 6, 3, 1, 1, 3, false },
        { 8, 12, 3, 6, 3, 1, 1, 4, false },  { 11, 11, 0, 6, 3, 1, 1, 4, false },
    };
    check(cases, COUNT(cases), "x86-64-v3");
    check(&cases[2], 1, "c");
}

static void upsampled_input(void **state)
{
    (void)state;
    static const ConvCase cases[] = {
        { 4, 4, 6, 5, 3, 1, 2, 2, false },
        { 5, 6, 4, 9, 3, 1, 2, 2, false },
        { 7, 9, 3, 17, 3, 1, 2, 2, false },
        { 3, 5, 3, 4, 3, 1, 2, 0, false },
    };
    check(cases, 3, "x86-64-v3");
    check(&cases[1], 1, "c");
}

/* Products whose weights are 0 are left out where a phase's channels are whole blocks (by phases of
   16 on AVX2), or the one block is a vector of each phase (AVX-512 alone has four; of 16 channels
   in float, of 8 in double), over several strips too; and nothing where a phase is a little less
   than a vector. */
static void upsampled_input_by_phases(void **state)
{
    (void)state;
    static const ConvCase cases[] = { { 9, 6, 20, 16, 3, 1, 2, 0, false },
                                      { 6, 7, 3, 8, 3, 1, 2, 2, false },
                                      { 33, 30, 3, 16, 3, 1, 2, 0, false } };
    check(cases, COUNT(cases), "x86-64-v3");
    check(&cases[1], 1, "c");
    check(&cases[1], 1, "x86-64-v2");
}

static void upsampled_input_by_phases_on_avx512(void **state)
{
    (void)state;
    static const int channels_of[][2] = { { 16, 8 },  { 13, 7 },  { 15, 5 },
                                          { 64, 32 }, { 32, 16 }, { 14, 6 } };
    for (size_t i = 0; i < COUNT(channels_of); i++) {
        int channels_ = channels_of[i][sizeof(real) == 8];
        const ConvCase cases[] = { { 6, 7, 3, channels_, 3, 1, 2, 2, false },
                                   { 33, 30, 5, channels_, 3, 1, 2, 0, false } };
        check(&cases[i % 2], 1, "x86-64-v4");
    }
}

/* Where all gradients come from sums at the end of a chunk, the backward pass of an image writes
   none: the C must compile without a warning. */
static void without_biases(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" { input = { 8, 8, 3 },\n"
        "  encoder = sequential \"encoder\" { conv2d { filters = 4, kernel = 3, use_bias = false } "
        "},\n"
        "  decoder = sequential \"decoder\" { conv2d { filters = 3, kernel = 3, use_bias = false } "
        "} }\n";
    Built built = build_model_merged(
        graph, "--target x86-64-v3 --kernel encoder.conv1.dw=conv_winograd --kernel "
               "decoder.conv1.dw=conv_winograd");
    built_free(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_channels),
        cmocka_unit_test(any_number_of_channels_on_avx512),
        cmocka_unit_test(any_size),
        cmocka_unit_test(pool_taken_in_and_not),
        cmocka_unit_test(upsampled_input),
        cmocka_unit_test(upsampled_input_by_phases),
        cmocka_unit_test(upsampled_input_by_phases_on_avx512),
        cmocka_unit_test(without_biases),
    };
    return cmocka_run_group_tests_name("conv_winograd", tests, NULL, NULL);
}
