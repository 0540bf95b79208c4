/* avg_pool2d: sizes, rows and columns that fill no window, after each kind of layer (taken into the
   convolution, or alone). */
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static Net closed(Net net)
{
    net_close(&net);
    return net;
}

static void sizes_2_to_4(void **state)
{
    (void)state;
    static const struct {
        int size, height, width;
    } cases[] = { { 2, 8, 6 },  { 2, 9, 9 }, { 2, 8, 11 }, { 3, 9, 6 },
                  { 3, 7, 11 }, { 4, 8, 8 }, { 1, 5, 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Net net = closed(
            (Net){ .height = cases[i].height,
                   .width = cases[i].width,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                                { AVG, .size = cases[i].size },
                                { CONV, .filters = 4, .kernel = 3 } } });
        check_net(&net, "x86-64-v3", "");
    }
}

/* Training keeps the value before the pool where an activation's gradient reads it; with a linear
   one, and in inference, the pool is taken in. */
static void behind_each_activation(void **state)
{
    (void)state;
    static const char *const names[] = { "relu",     "leaky_relu", "sigmoid",
                                         "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Net net = closed((Net){ .height = 9,
                                .width = 9,
                                .channels = 3,
                                .encoder = { { CONV, .filters = i % 2 ? 8 : 5, .kernel = 3,
                                               .activation = names[i], .no_bias = i == 3 },
                                             { AVG, .size = 2 },
                                             { CONV, .filters = 4, .kernel = 3 } } });
        check_net_by(&net, i % 2 ? "c" : "x86-64-v3", "conv_direct");
    }
}

static void behind_a_convolution_by_each_kernel(void **state)
{
    (void)state;
    static const char *const kernels[] = { "conv_direct", "conv_winograd", "conv_thin",
                                           "conv_plain" };
    for (int i = 0; i < 4; i++) {
        Net net = closed(
            (Net){ .height = 8,
                   .width = 12,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 16, .kernel = 3, .activation = "relu" },
                                { AVG, .size = 2 } } });
        char *options = text_of("--kernel encoder.conv1=%s", kernels[i]);
        check_net(&net, "x86-64-v3", options);
        free(options);
    }
}

static void alone(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 12,
                .channels = 2,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { UP, .size = 2 },
                             { AVG, .size = 3 } },
                .decoder = { { AVG, .size = 2 },
                             { ACT, .activation = "tanh" },
                             { AVG, .size = 1 },
                             { UP, .size = 3 },
                             { CONV, .filters = 2, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "c", "");
}

/* Windows that are no squares, overlap, leave gaps or reach over the border. */
static void windows_of_every_kind(void **state)
{
    (void)state;
    static const NetLayer windows[] = {
        { AVG, .size = 2, .size_w = 1 },
        { AVG, .size = 1, .size_w = 3 },
        { AVG, .size = 4, .size_w = 5 },
        { AVG, .size = 3, .stride = 2 },
        { AVG, .size = 3, .stride = 1, .stride_w = 2, .pad = { 1, 1, 1, 1 } },
        { AVG, .size = 2, .stride = 3, .stride_w = 4 },
        { AVG, .size = 2, .same = true },
        { AVG, .size = 3, .size_w = 2, .stride = 2, .stride_w = 1, .same = true },
        { AVG, .size = 5, .size_w = 2, .pad = { 4, 0, 2, 1 } },
        { AVG, .size = 20, .stride = 3, .stride_w = 1, .pad = { 15, 4, 8, 6 } },
    };
    Net net = net_of_pools(windows, sizeof windows / sizeof windows[0], 9, 11, 2);
    check_net(&net, sizeof(real) == 8 ? "c" : "x86-64-v3", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_2_to_4),
        cmocka_unit_test(behind_each_activation),
        cmocka_unit_test(behind_a_convolution_by_each_kernel),
        cmocka_unit_test(alone),
        cmocka_unit_test(windows_of_every_kind),
    };
    return cmocka_run_group_tests_name("avg_pool2d", tests, NULL, NULL);
}
