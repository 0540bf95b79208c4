/* Losses that are sums of weighted terms: against the naive ones, gradients against finite
 * differences, image by image and in microbatches, in stages; and their terms, not weighted. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Net sum = { .height = 6,
                         .width = 8,
                         .channels = 3,
                         .loss = "{ bce = 2, log_cosh = 0.5, mse = 0.25 }",
                         .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                                      { AVG, .size = 2 } },
                         .decoder = { { CONV, .filters = 3, .kernel = 3 },
                                      { UP, .size = 2 },
                                      { ACT, .activation = "sigmoid" } } };

static void of_losses(void **state)
{
    (void)state;
    check_net(&sum, "x86-64-v3", "");
    check_net(&sum, "c", "");
}

static void of_one_weighted_loss(void **state)
{
    (void)state;
    Net net = sum;
    net.loss = "{ mse = 0.125 }";
    check_net(&net, "c", "");
}

static void in_microbatches(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 6,
                .channels = 1,
                .loss = "{ mse = 0.75, mae = 0.25 }",
                .encoder = { { FLATTEN }, { DENSE, .units = 10, .activation = "tanh" } },
                .decoder = { { DENSE, .units = 24 }, { RESHAPE, .shape = { 4, 6, 1 } } } };
    check_net(&net, "x86-64-v3", "");
}

/* The loss is what its columns add up to with their weights, be they written as names, in a list or
   as both. */
static void columns_hold_the_terms(void **state)
{
    (void)state;
    static const char *const ways[] = { "{ mse = 0.75, mae = 0.25 }",
                                        "{ mae { weight = 0.25 }, mse { weight = 0.75 } }",
                                        "{ mae { weight = 0.25 }, mse = 0.75 }" };
    double first[3];
    for (int i = 0; i < 3; i++) {
        Net net = sum;
        net.loss = ways[i];
        char *graph = net_graph(&net);
        Built built = build_model_merged(graph, "--target c");
        const Model *m = built.model;
        int count;
        double *parameters = net_parameters(&net, 1, &count), losses[MODEL_MAX_COLUMNS];
        Driven driven = drive_new(m, parameters);
        uint8_t *image = net_image(&net, 6);
        const uint8_t *images[] = { image };
        assert_int_equal(m->column_count, 2);
        assert_string_equal(m->columns[0], "mse");
        assert_string_equal(m->columns[1], "mae");
        assert_int_equal(m->term_count, 2);
        m->loss_microbatch(driven.prepared.data, images, 1, losses, driven.train.data);
        const double mse = losses[m->terms[0].place], mae = losses[m->terms[1].place];
        assert_true(losses[0] == mse * 0.75 + mae * 0.25);
        assert_true(losses[0] == drive_loss(&driven, image));
        assert_true(mse > 0 && mae > mse);
        if (i == 0)
            memcpy(first, (double[]){ losses[0], mse, mae }, sizeof first);
        assert_true(losses[0] == first[0] && mse == first[1] && mae == first[2]);
        free(parameters);
        free(image);
        drive_free(&driven);
        built_free(&built);
        free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_losses),
                                        cmocka_unit_test(of_one_weighted_loss),
                                        cmocka_unit_test(in_microbatches),
                                        cmocka_unit_test(columns_hold_the_terms) };
    return cmocka_run_group_tests_name("loss_sum", tests, NULL, NULL);
}
