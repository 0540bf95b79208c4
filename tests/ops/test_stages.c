/* Stages of training: each one's loss against the naive operators, its gradients against finite
   differences, and what it leaves alone. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct Staged {
    Net net;
    const char *stages;
} Staged;

static const Staged chain = {
    .net = { .height = 8,
             .width = 12,
             .channels = 3,
             .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                          { POOL, .size = 2 },
                          { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                          { AVG, .size = 2 },
                          { CONV, .filters = 3, .kernel = 1 } },
             .decoder = { { CONV, .filters = 4, .kernel = 1, .activation = "elu" },
                          { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                          { UP, .size = 2 },
                          { CONV, .filters = 3, .kernel = 3 },
                          { UP, .size = 2 } } },
    .stages =
        "{ encoder = \"pool1\", decoder = \"conv3\" }, { encoder = \"encoder.pool2\", decoder = "
        "\"decoder.conv2\", loss = \"mae\" },\n"
        "{ encoder = \"conv3\", decoder = \"conv1\" }, { epochs = 2 }",
};

/* All but the chain: layers that a test by hand does not follow. */
static const Staged others[] = {
    /* dense layers, flat cuts, cross-entropy of a sigmoid's values */
    { .net = { .height = 6,
               .width = 4,
               .channels = 1,
               .loss = "bce",
               .encoder = { { FLATTEN },
                            { DENSE, .units = 14, .activation = "sigmoid" },
                            { DENSE, .units = 9, .activation = "tanh" },
                            { DENSE, .units = 5 } },
               .decoder = { { DENSE, .units = 9, .activation = "elu" },
                            { DENSE, .units = 14, .activation = "sigmoid" },
                            { DENSE, .units = 24 },
                            { ACT, .activation = "sigmoid" },
                            { RESHAPE, .shape = { 6, 4, 1 } } } },
      .stages = "{ encoder = \"dense1\", decoder = \"dense3\" }, { encoder = \"dense2\", decoder = "
                "\"dense2\" },\n"
                "{ encoder = \"dense3\", decoder = \"dense1\" }, {}" },
    /* layers that name layers of their stage, and of those below */
    { .net = { .height = 8,
               .width = 8,
               .channels = 2,
               .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                            { POOL, .size = 2 },
                            { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                            { ADD, .with = "encoder.pool1" },
                            { CONCAT, .with = "encoder.conv2" },
                            { CONV, .filters = 6, .kernel = 3, .stride = 2 } },
               .decoder = { { DECONV, .filters = 4, .kernel = 3, .activation = "elu" },
                            { CONCAT, .with = "encoder.pool1" },
                            { CONV, .filters = 4, .kernel = 1, .activation = "tanh" },
                            { UNPOOL, .with = "encoder.pool1" },
                            { NORM, .groups = 2 },
                            { CONV, .filters = 2, .kernel = 3 } } },
      .stages = "{ encoder = \"pool1\", decoder = \"unpool1\" }, { encoder = \"conv3\", decoder = "
                "\"deconv1\" }, {}" },
    /* tied to layers of the same stage */
    { .net = { .height = 8,
               .width = 8,
               .channels = 2,
               .encoder = { { CONV, .filters = 4, .kernel = 3, .stride = 2, .activation = "tanh" },
                            { FLATTEN },
                            { DENSE, .units = 9, .activation = "tanh" },
                            { DENSE, .units = 5 } },
               .decoder = { { DENSE, .units = 9, .activation = "elu", .tied = "encoder.dense2" },
                            { DENSE, .units = 64, .activation = "tanh", .tied = "encoder.dense1" },
                            { RESHAPE, .shape = { 4, 4, 4 } },
                            { DECONV, .filters = 2, .kernel = 3, .tied = "encoder.conv1" } } },
      .stages = "{ encoder = \"conv1\", decoder = \"deconv1\" }, { encoder = \"dense1\", decoder = "
                "\"dense2\" },\n"
                "{ encoder = \"dense2\", decoder = \"dense1\" }, {}" },
    /* tied to a layer of another stage, whose kernel rests: a later one, then an earlier one */
    { .net = { .height = 3,
               .width = 4,
               .channels = 1,
               .encoder = { { FLATTEN },
                            { DENSE, .units = 12, .activation = "tanh" },
                            { DENSE, .units = 12, .activation = "elu" } },
               .decoder = { { DENSE, .units = 12, .activation = "tanh", .tied = "encoder.dense1" },
                            { DENSE, .units = 12, .tied = "encoder.dense2" },
                            { RESHAPE, .shape = { 3, 4, 1 } } } },
      .stages = "{ encoder = \"dense1\", decoder = \"dense2\" }, { encoder = \"dense2\", decoder = "
                "\"dense1\" }, {}" },
    /* the middle is left to the last stage; a target that is upsampled, by mae */
    { .net = { .height = 8,
               .width = 8,
               .channels = 3,
               .encoder = { { CONV, .filters = 6, .kernel = 3, .activation = "tanh" },
                            { CONV, .filters = 4, .kernel = 3, .stride = 2, .activation = "tanh" },
                            { CONV, .filters = 4, .kernel = 3, .activation = "elu" } },
               .decoder = { { CONV, .filters = 4, .kernel = 1 },
                            { CONV, .filters = 6, .kernel = 3 },
                            { UP, .size = 2 },
                            { CONV, .filters = 3, .kernel = 3 } } },
      .stages =
          "{ encoder = \"conv1\", decoder = \"conv3\", loss = \"mae\" }, { encoder = \"conv2\", "
          "decoder = \"conv2\", loss = \"mae\" }, {}" },
};

