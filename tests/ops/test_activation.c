/* Every activation as a layer of its own, leaky_relu's slope, values far from zero, and ReLU'(0) =
   0. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "relu",        "leaky_relu", "sigmoid",      "tanh",
                                     "softplus",    "elu",        "linear",       "selu",
                                     "relu6",       "silu",       "hard_sigmoid", "gelu",
                                     "exponential", "mish",       "hard_swish",   "softsign",
                                     "softmax" };
enum { NAMES = sizeof names / sizeof names[0] };

/* After a convolution (taken into it) as the latent, after a pool (alone), after another
   activation, and last. */
static void as_a_layer(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        Net net = {
            .height = 6,
            .width = 8,
            .channels = 3,
            .encoder = { { CONV, .filters = 5, .kernel = 3 }, { ACT, .activation = names[i] } },
            .decoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh", .plain = true },
                         { POOL, .size = 2 },
                         { ACT, .activation = names[i] },
                         { ACT, .activation = names[(i + 1) % NAMES] },
                         { UP, .size = 2 },
                         { CONV, .filters = 3, .kernel = 3, .no_bias = true, .plain = true },
                         { ACT, .activation = names[(i + 2) % NAMES] } }
        };
        check_net(&net, "x86-64-v3", "");
    }
}

/* gelu's two forms differ by up to 5e-4. */
static void approximate_gelu(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .scale = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3 },
                             { ACT, .activation = "gelu", .approximate = true } },
                .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "gelu" } } };
    check_net(&net, "x86-64-v3", "");
}

/* As attributes before either pool; the places of the maxima, which a pool may find before the
   activation, are read by an unpooling. */
static Net net_with_pools(const char *activation)
{
    /* to where some are flat */
    const double scale = strcmp(activation, "relu6") == 0 || activation[0] == 'h' ? 6 : 1;
    return (Net){ .height = 8,
                  .width = 12,
                  .channels = 3,
                  .scale = scale,
                  .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = activation },
                               { POOL, .size = 2 },
                               { CONV, .filters = 16, .kernel = 3, .activation = activation },
                               { AVG, .size = 2 } },
                  .decoder = {
                      { UP, .size = 2 },
                      { CONV, .filters = 8, .kernel = 3, .activation = activation, .plain = true },
                      { UNPOOL, .with = "encoder.pool1" },
                      { CONV, .filters = 3, .kernel = 3, .plain = true } } };
}

static void before_pools(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        Net net = net_with_pools(names[i]);
        check_net(&net, "x86-64-v3", "");
    }
}

/* Those that kernels compute in vectors, and one that they do number by number. */
static void of_every_kernel(void **state)
{
    (void)state;
    static const char *const activations[] = { "relu6", "hard_swish", "gelu" }, *const kernels[] = {
        "conv_plain", "conv_direct", "conv_winograd"
    };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            Net net = net_with_pools(activations[i]);
            char *forced = net_force(&net, kernels[k]);
            check_net(&net, "x86-64-v3", forced);
            free(forced);
        }
}

static void slopes_of_leaky_relu(void **state)
{
    (void)state;
    static const double slopes[] = { 0.01, 0.3, 1 };
    for (int i = 0; i < 3; i++) {
        Net net = { .height = 6,
                    .width = 8,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 5, .kernel = 3 },
                                 { ACT, .activation = "leaky_relu", .slope = slopes[i] },
                                 { POOL, .size = 2 } },
                    .decoder = { { UP, .size = 2 },
                                 { CONV, .filters = 3, .kernel = 3, .plain = true },
                                 { ACT, .activation = "leaky_relu", .slope = slopes[2 - i] } } };
        check_net(&net, "x86-64-v3", "");
    }
}

static void check_scaled(Net *net, const Model *model, double scale)
{
    int count;
    net->scale = scale;
    double *parameters = net_parameters(net, 5, &count);
    uint8_t *image = net_image(net, 6);
    Driven driven = drive_new(model, parameters);
    print_message("%s, weights up to %g\n", net->encoder[0].activation, scale);
    check_forward(net, &driven, parameters, image, sizeof(real) == 8 ? 1e-12 : 1e-5);
    drive_free(&driven);
    free(parameters);
    free(image);
}

/* Values of a hundred and more, of both signs: where formulas overflow, and where approximations
   start. The output alone is checked, since gradients vanish there. */
