/* conv2d_transpose in every attribute, forward against the naive scattering and backward against
   finite differences. */
#include "cases.h"
#include "drive.h"

/* In float every second case, as for conv2d. */
enum { STEP = sizeof(real) == 8 ? 1 : 2 };

static Net closed(Net net)
{
    net_close(&net);
    return net;
}

static Net of_kernel(int kernel, int stride, int height, int width)
{
    return closed((Net){
        .height = height,
        .width = width,
        .channels = 3,
        .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh", .plain = true } },
        .decoder = {
            { DECONV, .filters = 5, .kernel = kernel, .stride = stride, .activation = "tanh" } } });
}

/* Kernels smaller than the stride leave pixels that get the bias alone. */
static void kernels_and_strides(void **state)
{
    (void)state;
    for (int stride = 1; stride <= 3; stride++)
        for (int kernel = 1; kernel <= 7; kernel += STEP) {
            Net net = of_kernel(kernel, stride, 4 + kernel % 3, 5 + kernel % 2);
            check_net_by(&net, "x86-64-v3", "conv_direct");
        }
}

static void by_conv_plain(void **state)
{
    (void)state;
    for (int stride = 1; stride <= 3; stride++) {
        Net net = of_kernel(1 + stride, stride, 5, 4);
        check_net_by(&net, "x86-64-v3", "conv_plain");
        check_net_by(&net, "c", "conv_plain");
    }
}

static void stride_is_two_by_default(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 6,
                .channels = 2,
                .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = 2,
                               .activation = "relu" } },
                .decoder = { { DECONV, .filters = 2, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

static void each_activation(void **state)
{
    (void)state;
    static const char *const names[] = { "relu",     "leaky_relu", "sigmoid", "tanh",
                                         "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Net net = { .height = 8,
                    .width = 6,
                    .channels = 2,
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = 2,
                                   .activation = "tanh", .plain = true } },
                    .decoder = { { DECONV, .filters = 9, .kernel = 4, .activation = names[i],
                                   .no_bias = i % 2 },
                                 { CONV, .filters = 2, .kernel = 1, .plain = true } } };
        check_net_by(&net, "x86-64-v3", "conv_direct");
    }
}

static void numbers_of_channels(void **state)
{
    (void)state;
    const int channels[] = { 1, 3, 16, 17, 33 };
    for (int i = 0; i < 5; i++) {
        Net net = { .height = 12,
                    .width = 8,
                    .channels = 1 + i % 3,
                    .encoder = { { CONV, .filters = channels[i], .kernel = 3, .stride = 4,
                                   .activation = "tanh", .plain = true } },
                    .decoder = {
                        { DECONV, .filters = channels[4 - i], .kernel = 3, .activation = "tanh" },
                        { DECONV, .filters = 1 + i % 3, .kernel = 5 } } };
        check_net(&net, i % 2 ? "x86-64-v3" : "x86-64-v4", "");
    }
}

/* In front of it and after it what other kernels take in: pools of both kinds, upsampling, an
   activation alone. */
static void among_other_layers(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v3", "c", "x86-64-v2" };
    for (int i = 0; i < 3; i++) {
        Net net = { .height = 9,
                    .width = 12,
                    .channels = 2,
                    .encoder = { { DECONV, .filters = 3, .kernel = 3, .activation = "relu" },
                                 { POOL, .size = 3 },
                                 { AVG, .size = 2 } },
                    .decoder = {
                        { UP, .size = 2 },
                        { DECONV, .filters = 5, .kernel = 3, .stride = 3, .activation = "tanh" },
                        { AVG, .size = 2 },
                        { ACT, .activation = "elu" },
                        { CONV, .filters = 2, .kernel = 3 } } };
        check_net(&net, targets[i], "");
    }
}

/* Rows and columns of its output that fill no window carry no gradient. */
static void in_front_of_a_pool_with_rows_left_over(void **state)
{
    (void)state;
    for (int average = 0; average < 2; average++)
        for (int kernel = 1; kernel <= 3; kernel += 2) {
            Net net = closed((Net){
                .height = 7,
                .width = 7,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 5, .stride = 4, .activation = "tanh",
                               .plain = true } },
                .decoder = { { DECONV, .filters = 6, .kernel = kernel + 2, .activation = "tanh" },
                             { CONV, .filters = 5, .kernel = 2, .valid = true, .plain = true },
                             { DECONV, .filters = 4, .kernel = kernel, .stride = 3,
                               .activation = average ? "elu" : "relu" },
                             { average ? AVG : POOL, .size = 2 } } });
            check_net_by(&net, "x86-64-v3", "conv_direct");
        }
}

/* PyTorch's sizes: zeros are cut off on each side alone, and more rows and columns come after. */
static void padding_in_numbers(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 8,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .stride = 2,
                               .activation = "tanh" } },
                .decoder = { { DECONV, .filters = 4, .kernel = 3, .kernel_w = 2, .padded = true,
                               .pad = { 1, 0, 1, 0 }, .activation = "tanh" },
                             { CONV, .filters = 3, .kernel = 2, .stride = 2 },
                             { DECONV, .filters = 2, .kernel = 3, .kernel_w = 4, .padded = true,
                               .pad = { 0, 6, 3, 5 }, .enlarged = true, .more = { 1, 3 },
                               .dilation = 1, .dilation_w = 4, .stride = 2, .stride_w = 1 } } };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

/* Keras's sizes with output_padding, of odd and of even windows. */
static void more_of_the_same(void **state)
{
    (void)state;
    Net net = { .height = 7,
                .width = 7,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .stride = 3, .stride_w = 2,
                               .activation = "tanh" } },
                .decoder = { { DECONV, .filters = 2, .kernel = 3, .kernel_w = 4, .stride = 3,
                               .stride_w = 2, .enlarged = true, .more = { 0, 1 } } } };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

/* Strides and dilations with and without a divisor in common, groups, and no padding. */
static void dilated_in_groups(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 10,
                .channels = 3,
                .encoder = { { CONV, .filters = 6, .kernel = 3, .stride = 2, .stride_w = 3,
                               .activation = "tanh" } },
                .decoder = {
                    { DECONV, .filters = 4, .kernel = 2, .kernel_w = 3, .stride = 1, .stride_w = 2,
                      .dilation = 3, .dilation_w = 2, .valid = true, .groups = 2,
                      .activation = "tanh" },
                    { DECONV, .filters = 34, .kernel = 3, .stride = 2, .stride_w = 1, .dilation = 3,
                      .groups = 2, .activation = "tanh" },
                    { POOL, .size = 2 },
                    { CONV, .filters = 3, .kernel = 1, .padded = true, .pad = { 1, 3, 0, 2 } } } };
    check_net_by(&net, "x86-64-v3", "conv_direct");
    check_net_by(&net, "c", "conv_plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_in_numbers),
        cmocka_unit_test(more_of_the_same),
        cmocka_unit_test(dilated_in_groups),
        cmocka_unit_test(kernels_and_strides),
        cmocka_unit_test(by_conv_plain),
        cmocka_unit_test(stride_is_two_by_default),
        cmocka_unit_test(each_activation),
        cmocka_unit_test(numbers_of_channels),
        cmocka_unit_test(among_other_layers),
        cmocka_unit_test(in_front_of_a_pool_with_rows_left_over),
    };
    return cmocka_run_group_tests_name("conv2d_transpose", tests, NULL, NULL);
}
