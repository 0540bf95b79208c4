/* global_avg_pool2d and global_max_pool2d: as the latent, as the gates of a multiplication, of
   pixels; and to which of equals a gradient goes. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>

static void both(void **state)
{
    (void)state;
    Net net = { .height = 3,
                .width = 4,
                .channels = 1,
                .encoder = { { CONV, .filters = 70, .kernel = 2, .activation = "tanh" },
                             { GLOBAL_AVG },
                             { ACT, .activation = "sigmoid" },
                             { MULTIPLY, .with = "encoder.conv1" },
                             { CONV, .filters = 5, .kernel = 2, .activation = "elu" },
                             { GLOBAL_MAX },
                             { FROM, .with = "input" },
                             { GLOBAL_AVG },
                             { FROM, .with = "input" },
                             { GLOBAL_MAX },
                             { CONCAT, .with = "encoder.gpool2 encoder.gpool3" } },
                .decoder = { { DENSE, .units = 12 }, { RESHAPE, .shape = { 3, 4, 1 } } } };
    check_net(&net, "x86-64-v3", "");
    net.encoder[0].filters = 3;
    check_net(&net, "c", "");
}

/* With a first weight of 0 all values of the image are equal: its gradient is what arrives at the
   largest times the pixel that has won. */
static void gradient_goes_to_the_first_of_equals(void **state)
{
    (void)state;
    enum { PIXELS = 4 };
    const Net net = { .height = 2,
                      .width = 2,
                      .channels = 1,
                      .encoder = { { CONV, .filters = 1, .kernel = 1 }, { GLOBAL_MAX } },
                      .decoder = { { DENSE, .units = PIXELS },
                                   { RESHAPE, .shape = { 2, 2, 1 } } } };
    const double w[] = { 0, 0.25, 0.5, -1, 0.75, 2, 0.125, 0.5, -0.25, 1 };
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target c");
    Driven driven = drive_new(built.model, w);
    uint8_t *image = net_image(&net, 3);
    double loss, *gradient = drive_gradient(&driven, &image, 1, NULL, &loss), right = 0;
    for (int i = 0; i < PIXELS; i++)
        right += w[2 + i] * 2 / PIXELS * (w[2 + i] * w[1] + w[2 + PIXELS + i] - image[i] / 255.0)
                 * image[0] / 255.0;
    if (!(fabs(gradient[0] - right) <= (sizeof(real) == 8 ? 1e-7 : 1e-5) * fabs(right)))
        fail_msg("the gradient is %.12g instead of %.12g", gradient[0], right);
    free(gradient);
    free(image);
    drive_free(&driven);
    built_free(&built);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both),
        cmocka_unit_test(gradient_goes_to_the_first_of_equals),
    };
    return cmocka_run_group_tests_name("global_pool2d", tests, NULL, NULL);
}
