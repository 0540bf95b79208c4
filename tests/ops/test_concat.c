/* concat: channels that fill vectors and that do not, lists of layers, a layer beside itself, the
   image, after each kind of layer; each target. */
#include "cases.h"
#include "drive.h"

static Net skip_over(int height, int width, int channels, int filters, const char *with)
{
    return (Net){ .height = height,
                  .width = width,
                  .channels = channels,
                  .encoder = { { CONV, .filters = filters, .kernel = 3, .activation = "tanh" },
                               { CONV, .filters = 4, .kernel = 3, .activation = "tanh" } },
                  .decoder = { { CONV, .filters = 6, .kernel = 1, .activation = "elu" },
                               { CONCAT, .with = with },
                               { CONV, .filters = channels, .kernel = 3 } } };
}

static void of_two_layers(void **state)
{
    (void)state;
    static const struct {
        int height, width, channels, filters;
    } cases[] = { { 4, 4, 1, 1 }, { 7, 5, 3, 5 }, { 6, 9, 3, 16 }, { 5, 4, 2, 19 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Net net = skip_over(cases[i].height, cases[i].width, cases[i].channels, cases[i].filters,
                            "encoder.conv1");
        if (i % 3 == 0)
            check_net(&net, "x86-64-v3", "");
        else
            check_net_by(&net, "x86-64-v3", "conv_plain");
    }
}

static void of_several(void **state)
{
    (void)state;
    static const char *const lists[] = { "encoder.conv1 encoder.conv2",
                                         "encoder.conv1 encoder.conv1 decoder.conv1",
                                         "decoder.conv1 encoder.conv2 encoder.conv1" };
    for (size_t i = 0; i < 3; i++) {
        Net net = skip_over(6, 5, 3, 7, lists[i]);
        check_net_by(&net, "x86-64-v3", "conv_plain");
    }
}

/* The image's pixels are bytes: in front, after, alone. */
static void with_the_image(void **state)
{
    (void)state;
    Net behind = skip_over(6, 5, 3, 7, "input encoder.conv1");
    check_net(&behind, "x86-64-v3", "");
    Net first = { .height = 5,
                  .width = 7,
                  .channels = 3,
                  .encoder = { { CONCAT, .with = "input" },
                               { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
                  .decoder = { { CONV, .filters = 2, .kernel = 3 },
                               { FROM, .with = "input" },
                               { CONCAT, .with = "decoder.conv1" },
                               { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&first, "x86-64-v3", "");
}

/* In front of an activation, a pool, upsampling, the loss; as the latent. */
static void in_front_of_others(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 12,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { CONV, .filters = 3, .kernel = 3 },
                             { CONCAT, .with = "encoder.conv1" },
                             { ACT, .activation = "sigmoid" },
                             { POOL, .size = 2 },
                             { CONV, .filters = 2, .kernel = 1 },
                             { CONCAT, .with = "encoder.pool1" } },
                .decoder = { { UP, .size = 2 },
                             { CONV, .filters = 2, .kernel = 3, .activation = "tanh" },
                             { CONCAT, .with = "encoder.conv1" },
                             { POOL, .size = 2 },
                             { UP, .size = 2 },
                             { CONV, .filters = 2, .kernel = 3 },
                             { FROM, .with = "decoder.conv1" },
                             { CONV, .filters = 1, .kernel = 1 },
                             { CONCAT, .with = "decoder.conv2" } } };
    check_net(&net, "x86-64-v3", "");
}

static void on_other_targets(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v2", "c" };
    for (size_t i = 0; i < 2; i++) {
        Net net = skip_over(6, 7, 3, 9, "input encoder.conv1");
        check_net(&net, targets[i], "");
    }
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = skip_over(6, 7, 3, 17, "input encoder.conv1");
    check_net(&net, "x86-64-v4", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_layers),    cmocka_unit_test(of_several),
        cmocka_unit_test(with_the_image),   cmocka_unit_test(in_front_of_others),
        cmocka_unit_test(on_other_targets), cmocka_unit_test(on_avx512),
    };
    return cmocka_run_group_tests_name("concat", tests, NULL, NULL);
}
