/* huber: against the naive one, its gradient against finite differences, under each upsampling; and
   on both sides of delta, by hand. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void under_each_upsampling(void **state)
{
    (void)state;
    for (int size = 1; size <= 3; size++) {
        Net net = { .height = 2 * size,
                    .width = 5 * size,
                    .channels = 1 + size % 3,
                    .loss = "huber",
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = size,
                                   .activation = "tanh" } },
                    .decoder = { { CONV, .filters = 1 + size % 3, .kernel = 3 },
                                 { size > 1 ? UP : END, .size = size } } };
        check_net(&net, "x86-64-v3", "");
    }
}

/* The output is that much above the image, which is black, everywhere. */
static void check_difference(double difference, double right, double slope)
{
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .loss = "huber { delta = 0.25, weight = 2 }",
                .encoder = { { CONV, .filters = 1, .kernel = 1 } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    const double parameters[] = { 0, 0, 0, difference };
    const double bound = sizeof(real) == 8 ? 1e-14 : 1e-6;
    char *graph = net_graph(&net);
    uint8_t *image = net_image(&net, 6);
    memset(image, 0, 16);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, parameters);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    if (!(fabs(loss - 2 * right) <= bound * right && fabs(gradient[3] - 2 * slope) <= bound))
        fail_msg("at %g: loss %.9g, not %.9g; slope %.9g, not %.9g", difference, loss, 2 * right,
                 gradient[3], 2 * slope);
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(image);
}

static void on_both_sides_of_delta(void **state)
{
    (void)state;
    check_difference(0.125, 0.0078125, 0.125);
    check_difference(-0.125, 0.0078125, -0.125);
    check_difference(0.25, 0.03125, 0.25);
    check_difference(1, 0.21875, 0.25);
    check_difference(-1024, 255.96875, -0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(under_each_upsampling),
                                        cmocka_unit_test(on_both_sides_of_delta) };
    return cmocka_run_group_tests_name("huber", tests, NULL, NULL);
}
