/* Layers with trainable = false, between others and below them, by every kernel: what is trained
   has its gradient, and they have none. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

/* Rests below, between and above what is trained. */
static Net net_of(const char *activation)
{
    return (Net){
        .height = 8,
        .width = 12,
        .channels = 3,
        .encoder = { { CONV, .filters = 6, .kernel = 3, .activation = activation, .rests = true },
                     { POOL, .size = 2 },
                     { CONV, .filters = 8, .kernel = 3, .activation = activation },
                     { NORM, .groups = 2, .rests = true },
                     { LAYER_NORM, .rests = true },
                     { DEPTHWISE, .kernel = 3, .rests = true } },
        .decoder = { { CONV, .filters = 8, .kernel = 3, .activation = activation, .rests = true },
                     { PRELU },
                     { UP, .size = 2 },
                     { CONV, .filters = 4, .kernel = 3 },
                     { PRELU, .rests = true },
                     { CONV, .filters = 3, .kernel = 3, .rests = true } }
    };
}

static void by_every_convolution(void **state)
{
    (void)state;
    static const char *const kernels[] = { "conv_direct", "conv_winograd" };
    Net net = net_of("tanh");
    check_net(&net, "c", "");
    for (int i = 0; i < 2; i++) {
        char *forced = net_force(&net, kernels[i]);
        check_net(&net, "x86-64-v3", forced);
        free(forced);
    }
}

static void of_dense_and_transposed_layers(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 2,
                .encoder = { { FLATTEN },
                             { DENSE, .units = 12, .activation = "tanh", .rests = true },
                             { DENSE, .units = 9, .activation = "tanh" },
                             { DENSE, .units = 5, .rests = true } },
                .decoder = { { DENSE, .units = 32, .no_bias = true, .rests = true },
                             { RESHAPE, .shape = { 2, 2, 8 } },
                             { DECONV, .filters = 2, .kernel = 3, .rests = true } } };
    check_net(&net, "x86-64-v3", "");
    check_net_by(&net, "x86-64-v3", "dense_plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_every_convolution),
                                        cmocka_unit_test(of_dense_and_transposed_layers) };
    return cmocka_run_group_tests_name("trainable", tests, NULL, NULL);
}
