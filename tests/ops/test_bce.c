/* bce: from the logits after a sigmoid, upsampled or not, and from values elsewhere; far from zero,
   where only the logits keep a number. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static void behind_a_sigmoid(void **state)
{
    (void)state;
    for (int size = 1; size <= 3; size++)
        for (int layer = 0; layer < 2; layer++) {
            Net net = { .height = 4 * size,
                        .width = 5 * size,
                        .channels = 1 + size % 3,
                        .loss = "bce",
                        .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = size,
                                       .activation = "tanh", .plain = true } },
                        .decoder = { { CONV, .filters = 1 + size % 3, .kernel = 3,
                                       .activation = layer ? NULL : "sigmoid" } } };
            int n = 1;
            if (layer)
                net.decoder[n++] = (NetLayer){ ACT, .activation = "sigmoid" };
            if (size > 1)
                net.decoder[n++] = (NetLayer){ UP, .size = size };
            check_net(&net, layer ? "c" : "x86-64-v3", "");
        }
}

/* After a view of the sigmoid's values, upsampled or not. */
static void behind_a_view(void **state)
{
    (void)state;
    for (int size = 1; size <= 2; size++) {
        Net net = { .height = 4 * size,
                    .width = 3 * size,
                    .channels = 2,
                    .loss = "bce",
                    .encoder = { { FLATTEN }, { DENSE, .units = 7, .activation = "tanh" } },
                    .decoder = { { DENSE, .units = 24, .activation = "sigmoid" },
                                 { RESHAPE, .shape = { 4, 3, 2 } } } };
        if (size > 1)
            net.decoder[2] = (NetLayer){ UP, .size = size };
        check_net(&net, "x86-64-v3", "");
    }
}

/* Values inside of 0 and 1 that no sigmoid made last. */
static void of_values(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .loss = "bce",
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh",
                               .plain = true } },
                .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" },
                             { UP, .size = 2 },
                             { AVG, .size = 2 } } };
    check_net(&net, "x86-64-v3", "");
    Net upsampled = { .height = 6,
                      .width = 8,
                      .channels = 3,
                      .loss = "bce",
                      .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh",
                                     .plain = true } },
                      .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" },
                                   { AVG, .size = 2 },
                                   { UP, .size = 2 } } };
    check_net(&upsampled, "c", "");
}

/* Outputs at and beyond 0 and 1: the logarithms stop at -100, in forward alone, since no difference
   is left to hold gradients against. */
static void of_values_out_of_range(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 8,
                .channels = 2,
                .loss = "bce",
                .scale = 3,
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh",
                               .plain = true } },
                .decoder = { { CONV, .filters = 2, .kernel = 3, .activation = "relu" } } };
    char *graph = net_graph(&net);
    int count;
    double *parameters = net_parameters(&net, 5, &count);
    uint8_t *image = net_image(&net, 6);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, parameters);
    check_forward(&net, &driven, parameters, image, sizeof(real) == 8 ? 1e-12 : 1e-5);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    for (int i = 0; i < count; i++)
        assert_true(gradient[i] - gradient[i] == 0); /* finite */
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(parameters);
    free(image);
}

static void check_large_logits(Net net)
{
    /* the output's logit is 400 everywhere */
    const double parameters[] = { 0, 0, 0, 400 };
    char *graph = net_graph(&net);
    uint8_t *image = net_image(&net, 6);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, parameters);
    double right = 0, slope = 0, loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    for (int i = 0; i < 16; i++) {
        right += 400 * (1 - (double)((float)image[i] / 255.0f)) / 16;
        slope += (1 - (double)((float)image[i] / 255.0f)) / 16;
    }
    assert_true(right > 150 && loss > right * (1 - 1e-5) && loss < right * (1 + 1e-5));
    assert_true(gradient[3] > slope * (1 - 1e-5) && gradient[3] < slope * (1 + 1e-5));
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(image);
}

/* Logits of hundreds: through the sigmoid the loss would stop at 100 a value. */
static void of_large_logits(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .loss = "bce",
                .encoder = { { CONV, .filters = 1, .kernel = 1 } },
                .decoder = { { CONV, .filters = 1, .kernel = 1, .activation = "sigmoid" } } };
    Net view = { .height = 4,
                 .width = 4,
                 .channels = 1,
                 .loss = "bce",
                 .encoder = { { CONV, .filters = 1, .kernel = 1 } },
                 .decoder = { { CONV, .filters = 1, .kernel = 1 },
                              { FLATTEN },
                              { ACT, .activation = "sigmoid" },
                              { RESHAPE, .shape = { 4, 4, 1 } } } };
    check_large_logits(net);
    check_large_logits(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_sigmoid), cmocka_unit_test(behind_a_view),
        cmocka_unit_test(of_values),        cmocka_unit_test(of_values_out_of_range),
        cmocka_unit_test(of_large_logits),
    };
    return cmocka_run_group_tests_name("bce", tests, NULL, NULL);
}
