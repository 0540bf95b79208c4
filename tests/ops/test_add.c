/* add and from: residual blocks, lists, a layer plus itself, the image; branches that start
   anywhere; each target. */
#include "cases.h"
#include "drive.h"

static Net residual(int height, int width, int filters, const char *activation)
{
    return (Net){ .height = height,
                  .width = width,
                  .channels = 3,
                  .encoder = { { CONV, .filters = filters, .kernel = 3, .activation = activation },
                               { CONV, .filters = filters, .kernel = 3 },
                               { ADD, .with = "encoder.conv1" },
                               { ACT, .activation = "tanh" } },
                  .decoder = { { CONV, .filters = 3, .kernel = 3, .plain = true },
                               { ADD, .with = "decoder.conv1" } } };
}

static void residual_blocks(void **state)
{
    (void)state;
    static const char *const activations[] = { "relu",     "leaky_relu", "sigmoid", "tanh",
                                               "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++) {
        Net net = residual(5 + (int)i, 6, 4 + (int)i, activations[i]);
        if (i % 3 == 0)
            check_net(&net, "x86-64-v3", "");
        else
            check_net_by(&net, "x86-64-v3", "conv_plain");
    }
}

static void of_several(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 7,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { CONV, .filters = 5, .kernel = 3 },
                             { CONV, .filters = 5, .kernel = 1 },
                             { ADD, .with = "encoder.conv1 encoder.conv2 encoder.conv1" } },
                .decoder = { { CONV, .filters = 3, .kernel = 3 }, { ADD, .with = "input" } } };
    check_net(&net, "x86-64-v3", "");
    Net first = { .height = 6,
                  .width = 7,
                  .channels = 3,
                  .encoder = { { ADD, .with = "input" },
                               { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
                  .decoder = { { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&first, "x86-64-v3", "");
}

/* Two sums that send the very same gradient to both of their sides. */
static void sums_of_sums(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 4,
                .channels = 3,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                             { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                             { FROM, .with = "encoder.conv1" },
                             { CONV, .filters = 4, .kernel = 1 },
                             { ADD, .with = "encoder.conv2" } },
                .decoder = { { ADD, .with = "encoder.conv2 encoder.add1" },
                             { ACT, .activation = "elu" },
                             { ADD, .with = "encoder.conv1" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

/* Two branches from one layer; a decoder that goes on from the middle of the encoder and adds the
   latent later. */
static void branches(void **state)
{
    (void)state;
    Net two = { .height = 8,
                .width = 6,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                             { CONV, .filters = 4, .kernel = 1, .activation = "tanh" },
                             { FROM, .with = "encoder.conv1" },
                             { CONV, .filters = 4, .kernel = 5, .activation = "tanh" },
                             { ADD, .with = "encoder.conv2" },
                             { POOL, .size = 2 } },
                .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&two, "x86-64-v3", "");
    Net late = { .height = 8,
                 .width = 6,
                 .channels = 3,
                 .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                              { POOL, .size = 2 },
                              { CONV, .filters = 4, .kernel = 3 } },
                 .decoder = { { FROM, .with = "encoder.pool1" },
                              { CONV, .filters = 4, .kernel = 3 },
                              { ADD, .with = "encoder.conv2" },
                              { UP, .size = 2 },
                              { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&late, "x86-64-v3", "");
}

/* An encoder layer that hangs on the latent is no more than the latent: such a decoder runs
   alone. */
static void what_hangs_on_the_latent(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 6,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { CONV, .filters = 4, .kernel = 3 },
                             { FROM, .with = "encoder.conv1" } },
                .decoder = { { CONV, .filters = 4, .kernel = 3 },
                             { ADD, .with = "encoder.conv2" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

static void on_other_targets(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v2", "c" };
    for (size_t i = 0; i < 2; i++) {
        Net net = residual(7, 6, 9, "relu");
        check_net(&net, targets[i], "");
    }
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = residual(12, 10, 17, "relu");
    check_net(&net, "x86-64-v4", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_blocks),
        cmocka_unit_test(of_several),
        cmocka_unit_test(sums_of_sums),
        cmocka_unit_test(branches),
        cmocka_unit_test(what_hangs_on_the_latent),
        cmocka_unit_test(on_other_targets),
        cmocka_unit_test(on_avx512),
    };
    return cmocka_run_group_tests_name("add", tests, NULL, NULL);
}
