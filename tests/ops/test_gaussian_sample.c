/* gaussian_sample: the mean in inference and without a number, with one what its formula says; its
 * term of the loss; gradients of the very losses drawn. What warms up has a share of the term's
 * gradient. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "net_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const Net nets[] = {
    /* an image of means and log-variances, the latent */
    { .height = 6,
      .width = 4,
      .channels = 3,
      .encoder = { { CONV, .filters = 10, .kernel = 3, .activation = "tanh" },
                   { SAMPLE, .kl_weight = 0.75 } },
      .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" } } },
    /* flat, among dense layers; a second one behind the latent; without weight the term is only
       watched */
    { .height = 4,
      .width = 6,
      .channels = 1,
      .encoder = { { FLATTEN },
                   { DENSE, .units = 14, .activation = "tanh" },
                   { SAMPLE, .kl_weight = 1 } },
      .decoder = { { DENSE, .units = 8 },
                   { SAMPLE, .kl_weight = 0.25 },
                   { DENSE, .units = 48 },
                   { SAMPLE, .kl_weight = 0 },
                   { RESHAPE, .shape = { 4, 6, 1 } } } },
    /* straight on the image; read by another layer besides; a loss of several terms */
    { .height = 6,
      .width = 6,
      .channels = 2,
      .loss = "{ mse = 0.5, mae = 0.25 }",
      .encoder = { { SAMPLE, .kl_weight = 0.5 },
                   { CONV, .filters = 4, .kernel = 3, .activation = "elu" },
                   { SAMPLE, .kl_weight = 0.125 } },
      .decoder = { { CONCAT, .with = "encoder.sample1 encoder.sample2" },
                   { CONV, .filters = 2, .kernel = 3 } } },
};

static void the_mean_without_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nets); i++) {
        check_net(&nets[i], "x86-64-v3", "");
        check_net_by(&nets[i], "c", "conv_plain");
    }
}

static void gradients_of_what_is_drawn(void **state)
{
    (void)state;
    if (sizeof(real) == 4)
        skip();
    for (size_t i = 0; i < COUNT(nets); i++) {
        int count;
        char *graph = net_graph(&nets[i]);
        Built built = build_model_merged(graph, "--target c");
        double *parameters = net_parameters(&nets[i], 5, &count);
        Model drawing = drawing_model(built.model);
        Driven driven = drive_new(&drawing, parameters);
        check_gradient(&nets[i], &driven, parameters, 1e-6);
        uint8_t *image = net_image(&nets[i], 31);
        double drawn = drive_loss(&driven, image);
        driven.model = built.model;
        assert_true(fabs(drawn - drive_loss(&driven, image)) > 1e-3 * drawn);
        drive_free(&driven);
        built_free(&built);
        free(image);
        free(graph);
        free(parameters);
    }
}

/* ---- by formula ---- */

/* Of one pixel of one channel: mean m + a x and log-variance v + b x, then a convolution of weight
   1, so that the output is what was drawn. */
static Built echo(const char *sample)
{
    char *graph = text_of("return autoencoder \"net\" { input = { 1, 1, 1 }, "
                          "encoder = sequential \"encoder\" { conv2d { filters = 2, kernel = 1 }, "
                          "%s }, "
                          "decoder = sequential \"decoder\" { conv2d { filters = 1, kernel = 1 } } "
                          "}\n",
                          sample);
    Built built = build_model_merged(graph, "--target c");
    free(graph);
    return built;
}

typedef struct Drawn {
    double losses[4]; /* the loss, and what it is the sum of */
    real gradient[8];
} Drawn;

static Drawn draw(const Model *model, double mean, double log_variance, double share,
                  uint64_t number)
{
    const real parameters[] = { 0, 0, (real)mean, (real)log_variance, 1, 0, (real)share },
               with_share[] = { 0, 0, (real)mean, (real)log_variance, (real)share, 1, 0 };
    _Alignas(64) static real prepared[256];
    const uint8_t image = 0, *images = &image;
    void *workspace = aligned_alloc(64, (model->train_bytes + 63) / 64 * 64);
    Drawn drawn = { 0 };
    assert_true(model->prepared_bytes <= sizeof prepared && model->loss_places <= 4);
    model->prepare(model->warmup_count ? with_share : parameters, prepared);
    model->backward_chunk(prepared, &images, &number, 1, drawn.gradient, drawn.losses, workspace,
                          NULL);
    free(workspace);
    return drawn;
}

