/* log_cosh: the mean of log(cosh(difference)) against the naive one, its gradient against finite
   differences, under each upsampling; and where cosh itself would overflow. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void under_each_upsampling(void **state)
{
    (void)state;
    for (int size = 1; size <= 4; size++) {
        Net net = { .height = 3 * size,
                    .width = 5 * size,
                    .channels = 1 + size % 3,
                    .loss = "log_cosh",
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = size,
                                   .activation = "tanh", .plain = true } },
                    .decoder = { { CONV, .filters = 1 + size % 3, .kernel = 3 },
                                 { size > 1 ? UP : END, .size = size } } };
        check_net(&net, "x86-64-v3", "");
    }
}

static void of_an_activation(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .loss = "log_cosh",
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh",
                               .plain = true } },
                .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" } } };
    check_net(&net, "c", "");
}

/* The output is that much above the image, which is black, everywhere. */
static void check_difference(double difference, double right, double slope)
{
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .loss = "log_cosh",
                .encoder = { { CONV, .filters = 1, .kernel = 1 } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    const double parameters[] = { 0, 0, 0, difference };
    const double bound = sizeof(real) == 8 ? 1e-12 : 1e-6;
    char *graph = net_graph(&net);
    uint8_t *image = net_image(&net, 6);
    memset(image, 0, 16);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, parameters);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    if (!(fabs(loss / right - 1) < bound && fabs(gradient[3] / slope - 1) < bound))
        fail_msg("at %g: loss %.9g, not %.9g; slope %.9g, not %.9g", difference, loss, right,
                 gradient[3], slope);
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(image);
}

/* Where cosh overflows, where its logarithm is the difference less log 2 to the last place, and
   where it is half a square of which a sum with log 2, or with the difference, would leave
   little. */
static void far_and_near(void **state)
{
    (void)state;
    static const double differences[] = {
        1e-12, 1e-6, 0x1p-10, 0.1, 0.7, 3, 9, 19.5, 20.5, 88, 2000
    };
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        const double d = differences[i], half = sinh(d / 2),
                     right = d < 100 ? log1p(2 * half * half) : d - log(2);
        check_difference(d, right, tanh(d));
        check_difference(-d, right, -tanh(d));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(under_each_upsampling),
                                        cmocka_unit_test(of_an_activation),
                                        cmocka_unit_test(far_and_near) };
    return cmocka_run_group_tests_name("log_cosh", tests, NULL, NULL);
}
