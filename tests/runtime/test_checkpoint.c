/* Checkpoints of the small model: every bit back, and what is another network's, or no run's,
   refused by name. */
#define _POSIX_C_SOURCE 200809L
#include "checkpoint_file.h"

#include "formats/safetensors.h"
#include "weights/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void every_bit_comes_back(void **state)
{
    (void)state;
    real a[MOST], b[MOST], c[MOST];
    size_t bytes = caec_model.parameter_reals * sizeof(real);
    CheckpointState s;
    Error error = { 0 };
    save_or_fail(&caec_model, true);
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b, c }, &s, &error), 0);
    assert_memory_equal(a, w, bytes);
    assert_memory_equal(b, m, bytes);
    assert_memory_equal(c, v, bytes);
    assert_memory_equal(&s, &written, sizeof s);
    assert_int_equal(weights_load(&caec_model, path, b, &error), 0);
    assert_memory_equal(b, w, bytes);
}

/* Of a model with stages: the optimizer's state of what its stage trains, and of nothing else;
   loading leaves the rest alone. */
static void a_stage_keeps_its_own_state(void **state)
{
    (void)state;
    static const unsigned char first[] = { 1, 0, 0, 1 }, all[] = { 1, 1, 1, 1 };
    static const ModelStage stages[] = { { .title = "some", .trains = first },
                                         { .title = "all layers", .trains = all } };
    Model model = caec_model;
    CheckpointState s = written, back = { 0 };
    Safetensors file;
    char message[800];
    int io;
    Error error = { 0 };
    real a[MOST], b[MOST], c[MOST];
    model.stages = stages;
    model.stage_count = 2;
    s.stage = 0;
    s.stage_step = 7;
    s.stage_epoch = 2;
    s.stage_epochs = 11;
    for (int i = 0; i < MOST; i++)
        b[i] = c[i] = -3;
    assert_int_equal(checkpoint_save(path, &model, w, kept, &s, &error), 0);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 4 + 2 * 2);
    assert_null(safetensors_find(&file, "optimizer.m/encoder.conv1.bias"));
    assert_string_equal(safetensors_metadata(&file, "caec.stage_epochs"), "11");
    safetensors_free(&file);
    assert_int_equal(
        checkpoint_load(path, &model, a, (real *[SETTINGS_STATES]){ b, c }, &back, &error), 0);
    assert_memory_equal(a, w, model.parameter_reals * sizeof(real));
    assert_memory_equal(&back, &s, sizeof s);
    for (int p = 0; p < 4; p++)
        for (size_t i = model.parameters[p].offset;
             i < model.parameters[p].offset + model.parameters[p].count; i++)
            assert_true(first[p] ? b[i] == m[i] && c[i] == v[i] : b[i] == -3 && c[i] == -3);
    s.stage_epoch = 4;
    assert_int_equal(checkpoint_save(path, &model, w, kept, &s, &error), 0);
    refused(&model, EXIT_INPUT, "caec.stage_epoch is 4, more than caec.epoch, which is 3");
    s.stage_epoch = 2;
    s.stage = 1;
    assert_int_equal(checkpoint_save(path, &model, w, kept, &s, &error), 0);
    model.stage_count = 1;
    refused(&model, EXIT_INPUT, "a run in stage 2, but this program has 1");
    save_or_fail(&caec_model, true);
    refused(&model, EXIT_INPUT, "caec.stage is missing");
}

/* A file has all parameters, and of what is not trained no optimizer's state. */
static void what_is_not_trained_is_kept(void **state)
{
    (void)state;
    static const unsigned char trains[] = { 1, 0, 1, 0 };
    Model model = caec_model;
    CheckpointState back = { 0 };
    Safetensors file;
    char message[800];
    int io;
    Error error = { 0 };
    real a[MOST], b[MOST], c[MOST];
    model.trains = trains;
    for (int i = 0; i < MOST; i++)
        b[i] = c[i] = -3;
    assert_int_equal(checkpoint_save(path, &model, w, kept, &written, &error), 0);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 4 + 2 * 2);
    assert_non_null(safetensors_find(&file, "encoder.conv1.bias"));
    assert_null(safetensors_find(&file, "optimizer.v/encoder.conv1.bias"));
    safetensors_free(&file);
    assert_int_equal(
        checkpoint_load(path, &model, a, (real *[SETTINGS_STATES]){ b, c }, &back, &error), 0);
    assert_memory_equal(a, w, model.parameter_reals * sizeof(real));
    for (int p = 0; p < 4; p++)
        for (size_t i = model.parameters[p].offset, k = 0; k < model.parameters[p].count; i++, k++)
            assert_true(trains[p] ? b[i] == m[i] && c[i] == v[i] : b[i] == -3 && c[i] == -3);
}

