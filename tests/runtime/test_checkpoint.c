/* Checkpoints of the small model: every bit back, and everything that is not one of its checkpoints
   refused by name. */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include "train/checkpoint.h"
#include "weights/weights.h"
#include "formats/safetensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 512 };

static char folder[512], path[600];
static real w[MOST], m[MOST], v[MOST];
static real *const kept[SETTINGS_STATES] = { m, v };

static CheckpointState written = {
    .step = 9007199254740992u,
    .epoch = 3,
    .position = 640,
    .images = 639,
    .loss_sum = 0.1 + 0.2,
    .seconds = 1e-300,
    .best = 1.0 / 3,
    .seed = 9007199254740993u,
    .batch = 64,
    .train_files = 0xfedcba9876543210u,
    .val_files = 1,
    .epochs = 40,
    .steps = 0,
    .rate = 1e-3 / 3,
    .schedule_follows = 1,
    .plateau = { { 0.1 / 3, 7 }, 2, 0.7 },
    .early = { INFINITY, 4 },
    .training = { .loss = "mse",
                  .optimizer = { .lr = 1e-3 / 7, .beta1 = 0.9, .beta2 = 0.1 + 0.2, .eps = 1e-7 },
                  .schedule = { .epochs = 12, .min_lr = 1e-5 / 3, .warmup = 0.1 },
                  .batch = 16,
                  .epochs = 3,
                  .global_clip_norm = 1.0 / 3,
                  .patience = 5,
                  .min_delta = 1e-3,
                  .mirror = 1 },
};

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/caec-checkpoint-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || caec_model.parameter_reals > MOST)
        return -1;
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    for (size_t i = 0; i < caec_model.parameter_reals; i++) {
        w[i] = (real)sin((double)i);
        m[i] = (real)(1e-30 * cos((double)i));
        v[i] = (real)(1.0 / (double)(i + 3));
    }
    w[0] = (real)-0.0;
    /* adam and cosine; the same addresses come back */
    written.training.optimizer.name = settings_optimizers[0].name;
    written.training.schedule.name = settings_schedules[2].name;
    written.training.loss = caec_model.training.loss;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void save_or_fail(const Model *model, bool with_state)
{
    Error error = { 0 };
    if (checkpoint_save(path, model, w, with_state ? kept : NULL, &written, &error) != 0)
        fail_msg("%s", error.text);
}

static void refused(const Model *model, int code, const char *word)
{
    real a[MOST], b[MOST], c[MOST];
    CheckpointState s;
    Error error = { 0 };
    assert_int_equal(checkpoint_load(path, model, a, (real *[SETTINGS_STATES]){ b, c }, &s, &error),
                     -1);
    assert_int_equal(error.exit_code, code);
    if (!strstr(error.text, word) || !strstr(error.text, path))
        fail_msg("\"%s\" does not name \"%s\" and the file", error.text, word);
}

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

/* sgd keeps no v, and none is written or wanted. */
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
    assert_int_equal(checkpoint_save(path, &model, w, m, v, &written, &error), 0);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 4 + 2 * 2);
    assert_non_null(safetensors_find(&file, "encoder.conv1.bias"));
    assert_null(safetensors_find(&file, "optimizer.v/encoder.conv1.bias"));
    safetensors_free(&file);
    assert_int_equal(checkpoint_load(path, &model, a, b, c, &back, &error), 0);
    assert_memory_equal(a, w, model.parameter_reals * sizeof(real));
    for (int p = 0; p < 4; p++)
        for (size_t i = model.parameters[p].offset, k = 0; k < model.parameters[p].count; i++, k++)
            assert_true(trains[p] ? b[i] == m[i] && c[i] == v[i] : b[i] == -3 && c[i] == -3);
}

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
    assert_string_equal(safetensors_metadata(&file, "caec.optimizer"), "sgd,lr=0.1,momentum=0.9");
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

/* Flips one bit, `back` bytes before the end or `text`'s last character. */
static void damage(long back, const char *text)
{
    FILE *file = fopen(path, "r+b");
    static char bytes[1 << 16];
    size_t size = fread(bytes, 1, sizeof bytes, file), at = size - (size_t)back;
    if (text) {
        for (at = 0; at + strlen(text) < size && memcmp(bytes + at, text, strlen(text)) != 0;)
            at++;
        at += strlen(text) - 1;
    }
    assert_true(at < size);
    fseek(file, (long)at, SEEK_SET);
    fputc(bytes[at] ^ 1, file);
    fclose(file);
}

