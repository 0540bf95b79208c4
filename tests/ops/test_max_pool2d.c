/* max_pool2d: sizes, rows and columns that fill no window, after each kind of layer (taken into the
   convolution, or alone). */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>

static Net closed(Net net)
{
    net_close(&net);
    return net;
}

static void sizes_2_and_3(void **state)
{
    (void)state;
    static const struct {
        int size, height, width;
    } cases[] = { { 2, 8, 6 }, { 2, 9, 9 },  { 2, 8, 11 }, { 2, 11, 6 },
                  { 3, 9, 6 }, { 3, 7, 11 }, { 3, 10, 6 }, { 3, 8, 8 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Net net = closed(
            (Net){ .height = cases[i].height,
                   .width = cases[i].width,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                                { POOL, .size = cases[i].size },
                                { CONV, .filters = 4, .kernel = 3 } } });
        check_net(&net, "x86-64-v3", "");
    }
}

static void behind_each_activation(void **state)
{
    (void)state;
    static const char *const names[] = { "relu",     "leaky_relu", "sigmoid",
                                         "softplus", "elu",        "linear" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Net net = closed(
            (Net){ .height = 8,
                   .width = 6,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = names[i] },
                                { POOL, .size = 2 },
                                { CONV, .filters = 17, .kernel = 3, .activation = names[i] } } });
        check_net(&net, "x86-64-v3", "");
    }
}

/* Pools that no convolution can take in: after another pool, after a layer of its own, first in the
   decoder; and one as the latent. */
static void alone(void **state)
{
    (void)state;
    Net twice = closed(
        (Net){ .height = 12,
               .width = 8,
               .channels = 3,
               .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                            { POOL, .size = 2 },
                            { POOL, .size = 2 } },
               .decoder = { { CONV, .filters = 4, .kernel = 3 } } });
    check_net(&twice, "x86-64-v3", "");
    Net layer = closed((Net){ .height = 12,
                              .width = 8,
                              .channels = 2,
                              .encoder = { { CONV, .filters = 5, .kernel = 3 },
                                           { UP, .size = 3 },
                                           { POOL, .size = 2 },
                                           { ACT, .activation = "tanh" } },
                              .decoder = { { POOL, .size = 3 },
                                           { ACT, .activation = "sigmoid" },
                                           { CONV, .filters = 4, .kernel = 3 } } });
    check_net(&layer, "x86-64-v3", "");
    Net latent = closed(
        (Net){ .height = 8,
               .width = 8,
               .channels = 3,
               .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
               .decoder = { { POOL, .size = 2 }, { CONV, .filters = 4, .kernel = 3 } } });
    check_net(&latent, "x86-64-v3", "");
}

/* conv_plain takes no pool in, so the same net runs the pool by its own kernel; both ways must be
   the definition. */
static void by_its_own_kernel(void **state)
{
    (void)state;
    for (int size = 2; size <= 3; size++) {
        Net net = closed(
            (Net){ .height = 11,
                   .width = 11,
                   .channels = 3,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                                { POOL, .size = size },
                                { CONV, .filters = 4, .kernel = 2, .activation = "elu" } } });
        check_net(&net, "x86-64-v3",
                  "--kernel encoder.conv1=conv_plain --kernel encoder.conv2.dx=conv_plain");
        check_net(&net, "c", "--kernel encoder.conv1.dw=conv_plain");
    }
}

static void on_other_targets(void **state)
{
    (void)state;
    Net net = closed((Net){ .height = 13,
                            .width = 13,
                            .channels = 1,
                            .encoder = { { CONV, .filters = 19, .kernel = 3, .activation = "relu" },
                                         { POOL, .size = 3 },
                                         { CONV, .filters = 3, .kernel = 1, .activation = "tanh" },
                                         { POOL, .size = 2 } } });
    check_net(&net, "x86-64-v2", "");
    check_net(&net, "c", "");
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = closed((Net){ .height = 13,
                            .width = 13,
                            .channels = 1,
                            .encoder = { { CONV, .filters = 19, .kernel = 3, .activation = "relu" },
                                         { POOL, .size = 3 },
                                         { CONV, .filters = 3, .kernel = 1, .activation = "tanh" },
                                         { POOL, .size = 2 } } });
    check_net(&net, "x86-64-v4", "");
}

/* Windows that are no squares, overlap, leave gaps or reach over the border. */
static const NetLayer windows[] = {
    { POOL, .size = 2, .size_w = 1 },
    { POOL, .size = 1, .size_w = 3 },
    { POOL, .size = 4, .size_w = 5 },
    { POOL, .size = 3, .stride = 2 },
    { POOL, .size = 3, .stride = 1, .stride_w = 2, .pad = { 1, 1, 1, 1 } },
    { POOL, .size = 2, .stride = 3, .stride_w = 4 },
    { POOL, .size = 2, .same = true },
    { POOL, .size = 3, .size_w = 2, .stride = 2, .stride_w = 1, .same = true },
    { POOL, .size = 5, .size_w = 2, .pad = { 4, 0, 2, 1 } },
    { POOL, .size = 16, .stride = 3, .stride_w = 1, .pad = { 15, 4, 8, 3 } },
};

