/* Stages of training with layers that take statistics of a batch: those that a stage trains take
   them, those that rest are read as inference has them. */
#include "build.h"
#include "cases.h"
#include "files.h"
#include "process.h"

#include "compute/groups.h"
#include "train/checkpoint.h"
#include "train/trainer.h"
#include "weights/initial.h"
#include "weights/weights.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A stage that trains layers with statistics of a batch, one that trains none of them above those,
   and one that trains others above those. */
static const char normed[] =
    "local encoder = sequential \"encoder\" {\n"
    "  conv2d { filters = 4, kernel = 3 }, batch_norm { momentum = 0.5 }, relu {}, max_pool2d {},\n"
    "  conv2d { filters = 3, kernel = 1, activation = \"tanh\" },\n"
    "  conv2d { filters = 4, kernel = 3 },\n"
    "  batch_norm { momentum = 0.75, activity_l2 = 1e-3 } }\n"
    "local decoder = sequential \"decoder\" {\n"
    "  conv2d { filters = 3, kernel = 1 }, batch_norm {},\n"
    "  conv2d { filters = 4, kernel = 1, activation = \"tanh\" },\n"
    "  upsample2d {}, batch_norm {}, conv2d { filters = 2, kernel = 3 } }\n"
    "return autoencoder \"net\" { input = { 8, 6, 2 }, encoder = encoder, decoder = decoder,\n"
    "  training = { loss = \"mse\", optimizer = sgd { lr = 0.1 }, batch = 33, epochs = 1 },\n"
    "  stages = { { encoder = \"pool1\", decoder = \"up1\" }, { encoder = \"conv2\", decoder = "
    "\"conv2\" },\n    { encoder = \"bn2\", decoder = \"conv1\" }, {} } }\n";

/* Dense layers, so images in microbatches; groups of a batch, the last of which is smaller; what is
   drawn for each image. */
static const char normed_dense[] =
    "local encoder = sequential \"encoder\" { flatten {}, gaussian_noise { stddev = 0.1 },\n"
    "  dense { units = 14 }, batch_norm { over = 3 }, tanh {},\n"
    "  dense { units = 9, activation = \"tanh\" }, dense { units = 10 },\n"
    "  batch_norm { over = 3 }, gaussian_sample { kl_weight = 0.1, warmup = 2 } }\n"
    "local decoder = sequential \"decoder\" { dense { units = 9, activation = \"tanh\" },\n"
    "  dense { units = 14 }, batch_norm { over = 3 }, dense { units = 96 },\n"
    "  reshape { shape = { 8, 6, 2 } } }\n"
    "return autoencoder \"net\" { input = { 8, 6, 2 }, encoder = encoder, decoder = decoder,\n"
    "  training = { loss = \"mse\", optimizer = sgd { lr = 0.1 }, batch = 33, epochs = 1 },\n"
    "  stages = { { encoder = \"tanh1\", decoder = \"dense3\" }, { encoder = \"dense2\", decoder "
    "= \"dense2\" },\n    { encoder = \"sample1\", decoder = \"dense1\" }, {} } }\n";

/* Layers tied to others of the same stage, beyond statistics from them. */
static const char normed_tied[] =
    "local encoder = sequential \"encoder\" {\n"
    "  conv2d { filters = 4, kernel = 3, stride = 2 }, batch_norm {}, tanh {}, flatten {},\n"
    "  dense { units = 9, activation = \"tanh\" }, dense { units = 5 }, batch_norm {} }\n"
    "local decoder = sequential \"decoder\" { dense { units = 9, tied = \"encoder.dense2\" },\n"
    "  batch_norm {}, dense { units = 48, tied = \"encoder.dense1\" },\n"
    "  reshape { shape = { 4, 3, 4 } }, batch_norm {},\n"
    "  conv2d_transpose { filters = 2, kernel = 3, tied = \"encoder.conv1\" } }\n"
    "return autoencoder \"net\" { input = { 8, 6, 2 }, encoder = encoder, decoder = decoder,\n"
    "  training = { loss = \"mse\", optimizer = sgd { lr = 0.1 }, batch = 33, epochs = 1 },\n"
    "  stages = { { encoder = \"tanh1\", decoder = \"bn2\" }, { encoder = \"dense1\", decoder "
    "= \"dense2\" },\n    { encoder = \"bn2\", decoder = \"dense1\" }, {} } }\n";

enum { NORMED_IMAGES = 33, NORMED_BYTES = 8 * 6 * 2 };

typedef struct NormedImages {
    uint8_t bytes[NORMED_IMAGES][NORMED_BYTES];
    const uint8_t *images[NORMED_IMAGES];
    uint64_t noise[NORMED_IMAGES];
} NormedImages;

