/* conv_direct against the definition: any number of channels, width, stride, kernel, upsampling and
   pool. */
#include "cases.h"
#include "compare.h"
#include "model.h"

/* In float a sum of n products differs by some roundings of its largest part. */
static const Tolerance tolerance = { sizeof(real) == 8 ? 1e-13 : 1e-5,
                                     sizeof(real) == 8 ? 1e-12 : 2e-5 };

static void check(const ConvCase *cases, size_t count, const char *target)
{
    compare_with_plain(cases, count, target, "conv_direct", tolerance);
}

/* Channels that are no multiple of a vector, one that is one, and ones that need several blocks. */
static const ConvCase channels[] = {
    { 6, 7, 3, 1, 3, 1, 1, 0, false },   { 6, 7, 1, 3, 3, 1, 1, 0, false },
    { 6, 7, 2, 5, 3, 1, 1, 0, false },   { 6, 7, 17, 17, 3, 1, 1, 0, false },
    { 6, 7, 33, 16, 3, 1, 1, 0, false }, { 5, 9, 8, 33, 3, 1, 1, 0, false },
    { 4, 5, 20, 70, 2, 1, 1, 0, false }, { 7, 9, 0, 17, 3, 1, 1, 0, false },
};

static void any_number_of_channels(void **state)
{
    (void)state;
    check(channels, COUNT(channels), "x86-64-v3");
}

static void any_number_of_channels_on_avx512(void **state)
{
    (void)state;
    check(channels + 2, 3, "x86-64-v4");
    check(channels + 6, 1, "x86-64-v4");
}

/* Signals, of one segment and of several, with holes in the kernel too. */
static void signals(void **state)
{
    (void)state;
    static const LineCase cases[] = {
        { { 1, 150, 3, 17, 1, 1, 1, 0, false }, .kernel_w = 5 },
        { { 1, 256, 0, 9, 1, 1, 1, 0, false }, .kernel_w = 7 },
        { { 1, 192, 4, 33, 1, 1, 1, 0, false }, .kernel_w = 3, .dilation_w = 4 },
    };
    compare_lines_with_plain(cases, COUNT(cases), "x86-64-v3", "conv_direct", tolerance);
    compare_lines_with_plain(cases, 1, "c", "conv_direct", tolerance);
}

/* Segments of strided and transposed convolutions, whose phases begin anew in each. */
static void strided_signals(void **state)
{
    (void)state;
    static const Net net = { .height = 1,
                             .width = 512,
                             .channels = 3,
                             .encoder = { { CONV, .filters = 9, .kernel = 1, .kernel_w = 7,
                                            .stride = 1, .stride_w = 2, .activation = "relu" },
                                          { CONV, .filters = 17, .kernel = 1, .kernel_w = 2,
                                            .stride = 1, .stride_w = 4, .activation = "tanh" } },
                             .decoder = { { DECONV, .filters = 5, .kernel = 1, .kernel_w = 5,
                                            .stride = 1, .stride_w = 4, .activation = "elu" },
                                          { DECONV, .filters = 3, .kernel = 1, .kernel_w = 4,
                                            .stride = 1, .stride_w = 2 } } };
    compare_net_with_plain(&net, "x86-64-v3", "conv_direct", tolerance);
    compare_net_with_plain(&net, "c", "conv_direct", tolerance);
}

/* Segments of dW with a shorter one at the end, and columns that no window meets after it, which
   count for the bias. */
static void segments_with_a_rest(void **state)
{
    (void)state;
    static const Net net = {
        .height = 1,
        .width = 597,
        .channels = 3,
        .encoder = { { CONV, .filters = 20, .kernel = 1, .kernel_w = 6, .stride = 1, .stride_w = 3,
                       .padded = true, .pad = { 0, 2, 0, 1 }, .activation = "tanh" },
                     { CONV, .filters = 6, .kernel = 1, .kernel_w = 1, .activation = "relu" } },
        .decoder = { { DECONV, .filters = 3, .kernel = 1, .kernel_w = 2, .stride = 1, .stride_w = 3,
                       .padded = true, .enlarged = true, .more = { 0, 1 } } }
    };
    compare_net_with_plain(&net, "x86-64-v3", "conv_direct", tolerance);
    compare_net_with_plain(&net, "c", "conv_direct", tolerance);
}

/* More zeros than a segment has columns; a single row that lies on zeros. */
static void padded_signals(void **state)
{
    (void)state;
    static const Net wide = { .height = 1,
                              .width = 250,
                              .channels = 3,
                              .encoder = { { CONV, .filters = 9, .kernel = 1, .kernel_w = 3,
                                             .padded = true, .pad = { 0, 100, 0, 100 },
                                             .activation = "tanh" } },
                              .decoder = { { CROP, .pad = { 0, 99, 0, 99 } },
                                           { CONV, .filters = 3, .kernel = 1, .kernel_w = 3 } } };
    static const Net above = { .height = 1,
                               .width = 256,
                               .channels = 3,
                               .encoder = { { CONV, .filters = 4, .kernel = 1, .kernel_w = 3,
                                              .stride = 3, .stride_w = 1, .padded = true,
                                              .pad = { 1, 1, 1, 1 }, .activation = "tanh" } },
                               .decoder = { { CONV, .filters = 3, .kernel = 1, .kernel_w = 3 } } };
    compare_net_with_plain(&wide, "x86-64-v3", "conv_direct", tolerance);
    compare_net_with_plain(&above, "x86-64-v3", "conv_direct", tolerance);
}