/* sgd keeps no v, and none is written or wanted. */
static void an_optimizer_without_v(void **state)
{
    (void)state;
    real a[MOST], b[MOST];
    CheckpointState s = written, back;
    Safetensors file;
    char message[800];
    int io;
    Error error = { 0 };
    s.training.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 0.1, .momentum = 0.9 };
    s.training.schedule = (ModelSchedule){
        .name = "reduce_on_plateau", .factor = 0.5, .patience = 3, .min_delta = 0, .cooldown = 1
    };
    assert_int_equal(
        checkpoint_save(path, &caec_model, w, (real *[SETTINGS_STATES]){ m }, &s, &error), 0);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 2 * caec_model.parameter_count);
    assert_string_equal(safetensors_metadata(&file, "caec.optimizer"),
                        "sgd,lr=0.1,momentum=0.9,nesterov=false");
    safetensors_free(&file);
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b }, &back, &error), 0);
    assert_memory_equal(b, m, caec_model.parameter_reals * sizeof(real));
    assert_string_equal(back.training.optimizer.name, "sgd");
    assert_true(back.training.optimizer.momentum == 0.9 && back.training.optimizer.beta1 == 0);
    assert_string_equal(back.training.schedule.name, "reduce_on_plateau");
    assert_true(back.training.schedule.cooldown == 1 && back.training.schedule.min_delta == 0);
}

/* What rmsprop keeps depends on its numbers. A run may go on with others: what it kept and still
   keeps comes back, what is new begins at what it is. */
static void an_optimizer_that_keeps_more_or_less(void **state)
{
    (void)state;
    static real mean[MOST];
    real a[MOST], b[MOST], c[MOST], d[MOST] = { 0 };
    const size_t bytes = caec_model.parameter_reals * sizeof(real);
    CheckpointState s = written, back;
    Error error = { 0 };
    memcpy(mean, w, bytes);
    assert_int_equal(
        settings_read_optimizer(&s.training.optimizer, "rmsprop,centered=true", &error), 0);
    assert_int_equal(checkpoint_save(path, &caec_model, w,
                                     (real *[SETTINGS_STATES]){ v, NULL, mean }, &s, &error),
                     0);
    Safetensors file;
    char message[800];
    int io;
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 3 * caec_model.parameter_count);
    assert_non_null(safetensors_find(&file, "optimizer.v/encoder.conv1.kernel"));
    assert_non_null(safetensors_find(&file, "optimizer.mean_gradient/encoder.conv1.kernel"));
    safetensors_free(&file);
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b, d, c }, &back, &error),
        0);
    assert_true(back.training.optimizer.centered == 1 && back.training.optimizer.rho == 0.9);
    assert_memory_equal(a, w, bytes);
    assert_memory_equal(b, v, bytes);
    assert_memory_equal(c, mean, bytes);
    assert_true(d[0] == 0 && d[caec_model.parameter_reals - 1] == 0);
    memset(b, 0, sizeof b);
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b }, &back, &error), 0);
    assert_memory_equal(b, v, bytes);
}

/* All that any optimizer keeps, and the averages, each another list of numbers. */
static void whatever_is_kept_comes_back(void **state)
{
    (void)state;
    static real sources[SETTINGS_STATES][MOST], back[SETTINGS_STATES][MOST];
    const size_t bytes = caec_model.parameter_reals * sizeof(real);
    real a[MOST];
    for (int i = 0; i < SETTINGS_STATES; i++)
        for (int k = 0; k < MOST; k++)
            sources[i][k] = (real)(1000 * i + k);
    for (const SettingsWord *word = settings_optimizers; word->name; word++) {
        real *from[SETTINGS_STATES], *to[SETTINGS_STATES];
        CheckpointState s = written, read;
        Error error = { 0 };
        assert_int_equal(settings_read_optimizer(&s.training.optimizer, word->name, &error), 0);
        s.training.optimizer.ema = 0.75;
        for (int i = 0; i < SETTINGS_STATES; i++) {
            const int keeps = settings_keeps_state(&s.training.optimizer, i);
            from[i] = keeps ? sources[i] : NULL;
            to[i] = keeps ? back[i] : NULL;
            memset(back[i], 0, sizeof back[i]);
        }
        assert_non_null(from[SETTINGS_AVERAGE]);
        assert_int_equal(checkpoint_save(path, &caec_model, w, from, &s, &error), 0);
        assert_int_equal(checkpoint_load(path, &caec_model, a, to, &read, &error), 0);
        assert_true(read.training.optimizer.ema == 0.75);
        assert_string_equal(read.training.optimizer.name, word->name);
        for (int i = 0; i < SETTINGS_STATES; i++)
            if (to[i])
                assert_memory_equal(back[i], sources[i], bytes);
    }
}