/* The second stage's target is a sigmoid's, but what it makes of it is not: cross-entropy would
   have no bounds. */
static const Staged unbounded = {
    .net = { .height = 6,
             .width = 4,
             .channels = 1,
             .loss = "bce",
             .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "sigmoid" },
                          { CONV, .filters = 3, .kernel = 1 } },
             .decoder = { { CONV, .filters = 4, .kernel = 1 },
                          { CONV, .filters = 1, .kernel = 3, .activation = "sigmoid" } } },
    .stages =
        "{ encoder = \"conv1\", decoder = \"conv2\" }, { encoder = \"conv2\", decoder = \"conv1\" "
        "}, {}",
};

/* The first stage's decoder begins after the sigmoid: what it makes of the image is an elu's. */
static const Staged behind_the_sigmoid = {
    .net = { .height = 6,
             .width = 4,
             .channels = 1,
             .loss = "bce",
             .encoder = { { CONV, .filters = 1, .kernel = 3, .activation = "elu" },
                          { CONV, .filters = 2, .kernel = 1 } },
             .decoder = { { CONV, .filters = 1, .kernel = 1 },
                          { ACT, .activation = "sigmoid" },
                          { RESHAPE, .shape = { 6, 4, 1 } } } },
    .stages = "{ encoder = \"conv1\", decoder = \"reshape1\" }, { encoder = \"conv2\", decoder = "
              "\"conv1\" }, {}",
};

/* What the first stage gives, and what the second makes of it, is a sigmoid's times `scale`, plus
   1/4 or taken from 1: within 0..1 where that is 1/2. Around it what moves pixels. */
static Staged rescaled(double scale)
{
    return (Staged){
        .net = { .height = 4,
                 .width = 6,
                 .channels = 1,
                 .loss = "bce",
                 .encoder = { { PAD, .pad = { 1, 0, 1, 2 } },
                              { CONV, .filters = 2, .kernel = 3, .activation = "sigmoid" },
                              { RESCALE, .scale = scale, .offset = 0.25 },
                              { CROP, .pad = { 1, 0, 1, 2 } },
                              { S2D, .size = 2 },
                              { CONV, .filters = 3, .kernel = 1 } },
                 .decoder = { { CONV, .filters = 8, .kernel = 1, .activation = "sigmoid" },
                              { RESCALE, .scale = -scale, .offset = 1 },
                              { UP, .size = 2, .bilinear = true },
                              { CONV, .filters = 1, .kernel = 3, .activation = "sigmoid" } } },
        .stages = "{ encoder = \"s2d1\", decoder = \"up1\" }, { encoder = \"conv2\", decoder = "
                  "\"conv1\" }, {}"
    };
}

