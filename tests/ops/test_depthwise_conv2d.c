/* depthwise_conv2d and separable_conv2d in every attribute, forward against the naive sum and
 * backward against finite differences. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

/* In float every third case: the text differs from double's only in its type and lanes. */
enum { STEP = sizeof(real) == 8 ? 1 : 3 };

static Net closed(Net net)
{
    net_close(&net);
    return net;
}

/* Depthwise layers of several sizes, and each with the next attribute. */
static void kernels_and_multipliers(void **state)
{
    (void)state;
    for (int kernel = 1; kernel <= 7; kernel += 3 * STEP) {
        Net net = closed((Net){
            .height = 9,
            .width = 12,
            .channels = 3,
            .encoder = { { DEPTHWISE, .kernel = kernel, .multiplier = 3, .activation = "tanh" },
                         { DEPTHWISE, .kernel = 8 - kernel, .kernel_w = 2, .activation = "relu6" },
                         { DEPTHWISE, .kernel = 1, .kernel_w = 11, .no_bias = true } } });
        check_net(&net, "x86-64-v3", "");
    }
}

static void strides_and_dilations(void **state)
{
    (void)state;
    static const struct {
        int stride, stride_w, dilation, dilation_w, kernel;
    } cases[] = { { 2, 0, 0, 0, 3 }, { 2, 0, 0, 0, 2 }, { 1, 2, 2, 1, 3 }, { 2, 1, 1, 2, 4 },
                  { 2, 0, 2, 0, 3 }, { 3, 3, 2, 2, 3 }, { 2, 2, 3, 3, 3 }, { 3, 3, 1, 1, 2 },
                  { 3, 3, 3, 3, 2 }, { 2, 0, 0, 0, 5 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i += STEP) {
        Net net = { .height = 8,
                    .width = 7,
                    .channels = 2,
                    .encoder = { { CONV, .filters = i % 2 ? 8 : 5, .kernel = 1, .plain = true },
                                 { DEPTHWISE, .kernel = cases[i].kernel, .stride = cases[i].stride,
                                   .stride_w = cases[i].stride_w, .dilation = cases[i].dilation,
                                   .dilation_w = cases[i].dilation_w, .activation = "tanh" },
                                 { .kind = FLATTEN },
                                 { DENSE, .units = 4 } },
                    .decoder = { { DENSE, .units = 8 * 7 * 2 },
                                 { RESHAPE, .shape = { 8, 7, 2 } } } };
        check_net(&net, "x86-64-v3", "");
    }
}

static void paddings(void **state)
{
    (void)state;
    static const int pads[][4] = { { 1, 2, 0, 3 }, { 0, 0, 0, 1 }, { 5, 4, 6, 7 }, { 0, 9, 0, 0 } };
    for (int i = 0; i < 5; i += STEP) {
        NetLayer l = {
            DEPTHWISE,       .kernel = 3,         .stride = 1 + i % 2,         .padded = i < 4,
            .valid = i == 4, .activation = "elu", .multiplier = i == 2 ? 2 : 0
        };
        memcpy(l.pad, i < 4 ? pads[i] : (int[4]){ 0 }, sizeof l.pad);
        Net net = { .height = 7,
                    .width = 6,
                    .channels = 4,
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .plain = true },
                                 l,
                                 { .kind = FLATTEN },
                                 { DENSE, .units = 4 } },
                    .decoder = { { DENSE, .units = 7 * 6 * 4 },
                                 { RESHAPE, .shape = { 7, 6, 4 } } } };
        check_net(&net, i % 2 ? "c" : "x86-64-v3", "");
    }
}

