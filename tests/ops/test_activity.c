/* activity_l1 and activity_l2: what they add to the loss, from the layer's values, and gradients
   against finite differences; of a convolution and, in microbatches, of a dense layer. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double L1 = 0.375, L2 = 0.125;

/* The net's text, whose first such word is given both penalties. */
static char *with_penalties(const Net *net, const char *word)
{
    char *plain = net_graph(net), *at = strstr(plain, word);
    assert_non_null(at);
    at += strlen(word);
    char *graph = text_of("%.*s activity_l1 = %g, activity_l2 = %g, %s", (int)(at - plain), plain,
                          L1, L2, at);
    free(plain);
    return graph;
}

/* The layer is the only one before the latent. */
static double penalty_of(Driven *driven, const uint8_t *image)
{
    const ModelShape *shape = &driven->model->latent;
    int count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= shape->dim[i];
    double *latent = drive_encode(driven, image), sum = 0;
    for (int i = 0; i < count; i++)
        sum += L1 * fabs(latent[i]) + L2 * latent[i] * latent[i];
    free(latent);
    return sum;
}

static void check(const Net *net, const char *word, const char *target)
{
    char *plain_graph = net_graph(net), *graph = with_penalties(net, word);
    Built plain = build_model_merged(plain_graph, target),
          built = build_model_merged(graph, target);
    int count;
    double *parameters = net_parameters(net, 1, &count);
    Driven without = drive_new(plain.model, parameters),
           driven = drive_new(built.model, parameters);
    uint8_t *image = net_image(net, 3);
    const double right = drive_loss(&without, image) + penalty_of(&driven, image),
                 loss = drive_loss(&driven, image);
    if (!(fabs(loss / right - 1) <= (sizeof(real) == 8 ? 1e-13 : 1e-5)))
        fail_msg("the loss is %.17g instead of %.17g", loss, right);
    if (sizeof(real) == 8)
        check_gradient(net, &driven, parameters, 1e-6);
    assert_int_equal(built.model->column_count, 3);
    assert_string_equal(built.model->columns[0], "mse");
    assert_string_equal(built.model->columns[1], "activity_l1");
    assert_string_equal(built.model->columns[2], "activity_l2");
    free(image);
    free(parameters);
    drive_free(&without);
    drive_free(&driven);
    built_free(&plain);
    built_free(&built);
    free(plain_graph);
    free(graph);
}

static void of_a_convolution(void **state)
{
    (void)state;
    const Net net = { .height = 5,
                      .width = 7,
                      .channels = 2,
                      .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "relu" } },
                      .decoder = { { CONV, .filters = 2, .kernel = 3 } } };
    check(&net, "conv2d {", "--target x86-64-v3");
}

static void of_a_dense_layer(void **state)
{
    (void)state;
    const Net net = { .height = 4,
                      .width = 6,
                      .channels = 1,
                      .encoder = { { FLATTEN }, { DENSE, .units = 9, .activation = "tanh" } },
                      .decoder = { { DENSE, .units = 24 }, { RESHAPE, .shape = { 4, 6, 1 } } } };
    check(&net, "dense {", "--target c");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_a_convolution),
                                        cmocka_unit_test(of_a_dense_layer) };
    return cmocka_run_group_tests_name("activity", tests, NULL, NULL);
}
