/* dense, flatten and reshape: fully connected layers by each kernel, between convolutions, on
 * pixels and on values, with flat and other latents; and a group of images against the images one
 * by one. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static const char *const kernels[] = { "dense_blas", "dense_plain" };
enum { KERNELS = 2 };

static void two_layers_a_side(void **state)
{
    (void)state;
    Net net = { .height = 5,
                .width = 4,
                .channels = 3,
                .encoder = { { FLATTEN },
                             { DENSE, .units = 17, .activation = "tanh" },
                             { DENSE, .units = 6, .activation = "relu" } },
                .decoder = { { DENSE, .units = 9, .activation = "softplus" },
                             { DENSE, .units = 60, .activation = "sigmoid" },
                             { RESHAPE, .shape = { 5, 4, 3 } } } };
    for (int k = 0; k < KERNELS; k++)
        check_net_by(&net, "x86-64-v3", kernels[k]);
    check_net(&net, "c", "");
}

static void without_bias_and_activation(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 3,
                .channels = 1,
                .encoder = { { FLATTEN },
                             { DENSE, .units = 7, .no_bias = true },
                             { ACT, .activation = "elu" },
                             { DENSE, .units = 1 } },
                .decoder = { { DENSE, .units = 18, .no_bias = true, .activation = "tanh" },
                             { RESHAPE, .shape = { 6, 3, 1 } } } };
    for (int k = 0; k < KERNELS; k++)
        check_net_by(&net, "x86-64-v3", kernels[k]);
}

/* The gradient passes from flat values through views into pools, activations and convolutions,
   whose kernels take them in. */
static void between_convolutions(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 12,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                             { POOL, .size = 2 },
                             { FLATTEN },
                             { DENSE, .units = 10, .activation = "tanh" } },
                .decoder = { { DENSE, .units = 48, .activation = "relu" },
                             { RESHAPE, .shape = { 4, 6, 2 } },
                             { UP, .size = 2 },
                             { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" } } };
    for (int k = 0; k < KERNELS; k++)
        check_net_by(&net, "x86-64-v3", kernels[k]);
    check_net(&net, "x86-64-v2",
              "--kernel encoder.conv1=conv_plain --kernel decoder.conv1=conv_plain");
}

/* The latent is a view: of an image that a convolution made, of one that a dense layer made; and
   views of views. */
static void views_as_the_latent(void **state)
{
    (void)state;
    Net flat = { .height = 6,
                 .width = 4,
                 .channels = 2,
                 .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = 2,
                                .activation = "tanh" },
                              { FLATTEN } },
                 .decoder = { { DENSE, .units = 48 }, { RESHAPE, .shape = { 6, 4, 2 } } } };
    check_net(&flat, "x86-64-v3", "");
    check_net_by(&flat, "x86-64-v3", "dense_blas");
    Net square = {
        .height = 4,
        .width = 4,
        .channels = 1,
        .encoder = { { FLATTEN }, { DENSE, .units = 8 }, { RESHAPE, .shape = { 2, 2, 2 } } },
        .decoder = { { RESHAPE, .shape = { 4, 1, 2 } },
                     { ACT, .activation = "tanh" },
                     { FLATTEN },
                     { FLATTEN },
                     { RESHAPE, .shape = { 2, 2, 2 } },
                     { CONV, .filters = 4, .kernel = 3 },
                     { RESHAPE, .shape = { 4, 4, 1 } } }
    };
    check_net(&square, "x86-64-v3", "");
    check_net_by(&square, "x86-64-v3", "dense_blas");
}

/* A view of the image that a convolution reads, and one that has no layer to compute but the
   pixels' change of type. */
static void views_of_the_pixels(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 4,
                .channels = 3,
                .encoder = { { RESHAPE, .shape = { 3, 8, 3 } },
                             { CONV, .filters = 2, .kernel = 3, .activation = "tanh" } },
                .decoder = { { CONV, .filters = 3, .kernel = 3 },
                             { RESHAPE, .shape = { 6, 4, 3 } } } };
    check_net(&net, "x86-64-v3", "");
    Net nothing = { .height = 3,
                    .width = 4,
                    .channels = 1,
                    .encoder = { { FLATTEN } },
                    .decoder = { { DENSE, .units = 12, .activation = "sigmoid" },
                                 { RESHAPE, .shape = { 3, 4, 1 } } } };
    check_net_by(&nothing, "x86-64-v3", "dense_blas");
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = { .height = 9,
                .width = 7,
                .channels = 1,
                .encoder = { { FLATTEN }, { DENSE, .units = 33, .activation = "relu" } },
                .decoder = { { DENSE, .units = 63 }, { RESHAPE, .shape = { 9, 7, 1 } } } };
    check_net_by(&net, "x86-64-v4", "dense_blas");
}