static void damage_is_found(void **state)
{
    (void)state;
    save_or_fail(&caec_model, true);
    damage(5, NULL);
    refused(&caec_model, EXIT_INPUT, "checksum");
    save_or_fail(&caec_model, true);
    damage(0, "\"640"); /* the position */
    refused(&caec_model, EXIT_INPUT, "checksum");
    save_or_fail(&caec_model, true);
    assert_int_equal(truncate(path, 900), 0);
    refused(&caec_model, EXIT_INPUT, "");
    unlink(path);
    refused(&caec_model, EXIT_FILE, "");
}

/* The file in memory, to be written back with something wrong. */
static unsigned char good[1 << 16];

static size_t read_good(void)
{
    save_or_fail(&caec_model, true);
    FILE *file = fopen(path, "rb");
    size_t size = fread(good, 1, sizeof good, file);
    fclose(file);
    assert_true(size > 0 && size < sizeof good);
    return size;
}

static int damaged_files;

static void want_refusal_of(const unsigned char *bytes, size_t size, const char *what, size_t place)
{
    real a[MOST], b[MOST], c[MOST];
    CheckpointState s;
    Error error = { 0 };
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    assert_int_equal(truncate(path, (off_t)size), 0);
    int run = checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b, c }, &s, &error),
        weights = weights_load(&caec_model, path, a, &error);
    if (run != -1 || weights != -1 || error.exit_code != EXIT_INPUT)
        fail_msg("%s at byte %zu is taken", what, place);
    damaged_files++;
}

/* Every single byte: of the length, the header, the padding, the data. */
static void every_damaged_byte_is_found(void **state)
{
    (void)state;
    static const unsigned char flips[] = { 0x01, 0x20, 0x80, 0xff };
    size_t size = read_good();
    for (size_t i = 0; i < size; i++)
        for (size_t f = 0; f < sizeof flips; f++) {
            good[i] ^= flips[f];
            want_refusal_of(good, size, "a flip", i);
            good[i] ^= flips[f];
        }
    for (size_t i = 0; i < size; i++)
        want_refusal_of(good, i, "an end", i);
    good[size] = 0;
    want_refusal_of(good, size + 1, "a byte too many", size);
    printf("%zu bytes, each flipped in %zu ways, cut off at each: %d damaged files refused\n", size,
           sizeof flips, damaged_files);
}

/* Whitespace would be harmless, and a file that another program has stored anew need not say that
   it is caec's. */
static void other_formats_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *keys[2], *values[2];
        const char *word;
    } files[] = {
        { { "caec.format", "caec.model" }, { "3", "tiny" }, "no checksum" },
        { { "caec.format", SAFETENSORS_CHECKSUM }, { "2", "" }, "not a training checkpoint" },
        { { "caec.note", SAFETENSORS_CHECKSUM }, { "x", "" }, "not a training checkpoint" },
    };
    const SafetensorsItem item = { "a", SAFETENSORS_F32, 1, { 1 }, &(float){ 1 } };
    char message[800];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(safetensors_write(path, &item, 1, files[i].keys, files[i].values, 2,
                                           message, sizeof message),
                         0);
        refused(&caec_model, EXIT_INPUT, files[i].word);
    }
    const char *keys[] = { "caec.format", "caec.model", SAFETENSORS_CHECKSUM },
               *values[] = { "4", "tiny", "" };
    assert_int_equal(safetensors_write(path, &item, 1, keys, values, 3, message, sizeof message),
                     0);
    refused(&caec_model, EXIT_INPUT, "format 4, this program reads format 3");
}

static int numbers;

/* The file is right in all but one number; `says` is what the refusal tells of it. */
static void want_refused_number(const char *says)
{
    save_or_fail(&caec_model, true);
    refused(&caec_model, EXIT_INPUT, says);
    numbers++;
}

static void with_count(uint64_t *at, uint64_t value, const char *says)
{
    const uint64_t good_one = *at;
    *at = value;
    want_refused_number(says);
    *at = good_one;
}

