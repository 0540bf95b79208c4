/* upsample2d: by 2 and 3, in front of a convolution or the loss (folded), after the latent, before
   an activation, several times. */
#include "cases.h"
#include "drive.h"
#include "refusal.h"

static void in_front_of_a_convolution(void **state)
{
    (void)state;
    for (int size = 2; size <= 3; size++)
        for (int kernel = 1; kernel <= 5;
             kernel += sizeof(real) == 8 ? 1 : 2) /* in float no gradient is checked */ {
            Net net = { .height = 4 * size,
                        .width = 3 * size,
                        .channels = 3,
                        .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh",
                                       .plain = true },
                                     { POOL, .size = size } },
                        .decoder = { { CONV, .filters = 3, .kernel = 1, .activation = "tanh",
                                       .plain = true },
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
                    .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh",
                                   .plain = true },
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

/* Sides of their own: computed by itself in front of a convolution, which folds equal ones alone;
   with a number and bilinear too, of pixels, at 1 along a side, of one row or column. */
static void by_sides_of_their_own(void **state)
{
    (void)state;
    Net nearest = {
        .height = 6,
        .width = 8,
        .channels = 2,
        .encoder = { { UP, .size = 1, .size_w = 3 },
                     { CONV, .filters = 3, .kernel = 3, .stride = 3, .activation = "tanh" } },
        .decoder = { { UP, .size = 3, .size_w = 1 }, { CONV, .filters = 2, .kernel = 3 } }
    };
    check_net(&nearest, "x86-64-v3", "");
}

static void bilinear(void **state)
{
    (void)state;
    Net sides = { .height = 2,
                  .width = 3,
                  .channels = 3,
                  .encoder = { { UP, .size = 2, .bilinear = true },
                               { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                               { POOL, .size = 4 },
                               { UP, .size = 3, .size_w = 5, .bilinear = true } },
                  .decoder = { { UP, .size = 1, .size_w = 3, .bilinear = true },
                               { CONV, .filters = 3, .kernel = 3, .stride = 3 },
                               { UP, .size = 2, .size_w = 1, .bilinear = true },
                               { CROP, .pad = { 0, 1, 0, 1 } } } };
    check_net(&sides, "x86-64-v3", "");
    check_net(&sides, "c", "--memory-limit 40K");
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "upsample2d { @size = { 2, 65 } },", CONV3),
          "upsample2d: size wants a whole number from 1 to 64, or two as { height, width }, not "
          "this list" },
        { GRAPH(CONV5 "upsample2d { @interpolation = \"cubic\" },", CONV3),
          "upsample2d: interpolation wants one of \"nearest\", \"bilinear\", not \"cubic\"" },
        { GRAPH("reshape { shape = { 1, 192, 1 } }, zero_pad2d { padding = { 0, 0, 0, 20000 } }, "
                "@upsample2d { size = { 1, 64 } },",
                CONV3),
          "upsample2d: 1x20192x1 times 1x64 is more than 1048576 along a side; use a smaller "
          "size or image" },
    };
    REFUSE(refusals);
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
        cmocka_unit_test(by_sides_of_their_own),
        cmocka_unit_test(bilinear),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests_name("upsample2d", tests, NULL, NULL);
}
