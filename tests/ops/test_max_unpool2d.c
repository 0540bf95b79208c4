/* max_unpool2d: sizes, rows and columns that filled no window, pools that a convolution took in and
   pools alone, two readers of one pool's places. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static Net through(int height, int width, int size, int filters, const char *activation)
{
    return (Net){ .height = height,
                  .width = width,
                  .channels = 3,
                  .encoder = { { CONV, .filters = filters, .kernel = 3, .activation = activation },
                               { POOL, .size = size },
                               { CONV, .filters = 4, .kernel = 3, .activation = "tanh" } },
                  .decoder = { { CONV, .filters = filters, .kernel = 3, .activation = "tanh",
                                 .plain = true },
                               { UNPOOL, .with = "encoder.pool1" },
                               { CONV, .filters = 3, .kernel = 3, .plain = true } } };
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        int height, width, size;
    } cases[] = { { 8, 6, 2 }, { 9, 7, 2 }, { 9, 6, 3 }, { 11, 10, 3 }, { 5, 6, 1 }, { 9, 8, 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Net net = through(cases[i].height, cases[i].width, cases[i].size, 5, "tanh");
        check_net(&net, "x86-64-v3", "");
    }
}

static void behind_each_activation(void **state)
{
    (void)state;
    static const char *const activations[] = { "relu",     "leaky_relu", "sigmoid",
                                               "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++) {
        Net net = through(8, 6, 2, 5 + 4 * (int)i, activations[i]);
        check_net(&net, "x86-64-v3", "");
    }
}

/* Each kernel keeps the places itself, or leaves them to the pool's own. */
static void by_each_kernel(void **state)
{
    (void)state;
    static const char *const kernels[] = { "conv_plain", "conv_direct", "conv_winograd",
                                           "conv_thin" };
    for (size_t i = 0; i < 4; i++) {
        Net net = through(12, 16, 2, 8, "relu");
        char *options = text_of("--kernel encoder.conv1=%s", kernels[i]);
        check_net(&net, "x86-64-v3", options);
        free(options);
    }
}

/* Inside one part; a pool whose value nobody reads; two pools of one value, of which the
   convolution can take in only one. */
static void places_alone(void **state)
{
    (void)state;
    Net inside = { .height = 8,
                   .width = 8,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                                { POOL, .size = 2 },
                                { CONV, .filters = 4, .kernel = 3 },
                                { UNPOOL, .with = "encoder.pool1" } },
                   .decoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                                { POOL, .size = 2 },
                                { UNPOOL, .with = "decoder.pool1" },
                                { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&inside, "x86-64-v3", "");
    Net unread = {
        .height = 8,
        .width = 8,
        .channels = 3,
        .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                     { POOL, .size = 2 },
                     { FROM, .with = "encoder.conv1" },
                     { CONV, .filters = 4, .kernel = 3, .stride = 2, .activation = "tanh" } },
        .decoder = { { UNPOOL, .with = "encoder.pool1" }, { CONV, .filters = 3, .kernel = 3 } }
    };
    check_net(&unread, "x86-64-v3", "");
    Net two = { .height = 12,
                .width = 12,
                .channels = 3,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                             { POOL, .size = 2 },
                             { FROM, .with = "encoder.conv1" },
                             { POOL, .size = 4 },
                             { CONV, .filters = 4, .kernel = 3 },
                             { UP, .size = 2 } },
                .decoder = { { UNPOOL, .with = "encoder.pool1" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&two, "x86-64-v3", "");
}

/* Through pools of pairs, over the border and with gaps. */
static void windows_that_do_not_overlap(void **state)
{
    (void)state;
    Net net = {
        .height = 10,
        .width = 11,
        .channels = 3,
        .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                     { POOL, .size = 2, .size_w = 1 },
                     { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                     { POOL, .size = 2, .stride = 2, .stride_w = 3, .pad = { 1, 0, 0, 1 } },
                     { POOL, .size = 2, .same = true } },
        .decoder = { { UNPOOL, .with = "encoder.pool3" },
                     { UNPOOL, .with = "encoder.pool2" },
                     { CONV, .filters = 4, .kernel = 3 },
                     { UNPOOL, .with = "encoder.pool1" },
                     { CONV, .filters = 3, .kernel = 3 } },
    };
    check_net(&net, "x86-64-v3", "");
}

static void two_readers_of_one_pool(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 7,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                             { POOL, .size = 2 },
                             { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
                .decoder = { { UNPOOL, .with = "encoder.pool1" },
                             { FROM, .with = "encoder.conv2" },
                             { CONV, .filters = 5, .kernel = 1 },
                             { UNPOOL, .with = "encoder.pool1" },
                             { CONCAT, .with = "decoder.unpool1 encoder.conv1" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

static void on_other_targets(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v2", "c" };
    for (size_t i = 0; i < 2; i++) {
        Net net = through(9, 10, 2, 9, "relu");
        check_net(&net, targets[i], "");
    }
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = through(13, 18, 2, 16, "relu");
    check_net(&net, "x86-64-v4", "");
}

/* Equal values in a window: the first gets it. A kernel of zeros makes every window one of
   equals. */
static void ties_go_to_the_first(void **state)
{
    (void)state;
    const Net net = { .height = 4,
                      .width = 4,
                      .channels = 1,
                      .encoder = { { CONV, .filters = 1, .kernel = 1 }, { POOL, .size = 2 } },
                      .decoder = { { UNPOOL, .with = "encoder.pool1" },
                                   { CONV, .filters = 1, .kernel = 1 } } };
    const double parameters[] = { 0, 0.25, 1, 0.5 };
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, parameters);
    uint8_t *image = net_image(&net, 3);
    double *output = drive_reconstruct(&driven, image);
    for (int i = 0; i < 16; i++)
        assert_true(output[i] == (i / 4 % 2 == 0 && i % 2 == 0 ? 0.75 : 0.5));
    free(output);
    free(image);
    drive_free(&driven);
    built_free(&built);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(behind_each_activation),
        cmocka_unit_test(by_each_kernel),
        cmocka_unit_test(places_alone),
        cmocka_unit_test(windows_that_do_not_overlap),
        cmocka_unit_test(two_readers_of_one_pool),
        cmocka_unit_test(on_other_targets),
        cmocka_unit_test(on_avx512),
        cmocka_unit_test(ties_go_to_the_first),
    };
    return cmocka_run_group_tests_name("max_unpool2d", tests, NULL, NULL);
}