/* Holes that span many more rows than there are. */
static void windows_beyond_the_image(void **state)
{
    (void)state;
    static const Net net = {
        .height = 6,
        .width = 9,
        .channels = 3,
        .encoder = { { CONV, .filters = 5, .kernel = 3, .dilation = 40, .dilation_w = 2,
                       .activation = "tanh" },
                     { CONV, .filters = 4, .kernel = 5, .dilation = 3, .activation = "tanh" } },
        .decoder = { { DECONV, .filters = 3, .kernel = 3, .stride = 1, .dilation = 5 } }
    };
    compare_net_with_plain(&net, "x86-64-v3", "conv_direct", tolerance);
}

/* Widths below, at and above what a tile holds, up to several tiles and a rest. */
static void any_width(void **state)
{
    (void)state;
    static const ConvCase shapes[] = {
        { 3, 1, 5, 6, 3, 1, 1, 0, false },
        { 2, 13, 5, 6, 3, 1, 1, 0, false },
        { 3, 23, 3, 8, 5, 1, 1, 0, false },
        { 3, 31, 5, 17, 3, 1, 1, 0, false },
    };
    check(shapes, COUNT(shapes), "x86-64-v3");
}

static void stride_larger_than_the_kernel(void **state)
{
    (void)state;
    static const ConvCase shapes[] = {
        { 12, 8, 5, 6, 1, 2, 1, 0, false },
        { 12, 18, 5, 9, 2, 3, 1, 0, false },
        { 16, 12, 3, 5, 2, 4, 1, 0, false },
        { 13, 13, 3, 5, 2, 3, 1, 0, true },
    };
    check(shapes, COUNT(shapes), "x86-64-v3");
    check(&shapes[1], 1, "c");
}

static void kernel_larger_than_the_image(void **state)
{
    (void)state;
    static const ConvCase shapes[] = {
        { 3, 4, 3, 5, 7, 1, 1, 0, false },
        { 2, 1, 3, 17, 5, 1, 1, 0, false },
        { 4, 4, 3, 5, 9, 2, 1, 0, false },
    };
    check(shapes, COUNT(shapes), "x86-64-v3");
    check(&shapes[0], 1, "x86-64-v2");
}

static void upsampled_input(void **state)
{
    (void)state;
    static const ConvCase shapes[] = {
        { 5, 4, 6, 5, 3, 1, 2, 2, false }, { 4, 5, 3, 17, 3, 1, 3, 3, false },
        { 5, 6, 4, 9, 2, 2, 2, 0, false }, { 4, 4, 4, 9, 5, 3, 3, 0, false },
        { 6, 6, 4, 5, 3, 1, 2, 2, true },  { 4, 4, 4, 5, 4, 2, 3, 0, true },
    };
    check(shapes, COUNT(shapes), "x86-64-v3");
    check(&shapes[1], 1, "c");
}

/* The pool is taken in; rows and columns that fill no window get no gradient. */
static void pool_with_rows_left_over(void **state)
{
    (void)state;
    static const ConvCase shapes[] = {
        { 9, 9, 3, 5, 3, 1, 1, 2, false },   { 8, 6, 3, 8, 3, 1, 1, 2, false },
        { 8, 11, 3, 17, 3, 1, 1, 2, false }, { 7, 11, 3, 6, 3, 1, 1, 3, false },
        { 11, 11, 3, 6, 5, 2, 1, 4, false }, { 5, 5, 3, 6, 3, 1, 1, 5, false },
    };
    check(shapes, COUNT(shapes), "x86-64-v3");
    check(&shapes[3], 1, "x86-64-v2");
    check(&shapes[2], 1, "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_channels),
        cmocka_unit_test(any_number_of_channels_on_avx512),
        cmocka_unit_test(signals),
        cmocka_unit_test(strided_signals),
        cmocka_unit_test(segments_with_a_rest),
        cmocka_unit_test(padded_signals),
        cmocka_unit_test(windows_beyond_the_image),
        cmocka_unit_test(any_width),
        cmocka_unit_test(stride_larger_than_the_kernel),
        cmocka_unit_test(kernel_larger_than_the_image),
        cmocka_unit_test(upsampled_input),
        cmocka_unit_test(pool_with_rows_left_over),
    };
    return cmocka_run_group_tests_name("conv_direct", tests, NULL, NULL);
}