static void with_double(double *at, double value, const char *says)
{
    const double good_one = *at;
    *at = value;
    want_refused_number(says);
    *at = good_one;
}

static void with_int(int *at, int value, const char *says)
{
    const int good_one = *at;
    *at = value;
    want_refused_number(says);
    *at = good_one;
}

/* Every number of the position, as no run has it. The checksum is right: a file from elsewhere can
   hold anything. */
static void numbers_that_no_run_has_are_refused(void **state)
{
    (void)state;
    CheckpointState *s = &written;
    with_count(&s->step, UINT64_MAX, "caec.step is \"18446744073709551615\"");
    with_count(&s->step, (1ull << 53) + 2,
               "caec.step is \"9007199254740994\", and this program writes a number from 0 to "
               "9007199254740992;");
    with_count(&s->epoch, UINT64_MAX, "caec.epoch is \"18446744073709551615\"");
    with_count(&s->position, 1ull << 60, "caec.position is \"1152921504606846976\"");
    with_count(&s->images, 641, "caec.images is 641, more than caec.position, which is 640");
    with_count(&s->batch, 2147483647,
               "caec.batch is \"2147483647\", and this program writes a number from 1 to 1048576;");
    with_count(&s->batch, 0, "caec.batch is \"0\"");
    with_count(&s->epochs, (1 << 24) + 1, "caec.epochs is \"16777217\"");
    with_count(&s->steps, UINT64_MAX, "caec.steps is \"18446744073709551615\"");
    with_count(&s->closed, (1ull << 53) + 2, "caec.closed is \"9007199254740994\"");
    with_count(&s->schedule_follows, 2,
               "caec.schedule_follows is \"2\", and this program writes a number from 0 to 1;");
    with_count(&s->plateau.best.wait, UINT64_MAX, "caec.plateau_wait is");
    with_count(&s->plateau.cooldown, UINT64_MAX, "caec.plateau_cooldown is");
    with_count(&s->early.wait, UINT64_MAX, "caec.early_wait is");
    with_double(&s->loss_sum, NAN, "caec.loss_sum is \"nan\"");
    with_double(
        &s->seconds, -1e300,
        "caec.seconds is \"-1.0000000000000001e+300\", and this program writes a number from 0 to");
    with_double(&s->seconds, INFINITY, "caec.seconds is \"inf\"");
    with_double(&s->best, NAN, "caec.best is \"nan\"");
    with_double(&s->best, -INFINITY, "caec.best is \"-inf\"");
    with_double(&s->training.clip_norm, NAN, "caec.clip_norm is \"nan\"");
    with_double(&s->training.global_clip_norm, -1, "caec.global_clip_norm is \"-1\"");
    with_double(&s->training.clip_value, INFINITY, "caec.clip_value is \"inf\"");
    with_double(&s->training.min_delta, -1, "caec.min_delta is \"-1\"");
    with_double(&s->rate, NAN, "caec.rate is \"nan\"");
    with_double(&s->plateau.best.best, NAN, "caec.plateau_best is \"nan\"");
    with_double(&s->plateau.scale, INFINITY,
                "caec.plateau_scale is \"inf\", and this program writes a number from 0 to 1;");
    with_double(&s->early.best, NAN, "caec.early_best is \"nan\"");
    with_int(&s->training.patience, -3,
             "caec.patience is \"-3\", and this program writes a number from 0 to 16777216;");
    with_int(&s->training.patience, (1 << 24) + 1, "caec.patience is \"16777217\"");
    with_int(&s->training.mirror, 7,
             "caec.mirror is \"7\", and this program writes a number from 0 to 1;");
    printf("%d numbers of a position refused\n", numbers);
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
        cmocka_unit_test(no_best_yet_is_infinity),
        cmocka_unit_test(names_types_and_metadata),
        cmocka_unit_test(another_network_is_named),
        cmocka_unit_test(a_hostile_name_is_plain),
        cmocka_unit_test(parameters_alone_are_no_run),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(every_damaged_byte_is_found),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(numbers_that_no_run_has_are_refused),
        cmocka_unit_test(another_version_is_read),
        cmocka_unit_test(unwritable_place_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
