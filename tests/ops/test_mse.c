/* mse: the mean over one image of squared differences, by hand for outputs that are known, and its
   gradient. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>

/* A last convolution without weights gives its bias everywhere: the loss is the mean of (bias -
   pixel)^2, its gradient by the bias the sum over the channel's pixels of 2 (bias - pixel) / n. */
static void check_constant(const Net *net, const char *options)
{
    char *graph = net_graph(net);
    Built built = build_model_merged(graph, options);
    int n = net->height * net->width * net->channels, count;
    double *parameters = net_parameters(net, 1, &count);
    for (int i = 0; i < count; i++)
        parameters[i] = i < count - net->channels ? 0 : 0.125 * (i - count + net->channels + 1);
    Driven driven = drive_new(built.model, parameters);
    uint8_t *image = net_image(net, 2);
    double loss = 0, given, *gradient = drive_gradient(&driven, &image, 1, NULL, &given),
           right[8] = { 0 };
    assert_in_range(net->channels, 1, 8);
    for (int i = 0; i < n; i++) {
        int c = i % net->channels;
        double d = parameters[count - net->channels + c] - (double)((float)image[i] / 255.0f);
        loss += d * d / n;
        right[c] += 2 * d / n;
    }
    double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;
    assert_true(fabs(given - loss) <= tolerance * loss);
    assert_true(fabs(drive_loss(&driven, image) - loss) <= tolerance * loss);
    assert_true(relative_difference(gradient + count - net->channels, right, (size_t)net->channels)
                <= tolerance);
    free(gradient);
    free(parameters);
    free(image);
    drive_free(&driven);
    built_free(&built);
    free(graph);
}

static void of_constant_outputs(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 5; channels++) {
        Net net = { .height = 4,
                    .width = 6,
                    .channels = channels,
                    .encoder = { { CONV, .filters = 2, .kernel = 1 } },
                    .decoder = { { CONV, .filters = channels, .kernel = 1 } } };
        check_constant(&net, "--target c");
        Net folded = { .height = 4,
                       .width = 6,
                       .channels = channels,
                       .encoder = { { CONV, .filters = 2, .kernel = 1 }, { POOL, .size = 2 } },
                       .decoder = { { CONV, .filters = channels, .kernel = 1 },
                                    { UP, .size = 2 } } };
        check_constant(&folded, "--target c");
    }
}

static void under_each_upsampling(void **state)
{
    (void)state;
    for (int size = 1; size <= 5; size++) {
        Net net = { .height = 3 * size,
                    .width = 2 * size,
                    .channels = 1 + size % 3,
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = size,
                                   .activation = "tanh", .plain = true } },
                    .decoder = { { CONV, .filters = 1 + size % 3, .kernel = 3 },
                                 { size > 1 ? UP : END, .size = size } } };
        check_net(&net, "x86-64-v3", "");
    }
}

/* Rows of any length against the sixteen partial sums of the kernel. */
static void rows_of_any_length(void **state)
{
    (void)state;
    for (int width = 1; width <= 33; width += 8) {
        Net net = { .height = 2,
                    .width = width,
                    .channels = 1,
                    .encoder = { { CONV, .filters = 2, .kernel = 1, .activation = "tanh",
                                   .plain = true } },
                    .decoder = { { CONV, .filters = 1, .kernel = 1, .plain = true } } };
        check_net(&net, "x86-64-v3", "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_constant_outputs),
        cmocka_unit_test(under_each_upsampling),
        cmocka_unit_test(rows_of_any_length),
    };
    return cmocka_run_group_tests_name("mse", tests, NULL, NULL);
}
