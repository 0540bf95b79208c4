/* Layers that are tied to others: by each kernel, forward against naive loops and backward against
   differences of the kernel that both have; a kernel of several layers; layers that rest; groups,
   strides and dilations. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static const Net two_dense = {
    .height = 5,
    .width = 4,
    .channels = 3,
    .encoder = { { FLATTEN },
                 { DENSE, .units = 17, .activation = "tanh" },
                 { DENSE, .units = 6, .activation = "elu" } },
    .decoder = { { DENSE, .units = 17, .activation = "softplus", .tied = "encoder.dense2" },
                 { DENSE, .units = 60, .activation = "sigmoid", .tied = "encoder.dense1" },
                 { RESHAPE, .shape = { 5, 4, 3 } } }
};

static void dense_by_each_kernel(void **state)
{
    (void)state;
    check_net_by(&two_dense, "x86-64-v3", "dense_blas");
    check_net_by(&two_dense, "x86-64-v3", "dense_plain");
    check_net(&two_dense, "c", "");
    Net small = two_dense;
    small.decoder[0].no_bias = small.decoder[1].no_bias = true;
    small.decoder[0].activation = NULL;
    check_net(&small, "x86-64-v2", "");
    check_net_by(&small, "x86-64-v3", "dense_blas");
}

/* One kernel, read by three layers, two of which read the same value and are of one kind. */
static void a_kernel_of_three_layers(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 3,
                .channels = 2,
                .encoder = { { FLATTEN },
                             { DENSE, .units = 7, .activation = "tanh" },
                             { ACT, .activation = "tanh", .name = "code" } },
                .decoder = { { DENSE, .units = 24, .activation = "tanh", .tied = "encoder.dense1" },
                             { FROM, .with = "encoder.code" },
                             { DENSE, .units = 24, .activation = "elu", .tied = "encoder.dense1" },
                             { ADD, .with = "decoder.dense1" },
                             { RESHAPE, .shape = { 4, 3, 2 } } } };
    check_net_by(&net, "x86-64-v3", "dense_blas");
    check_net(&net, "c", "");
}

static Net of_convolutions(NetLayer conv, NetLayer deconv)
{
    conv.kind = CONV;
    deconv.kind = DECONV;
    deconv.tied = "encoder.conv2";
    return (Net){ .height = 8,
                  .width = 12,
                  .channels = 4,
                  .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = "elu" }, conv },
                  .decoder = { deconv,
                               { DECONV, .filters = 4, .kernel = 3, .stride = 1,
                                 .tied = "encoder.conv1" } } };
}

static const char *const convolutions[] = { "conv_plain", "conv_direct", "conv_winograd" };

static void convolutions_by_each_kernel(void **state)
{
    (void)state;
    Net net = of_convolutions(
        (NetLayer){ .filters = 16, .kernel = 3, .activation = "tanh" },
        (NetLayer){ .filters = 8, .kernel = 3, .stride = 1, .activation = "elu" });
    for (int i = 0; i < 3; i++) {
        char *forced = text_of("--kernel encoder.conv1=%s --kernel encoder.conv2=%s",
                               convolutions[i], convolutions[i]);
        check_net(&net, "x86-64-v3", forced);
        free(forced);
    }
    check_net_by(&net, "x86-64-v3", "conv_plain");
    check_net(&net, "c", "");
}

static void strides_and_pools(void **state)
{
    (void)state;
    Net net = of_convolutions(
        (NetLayer){ .filters = 6, .kernel = 4, .kernel_w = 3, .stride = 2, .activation = "tanh" },
        (NetLayer){ .filters = 8, .kernel = 4, .kernel_w = 3, .stride = 2, .activation = "elu" });
    check_net(&net, "x86-64-v3", "");
    check_net_by(&net, "x86-64-v3", "conv_direct");
    Net pooled = { .height = 8,
                   .width = 8,
                   .channels = 2,
                   .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                                { POOL, .size = 2 },
                                { CONV, .filters = 6, .kernel = 3, .activation = "tanh" } },
                   .decoder = { { DECONV, .filters = 5, .kernel = 3, .stride = 1,
                                  .activation = "tanh", .tied = "encoder.conv2" },
                                { UP, .size = 2 },
                                { DECONV, .filters = 2, .kernel = 3, .stride = 1,
                                  .tied = "encoder.conv1" } } };
    check_net(&pooled, "x86-64-v3", "");
    check_net(&pooled, "c", "");
}

static void groups_and_dilations(void **state)
{
    (void)state;
    Net net = of_convolutions((NetLayer){ .filters = 6,
                                          .kernel = 3,
                                          .groups = 2,
                                          .dilation = 2,
                                          .dilation_w = 3,
                                          .activation = "tanh" },
                              (NetLayer){ .filters = 8,
                                          .kernel = 3,
                                          .stride = 1,
                                          .groups = 2,
                                          .dilation = 2,
                                          .dilation_w = 3,
                                          .activation = "elu" });
    check_net(&net, "x86-64-v3", "");
    check_net_by(&net, "x86-64-v3", "conv_plain");
    Net valid = of_convolutions(
        (NetLayer){ .filters = 5, .kernel = 3, .valid = true, .activation = "tanh" },
        (NetLayer){ .filters = 8, .kernel = 3, .stride = 1, .valid = true });
    check_net(&valid, "x86-64-v3", "");
}

/* Of a layer that rests the kernel rests, for both; of a tied one the bias alone does. */
static void layers_that_rest(void **state)
{
    (void)state;
    Net dense = two_dense;
    dense.encoder[1].rests = true;
    dense.decoder[0].rests = true;
    check_net(&dense, "x86-64-v3", "");
    Net conv = of_convolutions(
        (NetLayer){ .filters = 6, .kernel = 3, .activation = "tanh", .rests = true },
        (NetLayer){ .filters = 8, .kernel = 3, .stride = 1, .activation = "elu" });
    conv.decoder[1].rests = true;
    check_net(&conv, "x86-64-v3", "");
}

/* Dense layers between convolutions, with a microbatch. */
static void microbatches_are_their_images(void **state)
{
    (void)state;
    if (!machine_has("x86-64-v3"))
        skip();
    Net net = { .height = 8,
                .width = 6,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .stride = 2, .activation = "tanh" },
                             { FLATTEN },
                             { DENSE, .units = 6, .activation = "elu" } },
                .decoder = { { DENSE, .units = 48, .tied = "encoder.dense1" },
                             { RESHAPE, .shape = { 4, 3, 4 } },
                             { DECONV, .filters = 2, .kernel = 3, .tied = "encoder.conv1" } } };
    check_net(&net, "x86-64-v3", "");
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target x86-64-v3");
    int count;
    double *w = net_parameters(&net, 7, &count);
    Driven d = drive_new(built.model, w);
    assert_true(check_microbatches(&net, &d, sizeof(real) == 8 ? 1e-13 : 1e-5) > 0.1);
    drive_free(&d);
    built_free(&built);
    free(w);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_by_each_kernel),          cmocka_unit_test(a_kernel_of_three_layers),
        cmocka_unit_test(convolutions_by_each_kernel),   cmocka_unit_test(strides_and_pools),
        cmocka_unit_test(groups_and_dilations),          cmocka_unit_test(layers_that_rest),
        cmocka_unit_test(microbatches_are_their_images),
    };
    return cmocka_run_group_tests_name("tied", tests, NULL, NULL);
}