/* What the kernel takes in, with pools of either kind before and after the activation. */
static void pools_and_activations(void **state)
{
    (void)state;
    static const char *const activations[] = { "relu", "hard_swish", "softplus", "relu6", "gelu" };
    for (int i = 0; i < 5; i += STEP) {
        Net net = closed(
            (Net){ .height = 13,
                   .width = 14,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 9, .kernel = 3, .plain = true },
                                { DEPTHWISE, .kernel = 3, .activation = activations[i] },
                                { i % 2 ? AVG : POOL, .size = 2 },
                                { DEPTHWISE, .kernel = 5, .activation = activations[(i + 1) % 5],
                                  .multiplier = 1 + i % 2 },
                                { i % 2 ? POOL : AVG, .size = 2 + i % 2 } },
                   .decoder = { { .kind = FLATTEN },
                                { DENSE, .units = 9 * 10 },
                                { RESHAPE, .shape = { 9, 10, 1 } } } });
        check_net(&net, i == 4 ? "c" : "x86-64-v3", "");
    }
}

static void separable(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v3", "c", "x86-64-v2" };
    for (int i = 0; i < 3; i += STEP) {
        Net net = closed(
            (Net){ .height = 10,
                   .width = 14,
                   .channels = 3,
                   .wordy = i == 1,
                   .encoder = { { SEPARABLE, .filters = 17, .kernel = 3, .activation = "relu" },
                                { SEPARABLE, .filters = 9, .kernel = 5, .stride = 2,
                                  .multiplier = 2, .no_bias = i == 0, .activation = "tanh" } },
                   .decoder = { { UP, .size = 2 },
                                { SEPARABLE, .filters = 8, .kernel = 3, .dilation = 2,
                                  .activation = "hard_swish" } } });
        check_net(&net, targets[i], i == 1 ? "--memory-limit 140K" : "");
    }
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = closed(
        (Net){ .height = 10,
               .width = 18,
               .channels = 3,
               .encoder = { { CONV, .filters = 33, .kernel = 1, .plain = true },
                            { DEPTHWISE, .kernel = 5, .activation = "relu6" },
                            { DEPTHWISE, .kernel = 3, .stride = 2, .activation = "tanh" },
                            { POOL, .size = 1 } },
               .decoder = { { UP, .size = 2 },
                            { SEPARABLE, .filters = 16, .kernel = 3, .activation = "relu" } } });
    check_net(&net, "x86-64-v4", "");
}

static void refused(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@depthwise_conv2d { kernel = 9, padding = \"valid\" },", CONV3),
          "depthwise_conv2d: a 9x9 kernel with padding \"valid\" does not fit into 8x8; use "
          "padding = \"same\" or a smaller kernel" },
        { GRAPH("@depthwise_conv2d { kernel = 3, dilation = { 4, 5 }, padding = { 1, 0 } },",
                CONV3),
          "depthwise_conv2d: a 3x3 kernel, which spans 9x11, does not fit into 10x8, padding "
          "included; use padding = \"same\" or a smaller kernel or dilation" },
        { GRAPH("@separable_conv2d { filters = 4, kernel = 9, padding = \"valid\" },", CONV3),
          "separable_conv2d: a 9x9 kernel with padding \"valid\" does not fit into 8x8; use "
          "padding = \"same\" or a smaller kernel" },
        { GRAPH("@depthwise_conv2d { stride = 2 },", CONV3),
          "depthwise_conv2d: kernel is missing" },
        { GRAPH("depthwise_conv2d { @kernel = 0 },", CONV3),
          "depthwise_conv2d: kernel wants a whole number from 1 to 255, or two as { height, width "
          "}, not 0" },
        { GRAPH("depthwise_conv2d { kernel = 3, @filters = 4 },", CONV3),
          "depthwise_conv2d: no argument is called 'filters'" },
        { GRAPH("separable_conv2d { filters = 4, kernel = 3, @padding = \"full\" },", CONV3),
          "separable_conv2d: padding wants \"same\", \"valid\"" },
        { GRAPH("flatten {}, @separable_conv2d { filters = 4, kernel = 3 },", CONV3),
          "separable_conv2d: " },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_and_multipliers),
        cmocka_unit_test(strides_and_dilations),
        cmocka_unit_test(paddings),
        cmocka_unit_test(pools_and_activations),
        cmocka_unit_test(separable),
        cmocka_unit_test(on_avx512),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("depthwise_conv2d", tests, NULL, NULL);
}
