/* batch_norm by its moving statistics after a product with a kernel: inference takes it into kernel
   and bias. Held against the same network with a layer between that changes nothing, so that
   nothing is taken in: within what rounding can make of it. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include "drawn.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 6, WIDTH = 7, CHANNELS = 4, BYTES = HEIGHT * WIDTH * CHANNELS };

/* The graph with `layers` before the latent; each %s between a product and its batch_norm. */
static Built build_net(const char *layers, const char *between, const char *options)
{
    char *inside = text_of(layers, between, between, between);
    char *graph = text_of(
        "return autoencoder \"net\" { input = { %d, %d, %d }, encoder = sequential \"encoder\" { "
        "%s }, decoder = sequential \"decoder\" { flatten {}, dense { units = %d }, reshape { "
        "shape = { %d, %d, %d } } } }\n",
        HEIGHT, WIDTH, CHANNELS, inside, BYTES, HEIGHT, WIDTH, CHANNELS);
    Built built = build_model_merged(graph, options);
    free(graph);
    free(inside);
    return built;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), part = strlen(end);
    return length >= part && strcmp(text + length - part, end) == 0;
}

/* Everything around 0, but gamma and the variance around 1. */
static double *drawn_parameters(const Model *m)
{
    double *values = calloc(m->parameter_reals, sizeof *values);
    assert_non_null(values);
    for (int k = 0; k < m->parameter_count; k++) {
        const ModelParameter *p = &m->parameters[k];
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            values[i] = (double)(real)(drawn(5, i) - 0.5
                                       + (ends_with(p->name, "gamma")
                                          || ends_with(p->name, "variance")));
    }
    return values;
}

static int norms_in(const ModelStep *steps, int count)
{
    int norms = 0;
    for (int i = 0; i < count; i++)
        norms += strcmp(steps[i].kernel, "batch_norm") == 0;
    return norms;
}

static double *latent_of(const Built *built, const double *parameters, const uint8_t *image)
{
    Driven driven = drive_new(built->model, parameters);
    double *latent = drive_encode(&driven, image);
    drive_free(&driven);
    return latent;
}

static size_t latent_count(const Model *m)
{
    return (size_t)(m->latent.dim[0] * (m->latent.rank > 1 ? m->latent.dim[1] : 1)
                    * (m->latent.rank > 2 ? m->latent.dim[2] : 1));
}

/* Of one product: how the channel of a kernel's value is found. */
typedef struct Case {
    const char *layers;
    int groups; /* of a transposed convolution; 0: it is none */
} Case;

static const double *tensor(const Model *m, const double *parameters, const char *end,
                            const ModelParameter **parameter)
{
    for (int k = 0; k < m->parameter_count; k++)
        if (strncmp(m->parameters[k].name, "encoder.", 8) == 0
            && ends_with(m->parameters[k].name, end)) {
            *parameter = &m->parameters[k];
            return parameters + m->parameters[k].offset;
        }
    *parameter = NULL;
    return NULL;
}

static size_t channel_of(const Case *c, const ModelParameter *kernel, size_t channels, size_t i)
{
    const size_t last = (size_t)kernel->shape.dim[3], filters = (size_t)kernel->shape.dim[2];
    return c->groups ? i % last / (last / (size_t)c->groups) * filters + i / last % filters
                     : i % channels;
}

/* What the rounding of both ways can come to in a channel. A sum of n products of inputs up to 1 is
   off by at most n u times the sum of their magnitudes, in whatever order (Higham 2002, "Accuracy
   and Stability of Numerical Algorithms", section 3.1); bias, mean, factor and beta add a handful
   of roundings. */
static double bound_of(const Case *c, const Model *m, const double *parameters, size_t channel)
{
    const double u = sizeof(real) == sizeof(double) ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
    const ModelParameter *kernel, *norm, *other;
    const double *weights = tensor(m, parameters, "kernel", &kernel),
                 *gamma = tensor(m, parameters, "gamma", &norm),
                 *beta = tensor(m, parameters, "beta", &other),
                 *mean = tensor(m, parameters, "moving_mean", &other),
                 *variance = tensor(m, parameters, "moving_variance", &other),
                 *bias = tensor(m, parameters, "bias", &other);
    double size = fabs(mean[channel]) + (bias ? fabs(bias[channel]) : 0), n = 0;
    for (size_t i = 0; i < kernel->count; i++)
        if (channel_of(c, kernel, norm->count, i) == channel) {
            size += fabs(weights[i]);
            n++;
        }
    return 2 * (n + 8) * u
           * (size * fabs(gamma[channel]) / sqrt(variance[channel] + 1e-3) + fabs(beta[channel]));
}