static void windows_of_every_kind(void **state)
{
    (void)state;
    Net net = net_of_pools(windows, sizeof windows / sizeof windows[0], 9, 11, 2);
    check_net(&net, sizeof(real) == 8 ? "c" : "x86-64-v3", "");
}

/* As many places as a code tells apart, in one row; side by side and overlapping. */
static void long_windows(void **state)
{
    (void)state;
    static const Net overlapping = {
        .height = 1,
        .width = 300,
        .channels = 1,
        .encoder = { { POOL, .size = 1, .size_w = 256, .stride = 1, .stride_w = 3 },
                     { CONV, .filters = 3, .kernel = 1 } },
        .decoder = { { UP, .size = 1, .size_w = 20 }, { CONV, .filters = 1, .kernel = 1 } }
    };
    static const Net apart = {
        .height = 1,
        .width = 132,
        .channels = 1,
        .encoder = { { CONV, .filters = 3, .kernel = 1 }, { POOL, .size = 1, .size_w = 32 } },
        .decoder = { { UP, .size = 1, .size_w = 33 }, { CONV, .filters = 1, .kernel = 1 } }
    };
    check_net(&overlapping, "x86-64-v3", "");
    check_net(&apart, "c", "");
}

/* Of pixels; of more channels than are taken at once; one after another. */
static void windows_over_the_border_alone(void **state)
{
    (void)state;
    Net net = { .height = 7,
                .width = 3,
                .channels = 2,
                .encoder = { { POOL, .size = 3, .stride = 2, .stride_w = 1, .same = true },
                             { CONV, .filters = 70, .kernel = 1 },
                             { POOL, .size = 2, .pad = { 1, 0, 1, 1 } },
                             { POOL, .size = 2, .size_w = 1, .stride = 1 },
                             { FLATTEN },
                             { DENSE, .units = 3 } },
                .decoder = { { DENSE, .units = 42 }, { RESHAPE, .shape = { 7, 3, 2 } } } };
    check_net(&net, "x86-64-v3", "");
}

/* With a first weight of 0 all values of a window are equal. The gradient by that weight then tells
   whose pixel it was multiplied with: it is the sum over windows of d * pixel, d being what
   arrives, known by hand: every output is o = w2 * b1 + b2. */
static double gradient_if_first_wins(const uint8_t *image, const int first[2], double b1, double w2,
                                     double b2)
{
    double sum = 0;
    for (int r = 0; r < 4; r += 2)
        for (int c = 0; c < 4; c += 2) {
            double d = 0;
            for (int i = 0; i < 4; i++)
                d += w2 * 2 / 16 * (w2 * b1 + b2 - image[(r + i / 2) * 4 + c + i % 2] / 255.0);
            sum += d * image[first[r / 2] * 4 + first[c / 2]] / 255.0;
        }
    return sum;
}

/* first: the first row, and column, of the image in the windows of a line. */
static void check_ties(NetLayer pool, const int first[2], const char *options)
{
    const Net net = { .height = 4,
                      .width = 4,
                      .channels = 1,
                      .encoder = { { CONV, .filters = 1, .kernel = 1 }, pool },
                      .decoder = { { UP, .size = 2 }, { CONV, .filters = 1, .kernel = 1 } } };
    const double parameters[] = { 0, 0.25, 0.5, -0.125 };
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, options);
    Driven driven = drive_new(built.model, parameters);
    uint8_t *image = net_image(&net, 3);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    double right = gradient_if_first_wins(image, first, parameters[1], parameters[2],
                                          parameters[3]);
    if (!(fabs(gradient[0] - right) <= (sizeof(real) == 8 ? 1e-7 : 1e-5) * fabs(right)))
        fail_msg("%s: the gradient is %.12g instead of %.12g", options, gradient[0], right);
    free(gradient);
    free(image);
    drive_free(&driven);
    built_free(&built);
    free(graph);
}

static void gradient_goes_to_the_first_of_equals(void **state)
{
    (void)state;
    const NetLayer plain = { POOL, .size = 2 },
                   over = { POOL, .size = 3, .stride = 2, .pad = { 1, 1, 0, 0 } };
    check_ties(plain, (const int[]){ 0, 2 }, "--target c");
    check_ties(plain, (const int[]){ 0, 2 }, "--target c --kernel encoder.conv1=conv_plain");
    check_ties(over, (const int[]){ 0, 1 }, "--target c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_2_and_3),
        cmocka_unit_test(behind_each_activation),
        cmocka_unit_test(alone),
        cmocka_unit_test(by_its_own_kernel),
        cmocka_unit_test(on_other_targets),
        cmocka_unit_test(on_avx512),
        cmocka_unit_test(gradient_goes_to_the_first_of_equals),
        cmocka_unit_test(windows_of_every_kind),
        cmocka_unit_test(long_windows),
        cmocka_unit_test(windows_over_the_border_alone),
    };
    return cmocka_run_group_tests_name("max_pool2d", tests, NULL, NULL);
}