/* What is drawn has the mean and the variance that were asked for: single values for many
   numbers, within five deviations; of a variance of next to nothing all are the mean. */
static void values_are_normal(void **state)
{
    (void)state;
    enum { NUMBERS = 20000 };
    const double mean = 0.75, log_variance = -1.5, variance = exp(log_variance);
    double sum = 0, squares = 0;
    Built built = echo("gaussian_sample { kl_weight = 0 }");
    for (uint64_t k = 1; k <= NUMBERS; k++) {
        const double y = (double)draw(built.model, mean, log_variance, 1, k).gradient[5] / 2;
        sum += y;
        squares += (y - mean) * (y - mean);
    }
    assert_true(fabs(sum / NUMBERS - mean) < 5 * sqrt(variance / NUMBERS));
    assert_true(fabs(squares / NUMBERS / variance - 1) < 5 * sqrt(2.0 / NUMBERS));
    const Drawn still = draw(built.model, mean, -60, 1, 77);
    assert_true(fabs((double)still.gradient[5] / 2 - mean) < 1e-6);
    assert_int_equal(built.model->latent_is_normal, 1);
    built_free(&built);
}

/* torch.distributions.kl_divergence(Normal(m, exp(v / 2)), Normal(0, 1)), PyTorch in float64. */
static const double kl_numbers[][3] = {
    { 0, 0, 0 },
    { 1, 0, 0.5 },
    { -2, 1, 2.3591409142295223 },
    { 0.5, -3, 1.1498935341839319 },
    { 3, -20, 14.000000001030577 },
};

static void the_divergence_is_a_term(void **state)
{
    (void)state;
    Built built = echo("gaussian_sample { kl_weight = 3 }");
    assert_int_equal(built.model->column_count, 2);
    assert_string_equal(built.model->columns[0], "mse");
    assert_string_equal(built.model->columns[1], "kl");
    const int place = built.model->terms[1].place;
    for (size_t i = 0; i < COUNT(kl_numbers); i++) {
        const double *n = kl_numbers[i];
        const Drawn drawn = draw(built.model, n[0], n[1], 1, 0);
        const double bound = (sizeof(real) == 8 ? 1e-12 : 1e-6) * (1 + n[2]);
        assert_true(fabs(drawn.losses[place] - n[2]) < bound);
        assert_true(fabs(drawn.losses[0] - (n[0] * n[0] + 3 * n[2])) < 10 * bound);
    }
    built_free(&built);
}

/* The share is of the gradient alone: of the two numbers m and v without what the picture sends
   back, which for the number 0 is 2 m of the mean. */
static void a_share_of_the_gradient(void **state)
{
    (void)state;
    const double shares[] = { 0, 0.25, 1 }, mean = 0.5, log_variance = -1;
    Built built = echo("gaussian_sample { kl_weight = 3, warmup = 4 }");
    assert_int_equal(built.model->warmup_count, 1);
    assert_true(built.model->warmups[0].epochs == 4);
    assert_string_equal(built.model->parameters[built.model->warmups[0].parameter].name,
                        "encoder.sample1.kl_share");
    const Drawn whole = draw(built.model, mean, log_variance, 1, 0);
    for (size_t i = 0; i < COUNT(shares); i++) {
        const Drawn drawn = draw(built.model, mean, log_variance, shares[i], 0);
        const double m = 2 * mean + 3 * shares[i] * mean,
                     v = 3 * shares[i] * expm1(log_variance) / 2;
        assert_true(fabs((double)drawn.gradient[2] - m) < 1e-6);
        assert_true(fabs((double)drawn.gradient[3] - v) < 1e-6);
        assert_true(drawn.gradient[4] == 0);
        assert_true(drawn.losses[0] == whole.losses[0]);
    }
    built_free(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_without_a_number), cmocka_unit_test(gradients_of_what_is_drawn),
        cmocka_unit_test(values_are_normal),         cmocka_unit_test(the_divergence_is_a_term),
        cmocka_unit_test(a_share_of_the_gradient),
    };
    return cmocka_run_group_tests_name("gaussian_sample", tests, NULL, NULL);
}
