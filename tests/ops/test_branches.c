/* Branches from and into every other kind of layer: views, dense layers, which take several images
 * at once, average pools, transposed convolutions, group_norm, the logits of a cross-entropy. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static void check_both(const Net *net)
{
    check_net(net, "x86-64-v3", "");
    check_net_by(net, "c", "conv_plain");
}

/* What names a view reads the value after it; a view that several read is sent a sum. */
static void through_views(void **state)
{
    (void)state;
    Net flat = { .height = 6,
                 .width = 4,
                 .channels = 1,
                 .encoder = { { FLATTEN },
                              { DENSE, .units = 24, .activation = "tanh" },
                              { ADD, .with = "encoder.flatten1" },
                              { CONCAT, .with = "encoder.flatten1 encoder.dense1" },
                              { DENSE, .units = 7 } },
                 .decoder = { { DENSE, .units = 24, .activation = "elu" },
                              { RESHAPE, .shape = { 6, 4, 1 } },
                              { CONV, .filters = 1, .kernel = 3 },
                              { ADD, .with = "decoder.reshape1" },
                              { CONCAT, .with = "decoder.reshape1" },
                              { CONV, .filters = 1, .kernel = 3 } } };
    check_both(&flat);
    Net image = { .height = 6,
                  .width = 8,
                  .channels = 2,
                  .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "relu" },
                               { RESHAPE, .shape = { 8, 6, 3 } },
                               { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                               { ADD, .with = "encoder.reshape1" },
                               { RESHAPE, .shape = { 6, 8, 3 } },
                               { CONCAT, .with = "encoder.conv1" } },
                  .decoder = { { CONV, .filters = 2, .kernel = 3 }, { ADD, .with = "input" } } };
    check_both(&image);
}

/* A max-pool's gradient may pass an activation only where the pool reads that activation, not a sum
   of it with something that learns nothing. */
static void pool_behind_a_sum(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 6,
                .channels = 3,
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "relu" },
                             { ADD, .with = "input" },
                             { POOL, .size = 2 } },
                .decoder = { { UP, .size = 2 }, { CONV, .filters = 3, .kernel = 3 } } };
    check_both(&net);
}

/* Where the latent is a view, a decoder that names the layer after it reads no more than the
   latent. */
static void views_of_the_latent(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                             { POOL, .size = 2 },
                             { FLATTEN } },
                .decoder = { { RESHAPE, .shape = { 3, 4, 4 } },
                             { CONV, .filters = 4, .kernel = 3, .activation = "elu" },
                             { ADD, .with = "encoder.pool1" },
                             { UP, .size = 2 },
                             { CONV, .filters = 2, .kernel = 3 } } };
    check_both(&net);
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target c");
    assert_non_null(built.model->decode);
    built_free(&built);
    free(graph);
}

/* The decoder reads the encoder's values of a whole group of images. */
static void around_dense_layers(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 6,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                             { POOL, .size = 2 },
                             { FLATTEN },
                             { DENSE, .units = 6 } },
                .decoder = { { DENSE, .units = 48, .activation = "tanh" },
                             { ADD, .with = "encoder.flatten1" },
                             { RESHAPE, .shape = { 4, 3, 4 } },
                             { UNPOOL, .with = "encoder.pool1" },
                             { CONCAT, .with = "encoder.conv1 input" },
                             { CONV, .filters = 2, .kernel = 3 } } };
    check_both(&net);
}

static void average_pools_and_transposed_convolutions(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 12,
                .channels = 3,
                .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = "tanh" },
                             { AVG, .size = 2 },
                             { CONV, .filters = 8, .kernel = 3, .activation = "elu" },
                             { ADD, .with = "encoder.pool1" },
                             { AVG, .size = 2 } },
                .decoder = { { DECONV, .filters = 8, .kernel = 3, .activation = "elu" },
                             { ADD, .with = "encoder.conv2 encoder.pool1" },
                             { DECONV, .filters = 8, .kernel = 3, .activation = "tanh" },
                             { CONV, .filters = 8, .kernel = 3 },
                             { CONCAT, .with = "decoder.deconv2 encoder.conv1" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_both(&net);
    net.encoder[4].kind = POOL;
    check_both(&net);
}

/* Two pools on one activation, which a skip reads as well; the first of them is an average. */
static void several_pools_on_one_value(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 4,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                             { AVG, .size = 2 },
                             { FROM, .with = "encoder.conv1" },
                             { POOL, .size = 2 },
                             { ADD, .with = "encoder.pool1" } },
                .decoder = { { UNPOOL, .with = "encoder.pool2" },
                             { CONCAT, .with = "encoder.conv1" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_both(&net);
}

/* Something else reads a convolution's value before its activation, in the middle of what could be
   one stage. */
static void into_the_middle_of_a_stage(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 4,
                .channels = 3,
                .encoder = { { CONV, .filters = 5, .kernel = 3 },
                             { ACT, .activation = "tanh" },
                             { FROM, .with = "encoder.conv1" },
                             { CONV, .filters = 5, .kernel = 1, .activation = "elu" },
                             { FROM, .with = "encoder.tanh1" },
                             { POOL, .size = 2 } },
                .decoder = { { UP, .size = 2 },
                             { ADD, .with = "encoder.conv2" },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_both(&net);
    net.encoder[5].kind = AVG;
    check_both(&net);
}

static void around_norms(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .encoder = { { CONV, .filters = 8, .kernel = 3 },
                             { NORM, .groups = 2 },
                             { ACT, .activation = "relu" },
                             { CONV, .filters = 8, .kernel = 3 },
                             { NORM, .groups = 4 },
                             { ADD, .with = "encoder.norm1 encoder.conv1" },
                             { AVG, .size = 2 } },
                .decoder = { { UP, .size = 2 },
                             { CONCAT, .with = "encoder.norm2" },
                             { NORM, .groups = 1 },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_both(&net);
}

/* The loss goes past the sigmoid; a skip reads it, or what it is made of. */
static void cross_entropy(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 4,
                .channels = 1,
                .loss = "bce",
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh" } },
                .decoder = { { CONV, .filters = 1, .kernel = 3 },
                             { ACT, .activation = "sigmoid" },
                             { ADD, .with = "decoder.conv1" },
                             { CONV, .filters = 1, .kernel = 3 },
                             { ADD, .with = "decoder.sigmoid1" },
                             { ACT, .activation = "sigmoid" } } };
    check_both(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_views),
        cmocka_unit_test(pool_behind_a_sum),
        cmocka_unit_test(views_of_the_latent),
        cmocka_unit_test(around_dense_layers),
        cmocka_unit_test(average_pools_and_transposed_convolutions),
        cmocka_unit_test(several_pools_on_one_value),
        cmocka_unit_test(into_the_middle_of_a_stage),
        cmocka_unit_test(around_norms),
        cmocka_unit_test(cross_entropy),
    };
    return cmocka_run_group_tests_name("branches", tests, NULL, NULL);
}