/* Noise on what a stage gets; its target is clean. */
static const Staged noisy = {
    .net = { .height = 6,
             .width = 8,
             .channels = 2,
             .encoder = { { NOISE, .rate = 0.1 },
                          { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                          { AVG, .size = 2 },
                          { DROP, .rate = 0.3 },
                          { CONV, .filters = 3, .kernel = 3, .activation = "elu" } },
             .decoder = { { NOISE, .rate = 0.2 },
                          { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                          { UP, .size = 2 },
                          { CONV, .filters = 2, .kernel = 3 } } },
    .stages =
        "{ encoder = \"pool1\", decoder = \"up1\" }, { encoder = \"conv2\", decoder = \"noise1\" "
        "}, {}",
};

static Built build(const Staged *staged, const char *target)
{
    char *graph = net_graph(&staged->net), *options = text_of("--target %s", target);
    char *whole = text_of("%.*s  stages = { %s },\n}\n", (int)strlen(graph) - 2, graph,
                          staged->stages);
    Built built = build_model_merged(whole, options);
    free(graph);
    free(options);
    free(whole);
    return built;
}

static void check_stages(const Staged *staged, const char *target)
{
    if (!machine_has(target))
        skip();
    Built built = build(staged, target);
    int count;
    double *parameters = net_parameters(&staged->net, 7, &count);
    net_check(&staged->net, built.model);
    for (int s = 0; s < built.model->stage_count; s++) {
        Part part;
        part_of(built.model, s, &part);
        print_message("stage %d: %s\n", s + 1, built.model->stages[s].title);
        Driven driven = drive_new(&part.model, parameters);
        check_rest(&staged->net, &driven, built.model, s, false);
        if (sizeof(real) == 8)
            check_gradient(&staged->net, &driven, parameters, 1e-6);
        drive_free(&driven);
    }
    free(parameters);
    built_free(&built);
}

static void gradients(void **state)
{
    (void)state;
    check_stages(&chain, "x86-64-v3");
    check_stages(&chain, "c");
    for (size_t i = 0; i < COUNT(others); i++) {
        check_stages(&others[i], "x86-64-v3");
        check_stages(&others[i], "c");
    }
    check_stages(&noisy, "c");
    const Staged moved = rescaled(0.5);
    check_stages(&moved, "c");
}

/* ---- by hand ---- */

static const double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;

/* Convolution `index` of the chain, in the order of its parameters. */
static Image convolve(const Model *model, const double *parameters, int index, const Image *x,
                      const char *activation)
{
    const ModelParameter *kernel = &model->parameters[2 * index];
    const int *dim = kernel->shape.dim;
    Image y = naive_conv2d(x, parameters + kernel->offset, parameters + kernel[1].offset, dim[3],
                           dim[0], 1, true);
    naive_activation(&y, activation, 0);
    return y;
}

static double difference(const Image *a, const Image *b, bool squared)
{
    int n = a->height * a->width * a->channels;
    double sum = 0;
    assert_int_equal(n, b->height * b->width * b->channels);
    for (int i = 0; i < n; i++) {
        double d = fabs(a->data[i] - b->data[i]);
        sum += squared ? d * d : d;
    }
    return sum / n;
}

static void want_loss(const Model *model, int stage, const double *parameters, const uint8_t *image,
                      double right)
{
    Part part;
    part_of(model, stage, &part);
    Driven driven = drive_new(&part.model, parameters);
    double loss = drive_loss(&driven, image);
    if (!(fabs(loss - right) <= tolerance * right))
        fail_msg("the loss of stage %d is %.17g instead of %.17g", stage + 1, loss, right);
    drive_free(&driven);
}

static void want_picture(const Model *model, int stage, const double *parameters,
                         const uint8_t *image, const Image *right)
{
    Model seen = *model;
    seen.reconstruct = model->stages[stage].reconstruct;
    Driven driven = drive_new(&seen, parameters);
    double *got = drive_reconstruct(&driven, image);
    double far = relative_difference(got, right->data,
                                     (size_t)(right->height * right->width * right->channels));
    if (!(far <= tolerance))
        fail_msg("what stage %d has learnt differs by %.3g", stage + 1, far);
    free(got);
    drive_free(&driven);
}

/* Every value of the chain, stage after stage. */
static void check_chain(const char *target)
{
    if (!machine_has(target))
        skip();
    Built built = build(&chain, target);
    const Model *m = built.model;
    int count;
    double *w = net_parameters(&chain.net, 9, &count);
    uint8_t *bytes = net_image(&chain.net, 21);
    Image image = image_new(8, 12, 3);
    for (int i = 0; i < 8 * 12 * 3; i++)
        image.data[i] = (double)((float)bytes[i] / 255.0f);

    const Window window = window_square(2);
    Image conv1 = convolve(m, w, 0, &image, "relu"), pool1 = naive_max_pool2d(&conv1, &window);
    Image back1 = convolve(m, w, 5, &pool1, "linear"), up1 = naive_upsample2d(&back1, 2);
    Image conv2 = convolve(m, w, 1, &pool1, "tanh"), pool2 = naive_avg_pool2d(&conv2, &window);
    Image back2 = convolve(m, w, 4, &pool2, "tanh"), up2 = naive_upsample2d(&back2, 2);
    Image conv3 = convolve(m, w, 2, &pool2, "linear"), back3 = convolve(m, w, 3, &conv3, "elu");
    Image shown2 = convolve(m, w, 5, &up2, "linear"), picture2 = naive_upsample2d(&shown2, 2);

    assert_int_equal(m->stage_count, 4);
    want_loss(m, 0, w, bytes, difference(&up1, &image, true));
    want_loss(m, 1, w, bytes, difference(&up2, &pool1, false));
    want_loss(m, 2, w, bytes, difference(&back3, &pool2, true));
    NetValues whole = net_forward(&chain.net, w, bytes);
    want_loss(m, 3, w, bytes, whole.loss);
    want_picture(m, 0, w, bytes, &up1);
    want_picture(m, 1, w, bytes, &picture2);
    want_picture(m, 2, w, bytes, &whole.output);
    want_picture(m, 3, w, bytes, &whole.output);

    Image *all[] = { &image, &conv1, &pool1, &back1, &up1,    &conv2,   &pool2,
                     &back2, &up2,   &conv3, &back3, &shown2, &picture2 };
    for (size_t i = 0; i < COUNT(all); i++)
        image_free(all[i]);
    net_values_free(&whole);
    free(bytes);
    free(w);
    built_free(&built);
}

static void losses_and_pictures(void **state)
{
    (void)state;
    check_chain("x86-64-v3");
    check_chain("c");
}

static void what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *title, *loss;
        int epochs;
        const char *trains;
    } rows[] = {
        { "encoder.conv1 to encoder.pool1, decoder.conv3 to decoder.up2", "mse", 40,
          "110000000011" },
        { "encoder.conv2 to encoder.pool2, decoder.conv2 to decoder.up1", "mae", 40,
          "001100001100" },
        { "encoder.conv3, decoder.conv1", "mse", 40, "000011110000" },
        { "all layers", "mse", 2, "111111111111" },
    };
    Built built = build(&chain, "c");
    assert_int_equal(built.model->training.epochs, 122);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const ModelStage *stage = &built.model->stages[i];
        assert_string_equal(stage->title, rows[i].title);
        assert_string_equal(stage->loss_name, rows[i].loss);
        assert_int_equal(stage->epochs, rows[i].epochs);
        for (int p = 0; p < 12; p++)
            assert_int_equal(stage->trains[p], rows[i].trains[p] - '0');
    }
    built_free(&built);
    Built bce = build(&others[0], "c");
    /* only a sigmoid's values go with bce */
    const char *losses[] = { "bce", "bce", "mse", "bce" };
    for (int i = 0; i < 4; i++)
        assert_string_equal(bce.model->stages[i].loss_name, losses[i]);
    built_free(&bce);
    Built open = build(&unbounded, "c");
    assert_string_equal(open.model->stages[0].loss_name, "bce");
    assert_string_equal(open.model->stages[1].loss_name, "mse");
    built_free(&open);
    Built behind = build(&behind_the_sigmoid, "c");
    const char *kept[] = { "mse", "mse", "bce" };
    for (int i = 0; i < 3; i++)
        assert_string_equal(behind.model->stages[i].loss_name, kept[i]);
    built_free(&behind);
    for (int i = 0; i < 2; i++) {
        const Staged staged = rescaled(i ? 0.875 : 0.5);
        Built shares = build(&staged, "c");
        assert_string_equal(shares.model->stages[1].loss_name, i ? "mse" : "bce");
        built_free(&shares);
    }
}