static void draw_normed(NormedImages *drawn)
{
    uint32_t x = 99;
    for (int i = 0; i < NORMED_IMAGES; i++) {
        drawn->images[i] = drawn->bytes[i];
        drawn->noise[i] = 1000u + 77u * (unsigned)i;
        for (int k = 0; k < NORMED_BYTES; k++) {
            x = x * 1664525u + 1013904223u;
            drawn->bytes[i][k] = (uint8_t)(x >> 24);
        }
    }
}

static const ModelParameter *parameter_of(const Model *model, const char *name)
{
    for (int i = 0; i < model->parameter_count; i++)
        if (strcmp(model->parameters[i].name, name) == 0)
            return &model->parameters[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static void open_normed(Trainer *t, const Model *model, int threads)
{
    Error error;
    assert_int_equal(trainer_open(t, model, &model->training, NORMED_IMAGES, threads, &error), 0);
    initial_draw(model, 5, t->parameters);
    trainer_prepare(t);
}

/* Some updates of each stage in turn; parameters after each of them to `seen`. */
static void train_normed(const Model *model, int threads, const NormedImages *drawn, real *seen)
{
    Trainer t;
    open_normed(&t, model, threads);
    for (int s = 0; s < model->stage_count; s++, seen += model->parameter_reals) {
        trainer_begin_stage(&t, s + 1 < model->stage_count ? &model->stages[s] : NULL);
        for (int k = 0; k < 3; k++)
            assert_int_equal(trainer_step(&t, drawn->images, drawn->noise, NORMED_IMAGES),
                             TRAINER_FINE);
        memcpy(seen, t.parameters, model->parameter_reals * sizeof *seen);
    }
    trainer_close(&t);
}

/* Statistics move where the layer's gamma is trained, though not by its optimizer. */
static bool is_trained(const Model *model, int parameter, int stage)
{
    const unsigned char *trains = model->stages[stage].trains;
    const char *name = model->parameters[parameter].name, *statistic = strstr(name, ".moving_");
    if (!statistic)
        return trains[parameter];
    assert_int_equal(trains[parameter], 0);
    char *gamma = text_of("%.*s.gamma", (int)(statistic - name), name);
    const ModelParameter *p = parameter_of(model, gamma);
    free(gamma);
    return trains[p - model->parameters];
}

/* Each tensor moves in the stages that train its layer and rests, to the bit, in all others. */
static void want_moved(const Model *model, const real *before, const real *after, int stage)
{
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        const bool moved = memcmp(before + p->offset, after + p->offset, p->count * sizeof *after)
                           != 0;
        if (moved != is_trained(model, i, stage))
            fail_msg("stage %d %s %s", stage + 1, moved ? "moves" : "does not move", p->name);
    }
}

static void check_stages(const char *graph)
{
    NormedImages drawn;
    draw_normed(&drawn);
    Built built = build_model_merged(graph, "--target c");
    const Model *model = built.model;
    const size_t count = model->parameter_reals * (size_t)model->stage_count;
    real *right = malloc(count * sizeof *right), *got = malloc(count * sizeof *got),
         *start = malloc(model->parameter_reals * sizeof *start);
    assert_true(right && got && start && model->stage_count == 4);
    initial_draw(model, 5, start);
    train_normed(model, 1, &drawn, right);
    for (int threads = 2; threads <= 3; threads++) {
        train_normed(model, threads, &drawn, got);
        assert_memory_equal(got, right, count * sizeof *got);
    }
    for (int s = 0; s < model->stage_count; s++)
        want_moved(model, s ? right + (size_t)(s - 1) * model->parameter_reals : start,
                   right + (size_t)s * model->parameter_reals, s);
    free(right);
    free(got);
    free(start);
    built_free(&built);
}

static void statistics_of_a_stage(void **state)
{
    (void)state;
    check_stages(normed);
    check_stages(normed_dense);
    check_stages(normed_tied);
}

/* Of a kernel that layers in several phases have, each phase's share counts: what threads sum of
   the phases is what one after the other adds to one gradient. */
static void phases_that_share_a_kernel(void **state)
{
    (void)state;
    NormedImages drawn;
    Trainer t;
    draw_normed(&drawn);
    Built built = build_model_merged(normed_tied, "--target c");
    const size_t count = built.model->parameter_reals;
    real *right = calloc(count, sizeof *right);
    double largest = 0, difference = 0;
    assert_non_null(right);
    open_normed(&t, built.model, 2);
    groups_backward(built.model->groups, t.prepared, drawn.images, drawn.noise, NORMED_IMAGES, 1,
                    right, t.losses, t.shared, t.workspaces[0], NULL);
    trainer_gradient(&t, drawn.images, drawn.noise, NORMED_IMAGES);
    for (size_t k = 0; k < count; k++) {
        largest = fmax(largest, fabs((double)right[k]));
        difference = fmax(difference, fabs((double)(t.total[k] - right[k])));
    }
    assert_true(largest > 1e-3 && difference <= (sizeof(real) == 8 ? 1e-12 : 1e-5) * largest);
    free(right);
    trainer_close(&t);
    built_free(&built);
}

/* Where a stage takes no statistics its images have nothing to do with each other: the gradient of
   a batch, in chunks of several, is the sum of theirs. */
static void images_apart(void **state)
{
    (void)state;
    NormedImages drawn;
    Trainer t;
    draw_normed(&drawn);
    Built built = build_model_merged(normed, "--target c");
    const size_t count = built.model->parameter_reals;
    double *right = calloc(count, sizeof *right), largest = 0;
    assert_non_null(right);
    assert_true(trainer_chunk(built.model, NORMED_IMAGES, NORMED_IMAGES) > 1);
    open_normed(&t, built.model, 1);
    trainer_begin_stage(&t, &built.model->stages[1]);
    for (int i = 0; i < NORMED_IMAGES; i++) {
        trainer_gradient(&t, drawn.images + i, NULL, 1);
        for (size_t k = 0; k < count; k++)
            right[k] += (double)t.total[k];
    }
    for (size_t k = 0; k < count; k++)
        largest = fmax(largest, fabs(right[k]));
    trainer_gradient(&t, drawn.images, NULL, NORMED_IMAGES);
    for (size_t k = 0; k < count; k++)
        assert_true(fabs((double)t.total[k] - right[k])
                    <= (sizeof(real) == 8 ? 1e-12 : 1e-5) * largest);
    assert_true(largest > 1e-3);
    free(right);
    trainer_close(&t);
    built_free(&built);
}

/* Losses of the batch while stage `stage` trains, and of validation, before and after a number of
   `name` is moved. */
static void losses_around(Trainer *t, const NormedImages *drawn, const char *name, double *training,
                          double *validation)
{
    const ModelParameter *p = parameter_of(t->model, name);
    for (int k = 0; k < 2; k++) {
        t->parameters[p->offset] += (real)k;
        trainer_prepare(t);
        trainer_gradient(t, drawn->images, NULL, NORMED_IMAGES);
        training[k] = trainer_loss_sum(t, NORMED_IMAGES, 0);
        trainer_evaluate(t, drawn->images, NORMED_IMAGES);
        validation[k] = trainer_loss_sum(t, NORMED_IMAGES, 0);
    }
    t->parameters[p->offset] -= (real)1;
    trainer_prepare(t);
}

/* The statistics at rest of layers below are part of both losses, those of layers that it trains of
   that of validation alone. */
static void who_reads_statistics(void **state)
{
    (void)state;
    static const struct {
        int stage;
        const char *name;
        bool training, validation;
    } rows[] = {
        { 0, "encoder.bn1.moving_mean", false, true },
        { 0, "encoder.bn2.moving_mean", false, false },
        { 1, "encoder.bn1.moving_mean", true, true },
        { 2, "encoder.bn1.moving_variance", true, true },
        { 2, "encoder.bn2.moving_variance", false, true },
        { 3, "encoder.bn1.moving_mean", false, true },
        { 3, "decoder.bn2.moving_variance", false, true },
    };
    NormedImages drawn;
    Trainer t;
    draw_normed(&drawn);
    Built built = build_model_merged(normed, "--target c");
    open_normed(&t, built.model, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double training[2], validation[2];
        trainer_begin_stage(&t, rows[i].stage < 3 ? &built.model->stages[rows[i].stage] : NULL);
        losses_around(&t, &drawn, rows[i].name, training, validation);
        if ((training[0] != training[1]) != rows[i].training
            || (validation[0] != validation[1]) != rows[i].validation)
            fail_msg("stage %d, %s: training %.17g and %.17g, validation %.17g and %.17g",
                     rows[i].stage + 1, rows[i].name, training[0], training[1], validation[0],
                     validation[1]);
    }
    trainer_close(&t);
    built_free(&built);
}

/* What has a penalty of the batch's values in training has one of those at rest in validation: the
   third stage and the whole. Returns the first term. */
static double first_term(const Trainer *t, int stage)
{
    int count;
    const ModelTerm *terms = trainer_terms(t, &count);
    double sum = 0;
    assert_int_equal(count, stage == 0 ? 1 : 2);
    for (int i = 0; i < count; i++)
        sum += t->losses[terms[i].place];
    assert_true(fabs(t->losses[0] - sum) <= 1e-14 * sum);
    return t->losses[terms[0].place];
}

/* The loss of validation of a stage whose target is the image is that of what it shows. */
static void validation_is_of_inference(void **state)
{
    (void)state;
    NormedImages drawn;
    Trainer t;
    real shown[NORMED_BYTES];
    draw_normed(&drawn);
    Built built = build_model_merged(normed, "--target c");
    open_normed(&t, built.model, 1);
    const int stages[] = { 0, 2, 3 };
    for (int k = 0; k < 3; k++) {
        const int s = stages[k];
        trainer_begin_stage(&t, s == 3 ? NULL : &built.model->stages[s]);
        assert_int_equal(trainer_step(&t, drawn.images, NULL, NORMED_IMAGES), TRAINER_FINE);
        trainer_evaluate(&t, drawn.images, NORMED_IMAGES);
        const double loss = first_term(&t, s);
        double sum = 0;
        if (s == 2)
            continue;
        trainer_reconstruct(&t, drawn.images[0], shown);
        for (int i = 0; i < NORMED_BYTES; i++) {
            const double d = (double)shown[i] - (double)((float)drawn.bytes[0][i] / 255.0f);
            sum += d * d / NORMED_BYTES;
        }
        assert_true(fabs(loss - sum) <= (sizeof(real) == 8 ? 1e-7 : 1e-5) * sum);
    }
    trainer_close(&t);
    built_free(&built);
}

/* What caec counts for a limit is what the trainer takes, of the stage that shares most. */
static void stages_are_counted(void **state)
{
    (void)state;
    const char *const graphs[] = { normed, normed_dense }, before[] = "training takes ";
    for (int i = 0; i < 2; i++) {
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
        file_write(path, graphs[i], strlen(graphs[i]));
        Result result = run_caec(folder, "net.lua --target c --real %s --memory-limit 1G --memory",
                                 sizeof(real) == 8 ? "double" : "float");
        want_exit(&result, 0);
        const char *bytes = strstr(result.out, before);
        assert_non_null(bytes);
        Built built = build_model_merged(graphs[i], "--target c");
        assert_int_equal(strtoull(bytes + strlen(before), NULL, 10),
                         trainer_bytes(built.model, &built.model->training, NORMED_IMAGES, 1));
        built_free(&built);
        result_free(&result);
        free(path);
        folder_remove(folder);
    }
}

/* A run keeps statistics as it keeps parameters, and --init wants them. */
static void files_hold_statistics(void **state)
{
    (void)state;
    NormedImages drawn;
    Trainer t;
    Error error;
    draw_normed(&drawn);
    Built built = build_model_merged(normed, "--target c");
    const Model *model = built.model;
    open_normed(&t, model, 1);
    assert_int_equal(trainer_step(&t, drawn.images, NULL, NORMED_IMAGES), TRAINER_FINE);
    real *read = calloc(model->parameter_reals, sizeof *read);
    assert_non_null(read);
    char *folder = folder_new(), *path = text_of("%s/last.safetensors", folder);
    const CheckpointState position = { .training = t.training, .batch = NORMED_IMAGES };
    assert_int_equal(checkpoint_save(path, model, t.parameters, NULL, &position, &error), 0);
    assert_int_equal(weights_load(model, path, read, &error), 0);
    assert_memory_equal(read, t.parameters, model->parameter_reals * sizeof *read);

    /* of the same file by a model whose statistics have another name */
    Model other = *model;
    ModelParameter parameters[32];
    assert_true(model->parameter_count <= 32);
    memcpy(parameters, model->parameters, (size_t)model->parameter_count * sizeof *parameters);
    parameters[parameter_of(model, "decoder.bn1.moving_mean") - model->parameters].name =
        "decoder.bn3.moving_mean";
    other.parameters = parameters;
    assert_int_equal(weights_load(&other, path, read, &error), -1);
    assert_non_null(strstr(error.text, "decoder.bn3.moving_mean [3] is missing"));
    trainer_close(&t);
    free(read);
    free(path);
    folder_remove(folder);
    built_free(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_of_a_stage),
        cmocka_unit_test(phases_that_share_a_kernel),
        cmocka_unit_test(images_apart),
        cmocka_unit_test(who_reads_statistics),
        cmocka_unit_test(validation_is_of_inference),
        cmocka_unit_test(files_hold_statistics),
        cmocka_unit_test(stages_are_counted),
    };
    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