static void far_from_zero(void **state)
{
    (void)state;
    static const double scales[] = { 20, 4000 };
    for (int i = 0; i < NAMES; i++) {
        if (strcmp(names[i], "exponential") == 0) /* right to be infinite there */
            continue;
        Net net = { .height = 4,
                    .width = 8,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = names[i] } },
                    .decoder = { { CONV, .filters = 3, .kernel = 1, .activation = "linear" } } };
        char *graph = net_graph(&net);
        Built built = build_model_merged(graph, "--target c --kernel decoder.conv1=conv_plain");
        for (int k = sizeof(real) == 8 ? 0 : 1; k < 2; k++) /* in float the larger alone */
            check_scaled(&net, built.model, scales[k]);
        built_free(&built);
        free(graph);
    }
}

/* With all weights 0 every ReLU stands at 0 exactly; its derivative there is 0, so nothing reaches
   the convolution before it. */
static void relu_has_no_slope_at_zero(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .encoder = { { CONV, .filters = 2, .kernel = 3, .activation = "relu" } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    double parameters[9 * 2 + 2 + 2 + 1] = { 0 };
    for (int i = 20; i < 23; i++)
        parameters[i] = 0.5;
    char *graph = net_graph(&net);
    for (int plain = 0; plain < 2; plain++) {
        Built built = build_model_merged(
            graph, plain ? "--target c --kernel encoder.conv1=conv_plain" : "--target c");
        Driven driven = drive_new(built.model, parameters);
        uint8_t *image = net_image(&net, 3);
        double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
        for (int i = 0; i < 20; i++)
            assert_true(gradient[i] == 0);
        assert_true(fabs(gradient[22]) > 0.01);
        free(gradient);
        free(image);
        drive_free(&driven);
        built_free(&built);
    }
    free(graph);
}

/* Whether a channel of the output can be 0 for every picture, and how it then shows, as trainers
   ask at their start. */
static void what_can_die(void **state)
{
    (void)state;
    const NetLayer relu = { ACT, .activation = "relu" };
    const struct {
        NetLayer last, behind;
        bool dies, moved, spread;
    } cases[] = {
        { { ACT, .activation = "relu6" }, { END }, .dies = true },
        { { ACT, .activation = "hard_sigmoid" }, { END }, .dies = true },
        { { ACT, .activation = "hard_swish" }, { END }, .dies = true },
        { { ACT, .activation = "leaky_relu", .flat_slope = true }, { END }, .dies = true },
        { { ACT, .activation = "leaky_relu" }, { END }, .dies = false },
        { { ACT, .activation = "gelu" }, { END }, .dies = false },
        { relu, { RESCALE, .scale = 0.5 }, .dies = true },
        { relu, { RESCALE, .scale = 0.5, .offset = 0.25 }, .dies = true, .moved = true },
        { { RESCALE, .scale = 0.5, .offset = 0.25 }, relu, .dies = true },
        { relu, { ACT, .activation = "sigmoid" }, .dies = true, .moved = true },
        { relu, { D2S, .size = 2 }, .dies = true, .spread = true },
        { { D2S, .size = 2 }, relu, .dies = true, .spread = true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int side = cases[i].spread ? 2 : 1;
        Net net = { .height = 4,
                    .width = 4,
                    .channels = 1,
                    .encoder = { { CONV, .filters = 2, .kernel = 1, .stride = side } },
                    .decoder = { { CONV, .filters = side * side, .kernel = 1 },
                                 cases[i].last,
                                 cases[i].behind } };
        char *graph = net_graph(&net);
        char *options = net_force(&net, "conv_plain"), *all = text_of("--target c%s", options);
        Built built = build_model_merged(graph, all);
        assert_int_equal(built.model->output_kernel, cases[i].dies ? 2 : -1);
        assert_int_equal(built.model->output_block, cases[i].spread ? 2 : 0);
        assert_int_equal(built.model->output_moved, cases[i].moved);
        built_free(&built);
        free(options);
        free(all);
        free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_layer),
        cmocka_unit_test(approximate_gelu),
        cmocka_unit_test(before_pools),
        cmocka_unit_test(of_every_kernel),
        cmocka_unit_test(slopes_of_leaky_relu),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(relu_has_no_slope_at_zero),
        cmocka_unit_test(what_can_die),
    };
    return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
