/* Checkpoints with something wrong in them: a bit, an end, a format, a number, a tensor. */
#define _POSIX_C_SOURCE 200809L
#include "../support/sanitized.h"
#include "checkpoint_file.h"

#include "formats/checksum.h"
#include "formats/safetensors.h"
#include "weights/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
        for (size_t f = SANITIZED ? sizeof flips - 1 : 0; f < sizeof flips; f++) {
            good[i] ^= flips[f];
            want_refusal_of(good, size, "a flip", i);
            good[i] ^= flips[f];
        }
    for (size_t i = 0; i < size; i++)
        want_refusal_of(good, i, "an end", i);
    good[size] = 0;
    want_refusal_of(good, size + 1, "a byte too many", size);
    printf("%zu bytes, each flipped in %zu ways, cut off at each: %d damaged files refused\n", size,
           SANITIZED ? 1 : sizeof flips, damaged_files);
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

/* Another word of the same length in the header, under a checksum that is right. */
static void say_instead(const char *was, const char *is)
{
    static char bytes[1 << 16];
    char digits[CHECKSUM_DIGITS + 1];
    FILE *file = fopen(path, "r+b");
    const size_t size = fread(bytes, 1, sizeof bytes, file), length = strlen(was);
    size_t at = 0;
    assert_int_equal(strlen(is), length);
    while (at + length < size && memcmp(bytes + at, was, length) != 0)
        at++;
    assert_true(at + length < size);
    memcpy(bytes + at, is, length);
    char *place = checksum_place(bytes, size);
    memcpy(place, CHECKSUM_ZEROS, CHECKSUM_DIGITS);
    checksum_text(checksum_bytes(CHECKSUM_START, bytes, size), digits);
    memcpy(place, digits, CHECKSUM_DIGITS);
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Older ones say why, and that their parameters are as good as ever; they are. */
static void older_and_newer_formats_are_refused(void **state)
{
    (void)state;
    static const char *const formats[] = { "\"caec.format\":\"3\"", "\"caec.format\":\"5\"" };
    static const char *const words[] = {
        "format 3, written by caec 0.1; this program reads format 4, since the gradients",
        "format 5, written by caec 0.1; this program reads format 4; resume with"
    };
    real out[MOST];
    Error error;
    for (int i = 0; i < 2; i++) {
        save_or_fail(&caec_model, true);
        say_instead("\"caec.format\":\"4\"", formats[i]);
        refused(&caec_model, EXIT_INPUT, words[i]);
        refused(&caec_model, EXIT_INPUT, "(--init ");
        assert_int_equal(weights_load(&caec_model, path, out, &error), 0);
        assert_memory_equal(out, w, caec_model.parameter_reals * sizeof(real));
    }
}

/* A state that the optimizer of the file does not keep with its numbers: it was another's. */
static void a_state_too_many_is_refused(void **state)
{
    (void)state;
    CheckpointState s = written;
    Error error = { 0 };
    assert_int_equal(
        settings_read_optimizer(&s.training.optimizer, "rmsprop,centered=true", &error), 0);
    real *const all[SETTINGS_STATES] = { v, NULL, m };
    assert_int_equal(checkpoint_save(path, &caec_model, w, all, &s, &error), 0);
    real a[MOST], b[MOST], c[MOST];
    assert_int_equal(
        checkpoint_load(path, &caec_model, a, (real *[SETTINGS_STATES]){ b, NULL, c }, &s, &error),
        0);
    say_instead("centered=true,eps=1e-07", "centered=false,eps=1e-7");
    refused(&caec_model, EXIT_INPUT,
            "tensor optimizer.mean_gradient/encoder.conv1.kernel is one that a run by "
            "rmsprop,lr=0.001,rho=0.9,momentum=0,centered=false,eps=1e-07 does not have here");
}

/* A parameter that the network does not have, and a state of one that the stage does not train. */
static void other_tensors_are_refused(void **state)
{
    (void)state;
    enum { MORE = 8 };
    static const unsigned char all[] = { 1, 1, 1, 1 }, some[] = { 1, 0, 1, 1 };
    const ModelStage of_all = { .title = "all", .trains = all },
                     of_some = { .title = "some", .trains = some };
    ModelParameter parameters[MORE];
    Model larger = caec_model, staged = caec_model;
    const int count = caec_model.parameter_count;
    assert_int_equal(count, 4);
    memcpy(parameters, caec_model.parameters, (size_t)count * sizeof *parameters);
    parameters[count] = parameters[count - 1];
    parameters[count].name = "decoder.conv9.bias";
    larger.parameters = parameters;
    larger.parameter_count = count + 1;
    save_or_fail(&larger, true);
    refused(&caec_model, EXIT_INPUT, "tensor decoder.conv9.bias is one that a run by adam,");
    staged.stage_count = 1;
    staged.stages = &of_all;
    save_or_fail(&staged, true);
    staged.stages = &of_some;
    refused(&staged, EXIT_INPUT,
            "tensor optimizer.m/encoder.conv1.bias is one that a run by adam,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(every_damaged_byte_is_found),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(older_and_newer_formats_are_refused),
        cmocka_unit_test(numbers_that_no_run_has_are_refused),
        cmocka_unit_test(a_state_too_many_is_refused),
        cmocka_unit_test(other_tensors_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