static void no_best_yet_is_infinity(void **state)
{
    (void)state;
    CheckpointState s = written, back;
    Error error = { 0 };
    s.best = INFINITY;
    assert_int_equal(checkpoint_save(path, &caec_model, w, kept, &s, &error), 0);
    assert_int_equal(checkpoint_load(path, &caec_model, NULL, NULL, &back, &error), 0);
    assert_true(isinf(back.best) && back.best > 0);
}

/* What a reader in another language sees. */
static void names_types_and_metadata(void **state)
{
    (void)state;
    Safetensors file;
    char message[800];
    int io;
    save_or_fail(&caec_model, true);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 3 * caec_model.parameter_count);
    const SafetensorsEntry *e = safetensors_find(&file, "optimizer.v/decoder.conv1.kernel");
    assert_non_null(e);
    assert_string_equal(e->dtype, sizeof(real) == sizeof(float) ? "F32" : "F64");
    assert_int_equal(e->rank, 4);
    assert_int_equal(e->shape[2], 4);
    assert_int_equal(e->shape[3], 3);
    assert_string_equal(safetensors_metadata(&file, "caec.model"), "tiny");
    assert_string_equal(safetensors_metadata(&file, "caec.graph"), "graphs/tiny.lua");
    assert_string_equal(safetensors_metadata(&file, "caec.step"), "9007199254740992");
    safetensors_free(&file);
}

static void another_network_is_named(void **state)
{
    (void)state;
    ModelParameter parameters[4];
    Model other = caec_model;
    real out[MOST];
    Error error = { 0 };
    save_or_fail(&caec_model, true);
    memcpy(parameters, caec_model.parameters, sizeof parameters);
    other.parameters = parameters;
    parameters[1].name = "encoder.conv9.bias";
    refused(&other, EXIT_INPUT, "encoder.conv9.bias");
    assert_int_equal(weights_load(&other, path, out, &error), -1);
    assert_non_null(strstr(error.text, "encoder.conv9.bias"));
    parameters[1] = caec_model.parameters[1];
    parameters[2].shape.dim[0] = 1;
    parameters[2].shape.dim[1] = 9;
    refused(&other, EXIT_INPUT, "decoder.conv1.kernel");
    other = caec_model;
    other.fingerprint = "0123456789abcdee"; /* of the same shapes */
    refused(&other, EXIT_INPUT, "another network of the name \"tiny\"");
    other = caec_model;
    other.name = "large";
    refused(&other, EXIT_INPUT, "\"tiny\"");
    other = caec_model;
    other.parameter_count = 2; /* the file has two tensors too many */
    assert_int_equal(weights_load(&other, path, out, &error), -1);
    assert_non_null(strstr(error.text, "decoder.conv1"));
}

/* What stands in a file comes into the message without what a terminal would obey. */
static void a_hostile_name_is_plain(void **state)
{
    (void)state;
    Model other = caec_model;
    other.name = "a\033[2J\nb\302\233\177\303\244";
    save_or_fail(&other, true);
    refused(&caec_model, EXIT_INPUT, "\"a?[2J?b??\303\244\"");
}

static void parameters_alone_are_no_run(void **state)
{
    (void)state;
    real out[MOST];
    Error error = { 0 };
    save_or_fail(&caec_model, false);
    refused(&caec_model, EXIT_INPUT, "--init");
    assert_int_equal(weights_load(&caec_model, path, out, &error), 0);
    assert_memory_equal(out, w, caec_model.parameter_reals * sizeof(real));
}

/* The format's number is what counts, not the version of the program that wrote it. */
static void another_version_is_read(void **state)
{
    (void)state;
    Model newer = caec_model;
    real a[MOST], b[MOST], c[MOST];
    CheckpointState s;
    Error error = { 0 };
    newer.version = "99.0";
    save_or_fail(&newer, true);
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b, c }, &s, &error), 0);
    assert_memory_equal(&s, &written, sizeof s);
}

static void unwritable_place_is_told(void **state)
{
    (void)state;
    char nowhere[700];
    Error error = { 0 };
    snprintf(nowhere, sizeof nowhere, "%s/missing/last.safetensors", folder);
    assert_int_equal(checkpoint_save(nowhere, &caec_model, w, kept, &written, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, "missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(a_stage_keeps_its_own_state),
        cmocka_unit_test(what_is_not_trained_is_kept),
        cmocka_unit_test(an_optimizer_without_v),
        cmocka_unit_test(an_optimizer_that_keeps_more_or_less),
        cmocka_unit_test(whatever_is_kept_comes_back),
        cmocka_unit_test(no_best_yet_is_infinity),
        cmocka_unit_test(names_types_and_metadata),
        cmocka_unit_test(another_network_is_named),
        cmocka_unit_test(a_hostile_name_is_plain),
        cmocka_unit_test(parameters_alone_are_no_run),
        cmocka_unit_test(another_version_is_read),
        cmocka_unit_test(unwritable_place_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