static void compare(const Case *c, const char *options)
{
    Built merged = build_net(c->layers, "", options),
          apart = build_net(c->layers, "rescale { scale = 1 },", options);
    const Model *m = merged.model;
    assert_int_equal(norms_in(m->infer_steps, m->infer_step_count), 0);
    assert_int_equal(norms_in(apart.model->infer_steps, apart.model->infer_step_count), 1);
    double *parameters = drawn_parameters(m);
    uint8_t image[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        image[i] = drawn_pixel(1, i);
    double *got = latent_of(&merged, parameters, image),
           *right = latent_of(&apart, parameters, image);
    const ModelParameter *norm;
    tensor(m, parameters, "gamma", &norm);
    double most = 0;
    for (size_t i = 0; i < latent_count(m); i++) {
        const double bound = bound_of(c, m, parameters, i % norm->count);
        most = fmax(most, fabs(right[i]));
        if (!(fabs(got[i] - right[i]) <= bound)
            || (sizeof(real) == sizeof(double) && !(fabs(got[i] - right[i]) <= 1e-12)))
            fail_msg("%s, value %zu: %.17g merged, %.17g apart", c->layers, i, got[i], right[i]);
    }
    assert_true(most > 0.5);
    free(got);
    free(right);
    free(parameters);
    built_free(&merged);
    built_free(&apart);
}

static void every_product(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "conv2d { filters = 6, kernel = { 3, 2 }, use_bias = false }, %s batch_norm {}", 0 },
        { "conv2d { filters = 16, kernel = 3, stride = 2, groups = 2 }, %s batch_norm {}", 0 },
        { "conv2d { filters = 8, kernel = 5 }, %s batch_norm {}", 0 },
        { "conv2d_transpose { filters = 6, kernel = 3, groups = 2 }, %s batch_norm {}", 2 },
        { "conv2d_transpose { filters = 5, kernel = 2, use_bias = false }, %s batch_norm {}", 1 },
        { "depthwise_conv2d { kernel = 3, depth_multiplier = 2 }, %s batch_norm {}", 0 },
        { "depthwise_conv2d { kernel = 3, use_bias = false }, %s batch_norm {}", 0 },
        { "flatten {}, dense { units = 11 }, %s batch_norm {}", 0 },
        { "flatten {}, dense { units = 16, use_bias = false }, %s batch_norm {}", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        compare(&cases[i], "--target c");
        compare(&cases[i], "--target x86-64-v3");
    }
}

/* Of whole networks; the tolerances are those of every operator's forward test. `norms`: that are
   left in inference. */
static void compare_networks(const char *layers, const char *options, int norms, int of_training)
{
    Built merged = build_net(layers, "", options),
          apart = build_net(layers, "rescale { scale = 1 },", options);
    const Model *m = merged.model;
    assert_int_equal(norms_in(m->infer_steps, m->infer_step_count), norms);
    assert_true(norms_in(m->train_steps, m->train_step_count) >= of_training);
    double *parameters = drawn_parameters(m);
    uint8_t image[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        image[i] = drawn_pixel(2, i);
    Driven a = drive_new(m, parameters), b = drive_new(apart.model, parameters);
    double *got = drive_reconstruct(&a, image), *right = drive_reconstruct(&b, image),
           loss = drive_loss(&a, image), right_loss = drive_loss(&b, image);
    const double close_by = sizeof(real) == sizeof(double) ? 1e-12 : 1e-5;
    assert_true(relative_difference(got, right, BYTES) <= close_by);
    assert_true(fabs(loss - right_loss) <= close_by * right_loss);
    free(got);
    free(right);
    free(parameters);
    drive_free(&a);
    drive_free(&b);
    built_free(&merged);
    built_free(&apart);
}

/* Activation and pool follow the convolution again; Winograd's packing too takes a scaled kernel;
   layers behind the first one see what was merged before them. */
static void whole_networks(void **state)
{
    (void)state;
    compare_networks("conv2d { filters = 8, kernel = 3 }, %s batch_norm {}, relu {}, max_pool2d "
                     "{}, conv2d { filters = 4, kernel = 1 }, upsample2d {}, separable_conv2d { "
                     "filters = 8, kernel = 3 }, %s batch_norm {}, silu {}",
                     "--target x86-64-v3", 0, 1);
    compare_networks(
        "conv2d { filters = 16, kernel = 3, name = \"first\" }, %s batch_norm {}, tanh "
        "{}, conv2d { filters = 16, kernel = 3 }, %s batch_norm {}, add { with = "
        "\"encoder.tanh1\" }",
        "--target x86-64-v3", 0, 1);
}

/* A kernel that two layers use is scaled for each by itself. */
static void tied_layers(void **state)
{
    (void)state;
    static const char *const targets[] = { "--target c", "--target x86-64-v3" };
    for (int i = 0; i < 2; i++) {
        compare_networks("flatten {}, dense { units = 11 }, %s batch_norm {}, dense { units = 168, "
                         "tied = \"encoder.dense1\" }, %s batch_norm {}",
                         targets[i], 0, 1);
        compare_networks("conv2d { filters = 6, kernel = 3, stride = 2, groups = 2 }, %s "
                         "batch_norm {}, conv2d_transpose { filters = 4, kernel = 3, groups = 2, "
                         "tied = \"encoder.conv1\" }, %s batch_norm {}",
                         targets[i], 0, 1);
    }
}

/* With trainable = false training goes by the moving statistics too, and is left alone. */
static void norms_at_rest(void **state)
{
    (void)state;
    compare_networks("conv2d { filters = 5, kernel = 3 }, %s batch_norm { trainable = false }, "
                     "relu {}, conv2d { filters = 3, kernel = 1 }",
                     "--target x86-64-v3", 0, 1);
}

/* After a pool, after a product that others read, and after another batch_norm it stays. */
static void what_cannot_be_taken_in(void **state)
{
    (void)state;
    compare_networks("conv2d { filters = 5, kernel = 3 }, max_pool2d {}, %s batch_norm {}",
                     "--target c", 1, 1);
    compare_networks("conv2d { filters = 4, kernel = 3 }, %s batch_norm {}, add { with = "
                     "\"encoder.conv1\" }",
                     "--target c", 1, 1);
    compare_networks("conv2d { filters = 4, kernel = 3 }, %s batch_norm {}, batch_norm {}",
                     "--target c", 1, 1);
    compare_networks("conv2d { filters = 4, kernel = 3, activation = \"relu\" }, %s batch_norm {}",
                     "--target c", 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_product),
        cmocka_unit_test(whole_networks),
        cmocka_unit_test(tied_layers),
        cmocka_unit_test(norms_at_rest),
        cmocka_unit_test(what_cannot_be_taken_in),
    };
    return cmocka_run_group_tests_name("merged", tests, NULL, NULL);
}
