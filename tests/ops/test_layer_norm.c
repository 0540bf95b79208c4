/* layer_norm and prelu, of as many channels as fill vectors, and more, and fewer; on the image
   itself, on flat values, and their start. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static Net net_of(int channels)
{
    return (Net){ .height = 6,
                  .width = 5,
                  .channels = 3,
                  .encoder = { { CONV, .filters = channels, .kernel = 3 },
                               { LAYER_NORM },
                               { PRELU },
                               { LAYER_NORM, .eps = 0.125 },
                               { ACT, .activation = "softmax" } },
                  .decoder = { { CONV, .filters = 3, .kernel = 3 } } };
}

static void around_the_width_of_vectors(void **state)
{
    (void)state;
    static const int channels[] = { 4, 8, 13, 35 };
    for (int i = 0; i < 4; i++) {
        Net net = net_of(channels[i]);
        check_net(&net, "x86-64-v3", "");
    }
}

static void on_other_targets(void **state)
{
    (void)state;
    Net net = net_of(19);
    check_net(&net, "c", "");
    check_net(&net, "x86-64-v4", "");
}

static void of_the_image_and_of_flat_values(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 6,
                .channels = 3,
                .encoder = { { LAYER_NORM, .eps = 1e-2 },
                             { CONV, .filters = 4, .kernel = 3 },
                             { FLATTEN },
                             { LAYER_NORM },
                             { PRELU },
                             { DENSE, .units = 11, .activation = "softmax" } },
                .decoder = { { DENSE, .units = 72 },
                             { PRELU },
                             { LAYER_NORM },
                             { RESHAPE, .shape = { 4, 6, 3 } },
                             { LAYER_NORM } } };
    check_net(&net, "x86-64-v3", "");
}

/* A signal of one row, whose samples threads share. */
static void of_signals(void **state)
{
    (void)state;
    Net net = { .height = 1,
                .width = 24,
                .channels = 2,
                .encoder = { { CONV, .filters = 9, .kernel = 1, .kernel_w = 3 },
                             { LAYER_NORM },
                             { PRELU } },
                .decoder = { { ACT, .activation = "softmax" },
                             { CONV, .filters = 2, .kernel = 1, .kernel_w = 3 } } };
    check_net(&net, "x86-64-v3", "");
}

/* gamma starts at 1, beta and alpha at 0, as in Keras. */
static void their_start(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .encoder = { { CONV, .filters = 4, .kernel = 1 }, { LAYER_NORM }, { PRELU } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 }, { INSTANCE_NORM } } };
    static const struct {
        const char *name;
        double fill;
    } starts[] = { { "encoder.ln1.gamma", 1 },
                   { "encoder.ln1.beta", 0 },
                   { "encoder.prelu1.alpha", 0 } };
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target c");
    for (int i = 0; i < 3; i++) {
        const ModelParameter *p = &built.model->parameters[2 + i];
        assert_string_equal(p->name, starts[i].name);
        assert_true(p->limit == 0 && p->fill == starts[i].fill && p->count == 4);
    }
    assert_string_equal(built.model->parameters[7].name, "decoder.in1.gamma");
    built_free(&built);
    free(graph);
}

/* As in Keras: where x is 0, neither x nor alpha has a gradient. */
static void prelu_has_no_slope_at_zero(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .encoder = { { CONV, .filters = 2, .kernel = 1 }, { PRELU } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    /* kernel, bias, alpha, kernel, bias */
    const double parameters[] = { 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5 };
    char *graph = net_graph(&net);
    Built built = build_model(graph, "--target x86-64-v3");
    Driven driven = drive_new(built.model, parameters);
    uint8_t *image = net_image(&net, 3);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    for (int i = 0; i < 6; i++)
        assert_true(gradient[i] == 0);
    assert_true(gradient[8] != 0);
    free(gradient);
    free(image);
    drive_free(&driven);
    built_free(&built);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(around_the_width_of_vectors),
        cmocka_unit_test(on_other_targets),
        cmocka_unit_test(of_the_image_and_of_flat_values),
        cmocka_unit_test(of_signals),
        cmocka_unit_test(their_start),
        cmocka_unit_test(prelu_has_no_slope_at_zero),
    };
    return cmocka_run_group_tests_name("layer_norm, prelu", tests, NULL, NULL);
}