static void check_microbatches_by(const Net *net, const char *kernel)
{
    char *graph = net_graph(net), *force = net_force(net, kernel), *plain = net_options(net, force),
         *options = text_of("--target x86-64-v3 %s", plain);
    Built built = build_model_merged(graph, options);
    int count;
    double *w = net_parameters(net, 7, &count);
    Driven d = drive_new(built.model, w);
    assert_true(check_microbatches(net, &d, sizeof(real) == 8 ? 1e-13 : 1e-5) > 0.1);
    drive_free(&d);
    built_free(&built);
    free(w);
    free(graph);
    free(force);
    free(plain);
    free(options);
}

static void microbatches_are_their_images(void **state)
{
    (void)state;
    if (!machine_has("x86-64-v3"))
        skip();
    Net dense = { .height = 5,
                  .width = 4,
                  .channels = 1,
                  .encoder = { { FLATTEN },
                               { DENSE, .units = 12, .activation = "tanh" },
                               { DENSE, .units = 5, .activation = "elu" } },
                  .decoder = { { DENSE, .units = 11, .activation = "softplus" },
                               { DENSE, .units = 20 },
                               { RESHAPE, .shape = { 5, 4, 1 } } } };
    Net mixed = {
        .height = 8,
        .width = 6,
        .channels = 2,
        .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh", .plain = true },
                     { POOL, .size = 2 },
                     { CONV, .filters = 5, .kernel = 3, .activation = "elu", .plain = true },
                     { FLATTEN },
                     { DENSE, .units = 6 } },
        .decoder = { { DENSE, .units = 36, .activation = "tanh" },
                     { RESHAPE, .shape = { 4, 3, 3 } },
                     { UP, .size = 2 },
                     { CONV, .filters = 4, .kernel = 3, .activation = "softplus", .plain = true },
                     { CONV, .filters = 2, .kernel = 3, .plain = true } }
    };
    Net others = { .height = 8,
                   .width = 6,
                   .channels = 1,
                   .loss = "bce",
                   .encoder = { { CONV, .filters = 4, .kernel = 3, .plain = true },
                                { NORM, .groups = 2 },
                                { ACT, .activation = "tanh" },
                                { AVG, .size = 2 },
                                { FLATTEN },
                                { DENSE, .units = 6 } },
                   .decoder = { { DENSE, .units = 36 },
                                { RESHAPE, .shape = { 4, 3, 3 } },
                                { DECONV, .filters = 2, .kernel = 3, .activation = "elu" },
                                { FLATTEN },
                                { DENSE, .units = 48, .activation = "sigmoid" },
                                { RESHAPE, .shape = { 8, 6, 1 } } } };
    Net branches = { .height = 8,
                     .width = 6,
                     .channels = 2,
                     .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu",
                                    .plain = true },
                                  { POOL, .size = 2 },
                                  { FLATTEN },
                                  { DENSE, .units = 6 } },
                     .decoder = { { DENSE, .units = 48, .activation = "tanh" },
                                  { ADD, .with = "encoder.flatten1" },
                                  { RESHAPE, .shape = { 4, 3, 4 } },
                                  { UNPOOL, .with = "encoder.pool1" },
                                  { CONCAT, .with = "encoder.conv1 input" },
                                  { CONV, .filters = 2, .kernel = 3, .plain = true } } };
    Net absolute = dense;
    absolute.loss = "mae";
    for (int k = 0; k < KERNELS; k++) {
        check_microbatches_by(&dense, kernels[k]);
        check_microbatches_by(&mixed, kernels[k]);
        check_microbatches_by(&others, kernels[k]);
        check_microbatches_by(&branches, kernels[k]);
        check_microbatches_by(&absolute, kernels[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_layers_a_side),
        cmocka_unit_test(without_bias_and_activation),
        cmocka_unit_test(between_convolutions),
        cmocka_unit_test(views_as_the_latent),
        cmocka_unit_test(views_of_the_pixels),
        cmocka_unit_test(on_avx512),
        cmocka_unit_test(microbatches_are_their_images),
    };
    return cmocka_run_group_tests_name("dense", tests, NULL, NULL);
}