/* ---- with noise ---- */

static const ModelStage *inner;
static real gradient_of_loss[1 << 12];

static void drawing_chunk(const void *prepared, const uint8_t *const *images, const uint64_t *noise,
                          int n, real *gradient, double *losses, void *workspace, ModelClock *clock)
{
    uint64_t numbers[2];
    (void)noise;
    assert_true(n <= 2);
    for (int i = 0; i < n; i++)
        numbers[i] = 1 + images[i][0] + 256 * (uint64_t)images[i][1];
    inner->backward_chunk(prepared, images, numbers, n, gradient, losses, workspace, clock);
}

static double drawing_loss(const void *prepared, const uint8_t *image, void *workspace)
{
    double loss;
    drawing_chunk(prepared, &image, NULL, 1, gradient_of_loss, &loss, workspace, NULL);
    return loss;
}

/* Its own layers draw, those below it rest: with weights of zero in its decoder, the loss of stage
   2 is the mean square of its clean target. */
static void noise_of_a_stage(void **state)
{
    (void)state;
    Built built = build(&noisy, "c");
    int count;
    double *w = net_parameters(&noisy.net, 3, &count);
    uint8_t *image = net_image(&noisy.net, 31);
    for (int s = 0; s < 2; s++) {
        Part part;
        inner = &built.model->stages[s];
        assert_true(built.model->parameter_reals <= COUNT(gradient_of_loss));
        part_of(built.model, s, &part);
        Driven driven = drive_new(&part.model, w);
        double clean = drive_loss(&driven, image);
        part.model.loss = drawing_loss;
        part.model.backward_chunk = drawing_chunk;
        double drawn = drive_loss(&driven, image);
        assert_true(fabs(drawn - clean) > 1e-4);
        if (sizeof(real) == 8)
            check_gradient(&noisy.net, &driven, w, 1e-6);
        for (int p = 4; s == 1 && p < 6; p++) /* decoder.conv1: tanh(0) */
            for (size_t i = 0; i < built.model->parameters[p].count; i++)
                drive_set(&driven, (int)(built.model->parameters[p].offset + i), 0);
        if (s == 1) {
            double zero = drive_loss(&driven, image);
            part.model.loss = inner->loss;
            assert_true(zero == drive_loss(&driven, image));
        }
        drive_free(&driven);
    }
    free(image);
    free(w);
    built_free(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),
        cmocka_unit_test(losses_and_pictures),
        cmocka_unit_test(what_the_table_says),
        cmocka_unit_test(noise_of_a_stage),
    };
    return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
