/* Layers that read the image's own pixels though their operators take reals: pools, upsampling,
 * unpooling, normalisation and activations as the first layer of a part, after what passes pixels
 * on, and at the head of a branch. */
#include "cases.h"
#include "drive.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void check(const Net *nets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_net(&nets[i], "x86-64-v3", "");
        check_net_by(&nets[i], "c", "conv_plain");
    }
}

static void pools_and_upsampling_first(void **state)
{
    (void)state;
    static const Net nets[] = {
        { .height = 9,
          .width = 13,
          .channels = 3, /* what fills no window is dropped */
          .encoder = { { POOL, .size = 2 },
                       { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
          .decoder = { { FLATTEN }, { DENSE, .units = 351 }, { RESHAPE, .shape = { 9, 13, 3 } } } },
        { .height = 8,
          .width = 12,
          .channels = 3,
          .encoder = { { AVG, .size = 4 },
                       { CONV, .filters = 4, .kernel = 3, .activation = "elu" } },
          .decoder = { { UP, .size = 4 }, { CONV, .filters = 3, .kernel = 3 } } },
        /* taken into the convolution that reads it */
        { .height = 6,
          .width = 4,
          .channels = 1,
          .encoder = { { UP, .size = 2 },
                       { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                       { AVG, .size = 2 } },
          .decoder = { { CONV, .filters = 1, .kernel = 3 } } },
        { .height = 6,
          .width = 4,
          .channels = 3, /* the latent */
          .encoder = { { POOL, .size = 2 } },
          .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "softplus" },
                       { UP, .size = 2 } } },
        /* among dense layers, which take several images at once */
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { AVG, .size = 2 },
                       { FLATTEN },
                       { DENSE, .units = 5, .activation = "tanh" } },
          .decoder = { { DENSE, .units = 72 }, { RESHAPE, .shape = { 6, 4, 3 } } } },
    };
    check(nets, COUNT(nets));
}

static void norm_first(void **state)
{
    (void)state;
    static const Net nets[] = {
        { .height = 6,
          .width = 8,
          .channels = 4,
          .encoder = { { NORM, .groups = 2 },
                       { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
          .decoder = { { CONV, .filters = 4, .kernel = 3 } } },
        /* nothing else is trained above the latent */
        { .height = 6,
          .width = 8,
          .channels = 3,
          .encoder = { { NORM, .groups = 3, .eps = 1e-2 }, { POOL, .size = 2 } },
          .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3 } } },
    };
    check(nets, COUNT(nets));
}

static void activations_first(void **state)
{
    (void)state;
    static const char *const names[] = {
        "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "elu"
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        Net net = { .height = 5,
                    .width = 7,
                    .channels = i % 2 ? 1 : 3,
                    .encoder = { { ACT, .activation = names[i] },
                                 { CONV, .filters = 4, .kernel = 3, .activation = "tanh" } },
                    .decoder = { { CONV, .filters = i % 2 ? 1 : 3, .kernel = 3 } } };
        check_net(&net, i % 2 ? "c" : "x86-64-v3", "");
    }
}

/* After layers that hand the pixels on, and where several layers read the image. */
static void later_and_more_than_once(void **state)
{
    (void)state;
    static const Net nets[] = {
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { ACT, .activation = "linear" },
                       { NOISE, .rate = 0 },
                       { ACT, .activation = "tanh" },
                       { CONV, .filters = 5, .kernel = 3 } },
          .decoder = { { CONV, .filters = 3, .kernel = 3 } } },
        /* of noise in training, of pixels in inference */
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { NOISE, .rate = 0.1 },
                       { POOL, .size = 2 },
                       { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
          .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3 } } },
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { AVG, .size = 2 },
                       { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                       { FROM, .with = "input" },
                       { POOL, .size = 2 },
                       { CONCAT, .with = "encoder.conv1" },
                       { CONV, .filters = 4, .kernel = 3, .activation = "elu" } },
          .decoder = { { UP, .size = 2 },
                       { CONV, .filters = 3, .kernel = 3, .name = "last" },
                       { FROM, .with = "input" },
                       { ACT, .activation = "softplus" },
                       { ADD, .with = "decoder.last" } } },
        /* the places of a pool of pixels; pixels themselves to the places of another */
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { POOL, .size = 2 },
                       { CONV, .filters = 3, .kernel = 3, .activation = "tanh" } },
          .decoder = { { UNPOOL, .with = "encoder.pool1" }, { CONV, .filters = 3, .kernel = 3 } } },
        { .height = 6,
          .width = 4,
          .channels = 3,
          .encoder = { { UP, .size = 2 },
                       { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                       { POOL, .size = 2, .name = "p" },
                       { CONV, .filters = 3, .kernel = 3, .name = "q" },
                       { FROM, .with = "input" },
                       { UNPOOL, .with = "encoder.p" },
                       { AVG, .size = 2 },
                       { ADD, .with = "encoder.q" } },
          .decoder = { { CONV, .filters = 3, .kernel = 3 } } },
    };
    check(nets, COUNT(nets));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_and_upsampling_first),
        cmocka_unit_test(norm_first),
        cmocka_unit_test(activations_first),
        cmocka_unit_test(later_and_more_than_once),
    };
    return cmocka_run_group_tests_name("pixels", tests, NULL, NULL);
}
