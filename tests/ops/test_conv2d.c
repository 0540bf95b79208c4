/* conv2d in every attribute, forward against the naive sum and backward against finite differences.
 * Each net holds several convolutions, closed by one that brings the input's shape back. */
#include "cases.h"
#include "drive.h"

/* In float every second case: the text differs from double's only in its type and lanes, and no
   gradient is checked. */
enum { STEP = sizeof(real) == 8 ? 1 : 2 };

static Net closed(Net net)
{
    net_close(&net);
    return net;
}

static void square_kernels_1_to_7(void **state)
{
    (void)state;
    for (int kernel = 1; kernel <= 7; kernel += STEP) {
        Net net = closed((Net){
            .height = 9,
            .width = 12,
            .channels = 3,
            .encoder = { { CONV, .filters = 5, .kernel = kernel, .activation = "tanh" },
                         { CONV, .filters = 4, .kernel = 8 - kernel, .activation = "sigmoid" } } });
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

/* The image is enlarged first, so that a convolution by 7 brings any of the sizes back. */
static void kernels_without_padding(void **state)
{
    (void)state;
    for (int kernel = 1; kernel <= 7; kernel += STEP) {
        Net net = { .height = 3,
                    .width = 2,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 2, .kernel = 1, .plain = true },
                                 { UP, .size = 7 },
                                 { CONV, .filters = 3, .kernel = 1, .plain = true } },
                    .decoder = {
                        { CONV, .filters = 5, .kernel = kernel, .valid = true,
                          .activation = "tanh" },
                        { CONV, .filters = 3, .kernel = 3, .stride = 7, .plain = true } } };
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

/* Sizes that leave 0, 1 and 2 pixels over, another number in each direction, so that the odd zero
   of "same" falls in all places. */
static void strides_with_padding(void **state)
{
    (void)state;
    static const struct {
        int stride, kernel, height, width;
    } cases[] = {
        { 2, 1, 7, 10 }, { 2, 2, 7, 12 }, { 2, 3, 9, 12 }, { 2, 4, 6, 7 },  { 2, 5, 8, 9 },
        { 3, 1, 7, 11 }, { 3, 2, 8, 10 }, { 3, 3, 8, 12 }, { 3, 4, 8, 13 }, { 3, 5, 11, 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i += STEP) {
        Net net = closed((Net){ .height = cases[i].height,
                                .width = cases[i].width,
                                .channels = 3,
                                .encoder = { { CONV, .filters = 4, .kernel = cases[i].kernel,
                                               .stride = cases[i].stride, .activation = "tanh" },
                                             { CONV, .filters = 5, .kernel = 3 } } });
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

static void strides_without_padding(void **state)
{
    (void)state;
    for (int stride = 2; stride <= 3; stride++)
        for (int kernel = 2; kernel <= 4; kernel++) {
            Net net = closed(
                (Net){ .height = 13,
                       .width = 13,
                       .channels = 2,
                       .encoder = { { CONV, .filters = 6, .kernel = 3 },
                                    { CONV, .filters = 4, .kernel = kernel, .stride = stride,
                                      .valid = true, .activation = "tanh" } } });
            check_net_by(&net, "x86-64-v3", "conv_direct");
        }
}

static void odd_numbers_of_channels(void **state)
{
    (void)state;
    const int channels[] = { 1, 3, 5, 17, 33 };
    for (int i = 0; i < 5; i++) {
        Net net = closed(
            (Net){ .height = 7,
                   .width = 10,
                   .channels = i % 2 ? 3 : 1,
                   .encoder = {
                       { CONV, .filters = channels[i], .kernel = 3, .activation = "tanh" },
                       { CONV, .filters = channels[4 - i], .kernel = 3, .activation = "tanh" } } });
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

static void without_bias(void **state)
{
    (void)state;
    Net net = closed((Net){
        .height = 8,
        .width = 6,
        .channels = 3,
        .encoder = { { CONV, .filters = 5, .kernel = 3, .no_bias = true, .activation = "relu" },
                     { POOL, .size = 2 },
                     { CONV, .filters = 4, .kernel = 3, .no_bias = true } } });
    check_net_by(&net, "x86-64-v3", "conv_direct");
}

static void every_activation(void **state)
{
    (void)state;
    static const char *const names[] = { "relu",     "leaky_relu", "sigmoid", "tanh",
                                         "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Net net = closed(
            (Net){ .height = 6,
                   .width = 9,
                   .channels = 3,
                   .scale = 1.5,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = names[i] },
                                { CONV, .filters = 9, .kernel = 3, .activation = names[i] } } });
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

/* A window that reaches over both borders at once, and one larger than the image. */
static void kernel_larger_than_the_image(void **state)
{
    (void)state;
    Net net = closed((Net){ .height = 3,
                            .width = 4,
                            .channels = 3,
                            .encoder = { { CONV, .filters = 5, .kernel = 7, .activation = "tanh" },
                                         { CONV, .filters = 2, .kernel = 6 } } });
    check_net_by(&net, "x86-64-v3", "conv_direct");
}

static void one_pixel(void **state)
{
    (void)state;
    Net net = closed((Net){ .height = 1,
                            .width = 1,
                            .channels = 1,
                            .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                                         { CONV, .filters = 2, .kernel = 1 } } });
    check_net_by(&net, "x86-64-v3", "conv_direct");
}

/* A net with pool, upsampling, stride and padding, for each machine and kernel. */
static void on_each_target(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v2", "c" };
    for (int i = 0; i < 2; i++) {
        Net net = closed((Net){
            .height = 10,
            .width = 14,
            .channels = 3,
            .encoder = { { CONV, .filters = 17, .kernel = 3, .activation = "relu" },
                         { POOL, .size = 2 },
                         { CONV, .filters = 6, .kernel = 4, .stride = 2, .activation = "tanh" } },
            .decoder = { { UP, .size = 2 },
                         { CONV, .filters = 9, .kernel = 3, .activation = "elu" } } });
        check_net(&net, targets[i], "");
        check_net_by(&net, targets[i], "conv_direct");
    }
}

static void on_avx512(void **state)
{
    (void)state;
    for (int filters = 15; filters <= 40; filters += 24) {
        Net net = closed((Net){
            .height = 10,
            .width = 14,
            .channels = 3,
            .encoder = { { CONV, .filters = filters, .kernel = 3, .activation = "relu" },
                         { POOL, .size = 2 },
                         { CONV, .filters = 6, .kernel = 4, .stride = 2, .activation = "tanh" } },
            .decoder = { { UP, .size = 2 },
                         { CONV, .filters = filters + 2, .kernel = 3, .activation = "elu" } } });
        check_net(&net, "x86-64-v4", "");
        check_net_by(&net, "x86-64-v4", "conv_direct");
    }
}

static void by_conv_plain(void **state)
{
    (void)state;
    Net net = closed((Net){
        .height = 10,
        .width = 14,
        .channels = 3,
        .encoder = { { CONV, .filters = 7, .kernel = 3, .activation = "relu" },
                     { POOL, .size = 2 },
                     { CONV, .filters = 6, .kernel = 4, .stride = 2, .activation = "tanh" } },
        .decoder = { { UP, .size = 2 },
                     { CONV, .filters = 9, .kernel = 3, .activation = "elu" } } });
    check_net_by(&net, "x86-64-v3", "conv_plain");
    Net valid = closed((Net){
        .height = 13,
        .width = 13,
        .channels = 1,
        .encoder = { { CONV, .filters = 7, .kernel = 4, .stride = 3, .activation = "sigmoid" },
                     { CONV, .filters = 6, .kernel = 2, .valid = true } } });
    check_net_by(&valid, "c", "conv_plain");
}

/* What caec chooses by itself, where the images are large enough that every kernel could be it. */
static void by_choice(void **state)
{
    (void)state;
    Net net = { .height = 16,
                .width = 24,
                .channels = 3,
                .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = "relu" },
                             { POOL, .size = 2 },
                             { CONV, .filters = 16, .kernel = 3, .activation = "tanh" } },
                .decoder = { { CONV, .filters = 16, .kernel = 3, .activation = "elu" },
                             { UP, .size = 2 },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "c", "");
}

/* Two sides each of kernel, stride and padding, and rows of which a window skips some. */
static void rectangles(void **state)
{
    (void)state;
    Net net = {
        .height = 9,
        .width = 14,
        .channels = 3,
        .encoder = { { CONV, .filters = 5, .kernel = 2, .kernel_w = 5, .activation = "tanh" },
                     { CONV, .filters = 4, .kernel = 4, .kernel_w = 1, .stride = 1, .stride_w = 2,
                       .padded = true, .pad = { 2, 0, 1, 0 }, .activation = "sigmoid" },
                     { CONV, .filters = 6, .kernel = 3, .kernel_w = 2, .stride = 2, .stride_w = 3,
                       .padded = true, .pad = { 0, 1, 2, 2 } } },
        .decoder = { { UP, .size = 3 },
                     { CONV, .filters = 3, .kernel = 7, .kernel_w = 3, .padded = true,
                       .pad = { 0, 3, 0, 4 } } }
    };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

/* Taps with holes between them, a stride that meets them or not, zeros wider than the window. */
static void dilated(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 10,
                .channels = 2,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .dilation = 2, .dilation_w = 3,
                               .activation = "tanh" },
                             { CONV, .filters = 4, .kernel = 3, .kernel_w = 4, .stride = 2,
                               .dilation = 3, .dilation_w = 2, .activation = "tanh" },
                             { CONV, .filters = 4, .kernel = 1, .padded = true,
                               .pad = { 2, 1, 0, 3 }, .activation = "tanh" },
                             { CONV, .filters = 4, .kernel = 3, .valid = true, .dilation = 2,
                               .dilation_w = 4 } },
                .decoder = {
                    { CONV, .filters = 4, .kernel = 2, .padded = true, .pad = { 2, 4, 1, 5 } },
                    { UP, .size = 2 },
                    { CONV, .filters = 2, .kernel = 3, .stride = 1, .stride_w = 2, .dilation = 2,
                      .padded = true, .pad = { 2, 2, 2, 3 } } } };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

/* Few and many channels of a group, more than a vector and fewer; pool and activation after it. */
static void in_groups(void **state)
{
    (void)state;
    Net net = {
        .height = 8,
        .width = 6,
        .channels = 4,
        .encoder = { { CONV, .filters = 18, .kernel = 3, .groups = 2, .activation = "tanh" },
                     { POOL, .size = 2 },
                     { CONV, .filters = 27, .kernel = 3, .kernel_w = 2, .groups = 9, .dilation = 2,
                       .activation = "tanh" },
                     { CONV, .filters = 9, .kernel = 2, .groups = 9, .stride = 2, .stride_w = 1 } },
        .decoder = { { UP, .size = 4 },
                     { CONV, .filters = 4, .kernel = 3, .stride = 1, .stride_w = 2, .groups = 1 } }
    };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

/* Strips of one row, where a window has rows outside the image. */
static void one_row_in_groups(void **state)
{
    (void)state;
    Net net = closed((Net){
        .height = 1,
        .width = 5,
        .channels = 2,
        .encoder = { { CONV, .filters = 4, .kernel = 3, .groups = 2, .activation = "tanh" },
                     { CONV, .filters = 3, .kernel = 5, .dilation = 2, .activation = "tanh" } } });
    check_net_by(&net, "x86-64-v3", "conv_direct");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(square_kernels_1_to_7),
        cmocka_unit_test(kernels_without_padding),
        cmocka_unit_test(strides_with_padding),
        cmocka_unit_test(strides_without_padding),
        cmocka_unit_test(odd_numbers_of_channels),
        cmocka_unit_test(without_bias),
        cmocka_unit_test(every_activation),
        cmocka_unit_test(kernel_larger_than_the_image),
        cmocka_unit_test(one_pixel),
        cmocka_unit_test(on_each_target),
        cmocka_unit_test(on_avx512),
        cmocka_unit_test(by_conv_plain),
        cmocka_unit_test(by_choice),
        cmocka_unit_test(rectangles),
        cmocka_unit_test(dilated),
        cmocka_unit_test(in_groups),
        cmocka_unit_test(one_row_in_groups),
    };
    return cmocka_run_group_tests_name("conv2d", tests, NULL, NULL);
}
