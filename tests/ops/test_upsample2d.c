/* upsample2d: by 2 and 3, in front of a convolution or the loss (folded), after the latent, before
   an activation, several times. */
#include "cases.h"
#include "drive.h"

static void in_front_of_a_convolution(void **state)
{
    (void)state;
    for (int size = 2; size <= 3; size++)
        for (int kernel = 1; kernel <= 5;
             kernel += sizeof(real) == 8 ? 1 : 2) /* in float no gradient is checked */ {
            Net net = { .height = 4 * size,
                        .width = 3 * size,
                        .channels = 3,
                        .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                                     { POOL, .size = size },
                                     { CONV, .filters = 4, .kernel = 3 } },
                        .decoder = { { CONV, .filters = 3, .kernel = 1, .activation = "tanh" },
                                     { UP, .size = size },
                                     { CONV, .filters = 3, .kernel = kernel,
                                       .activation = kernel % 2 ? "elu" : NULL } } };
            check_net(&net, "x86-64-v3", "");
        }
}

static void in_front_of_the_loss(void **state)
{
    (void)state;
    for (int size = 2; size <= 3; size++) {
        Net net = { .height = 4 * size,
                    .width = 3 * size,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                                 { POOL, .size = size } },
                    .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "relu" },
                                 { UP, .size = size } } };
        check_net(&net, "x86-64-v3", "");
        check_net(&net, "c", "");
    }
}

static void first_in_the_decoder(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { POOL, .size = 2 } },
                .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

/* The latent is itself an enlarged image: decoding starts from it, so training must not look after
   it. */
static void as_the_latent(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .stride = 2, .activation = "tanh" },
                             { UP, .size = 2 } },
                .decoder = { { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

/* Twice in a row, and in front of layers that take no upsampling in. */
static void not_in_front_of_a_convolution(void **state)
{
    (void)state;
    Net twice = { .height = 12,
                  .width = 6,
                  .channels = 2,
                  .encoder = { { CONV, .filters = 5, .kernel = 3, .stride = 6,
                                 .activation = "tanh" } },
                  .decoder = { { CONV, .filters = 4, .kernel = 1 },
                               { UP, .size = 2 },
                               { UP, .size = 3 },
                               { CONV, .filters = 2, .kernel = 3 } } };
    check_net(&twice, "x86-64-v3", "");
    Net layers = { .height = 6,
                   .width = 6,
                   .channels = 2,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                                { POOL, .size = 2 } },
                   .decoder = { { CONV, .filters = 4, .kernel = 1 },
                                { UP, .size = 2 },
                                { ACT, .activation = "tanh" },
                                { UP, .size = 2 },
                                { POOL, .size = 2 },
                                { CONV, .filters = 2, .kernel = 3 } } };
    check_net(&layers, "x86-64-v3", "");
}

static void under_a_stride_and_without_padding(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 6,
                .channels = 2,
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                             { UP, .size = 2 },
                             { CONV, .filters = 5, .kernel = 3, .stride = 2,
                               .activation = "tanh" } },
                .decoder = { { CONV, .filters = 4, .kernel = 1 },
                             { UP, .size = 3 },
                             { CONV, .filters = 3, .kernel = 3, .valid = true },
                             { CONV, .filters = 2, .kernel = 4, .stride = 3 } } };
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "x86-64-v2", "");
    check_net(&net, "x86-64-v3",
              "--kernel encoder.conv2=conv_plain --kernel decoder.conv2=conv_plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_front_of_a_convolution),
        cmocka_unit_test(in_front_of_the_loss),
        cmocka_unit_test(first_in_the_decoder),
        cmocka_unit_test(as_the_latent),
        cmocka_unit_test(not_in_front_of_a_convolution),
        cmocka_unit_test(under_a_stride_and_without_padding),
    };
    return cmocka_run_group_tests_name("upsample2d", tests, NULL, NULL);
}
