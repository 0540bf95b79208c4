/* ssim: against the naive one, its gradient against finite differences, at sizes around its
   windows, alone and in a sum whose other loss takes in the last upsampling; of outputs far from
   0..1. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>

static void at_sizes_around_its_windows(void **state)
{
    (void)state;
    static const int sizes[][3] = { { 11, 11, 1 }, { 12, 15, 3 }, { 23, 11, 2 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Net net = { .height = sizes[i][0],
                    .width = sizes[i][1],
                    .channels = sizes[i][2],
                    .loss = "ssim",
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh" } },
                    .decoder = { { CONV, .filters = sizes[i][2], .kernel = 3,
                                   .activation = i ? "sigmoid" : "linear" } } };
        check_net(&net, i ? "x86-64-v3" : "c", "");
    }
}

static void in_a_sum(void **state)
{
    (void)state;
    Net net = { .height = 12,
                .width = 14,
                .channels = 1,
                .loss = "{ mse = 0.5, ssim = 0.25 }",
                .encoder = { { CONV, .filters = 2, .kernel = 3, .activation = "tanh" },
                             { AVG, .size = 2 } },
                .decoder = { { CONV, .filters = 1, .kernel = 3, .activation = "sigmoid" },
                             { UP, .size = 2 } } };
    check_net(&net, "c", "");
}

/* What rounding leaves of a variance is no number to divide by. */
static void of_outputs_far_away(void **state)
{
    (void)state;
    Net net = { .height = 12,
                .width = 12,
                .channels = 1,
                .loss = "ssim",
                .encoder = { { CONV, .filters = 1, .kernel = 1 } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    const double parameters[] = { 0, 0, 0, 30000.3 };
    char *graph = net_graph(&net);
    uint8_t *image = net_image(&net, 6);
    Built built = build_model_merged(graph, "--target x86-64-v3");
    Driven driven = drive_new(built.model, parameters);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    assert_true(isfinite(loss) && isfinite(gradient[3]));
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(at_sizes_around_its_windows),
                                        cmocka_unit_test(in_a_sum),
                                        cmocka_unit_test(of_outputs_far_away) };
    return cmocka_run_group_tests_name("ssim", tests, NULL, NULL);
}
