/* verify against the reference of verify_reference.c. */
#define _XOPEN_SOURCE 700 /* dup */
#include "check/verify.h"
#include "settings.h"
#include "verify_reference.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs verify with its output into the file `captured`. */
static int verify(const Model *model, bool json, Error *error)
{
    fflush(stdout);
    int saved = dup(1);
    assert_true(saved >= 0);
    assert_non_null(freopen(captured, "w", stdout));
    int result = verify_run(model, path, json, error);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    return result;
}

static int printed(const char *text)
{
    char all[20000];
    FILE *file = fopen(captured, "r");
    assert_non_null(file);
    all[fread(all, 1, sizeof all - 1, file)] = 0;
    fclose(file);
    return strstr(all, text) != NULL;
}

static void verdict_with(const Model *model, int wanted, const char *text)
{
    Error error = { 0 };
    save(SAFETENSORS_F32);
    int got = verify(model, 0, &error);
    if (got != wanted || !printed(text))
        fail_msg("verdict %d, wanted %d with \"%s\" (%s)", got, wanted, text, error.text);
}

static void verdict(int wanted, const char *text)
{
    verdict_with(&caec_model, wanted, text);
}

static void refused(const char *name, const char *why)
{
    Error error = { 0 };
    save(SAFETENSORS_F32);
    assert_int_equal(verify(&caec_model, 0, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    if (!strstr(error.text, name) || !strstr(error.text, why) || !strstr(error.text, path))
        fail_msg("\"%s\" does not name %s and %s", error.text, name, why);
}

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* In double the file must hold doubles: float32 weights alone are off by 6e-8. */
static void passes(void **state)
{
    Error error = { 0 };
    (void)state;
    verdict(0, "ok: all 19 tensors are within bounds");
    save(SAFETENSORS_F64);
    assert_int_equal(verify(&caec_model, 0, &error), 0);
}

/* Moves one value by `by`, absolute for the updates of a float model, else times the tensor's
   largest (not the largest itself, which is the measure). */
static void one_off(const char *name, double by, int wanted)
{
    SafetensorsItem *item = find_item(name);
    double *values = values_of(name), most = largest(values, item_values(item)), kept;
    char row[100];
    int place = fabs(values[0]) == most;

    if (sizeof(real) == sizeof(float) && strncmp(name, "step", 4) == 0)
        most = 1;
    kept = values[place];
    values[place] += (values[place] < 0 ? 1 : -1) * by * most;
    snprintf(row, sizeof row, "\n%s", name);
    verdict(wanted, wanted ? "FAIL: 1 of 19" : row);
    values[place] = kept;
}

static void bounds(void **state)
{
    int in_float = sizeof(real) == sizeof(float);
    (void)state;
    one_off("latent", in_float ? 7e-6 : 5e-7, 0);
    one_off("latent", in_float ? 1.3e-5 : 2e-6, 1);
    one_off("output", in_float ? 7e-6 : 5e-7, 0);
    one_off("output", in_float ? 1.3e-5 : 2e-6, 1);
    one_off("grad/encoder.conv1.kernel", in_float ? 1.8e-3 : 5e-7, 0);
    one_off("grad/encoder.conv1.kernel", in_float ? 2.2e-3 : 2e-6, 1);
    one_off("grad/decoder.conv1.bias", in_float ? 2.2e-3 : 2e-6, 1);
    /* 1 of 108 values past 5e-4 is under 1 % */
    one_off("step3/encoder.conv1.kernel", in_float ? 2.7e-3 : 5e-7, 0);
    one_off("step3/encoder.conv1.kernel", in_float ? 3.3e-3 : 2e-6, 1);
    one_off("step1/encoder.conv1.bias", in_float ? 6e-4 : 2e-6, 1); /* 1 of 4 is not */
}

static void one_percent(void **state)
{
    double *values = values_of("step2/decoder.conv1.kernel"), kept[2];
    (void)state;
    if (sizeof(real) != sizeof(float))
        skip();
    for (int i = 0; i < 2; i++) {
        kept[i] = values[i];
        values[i] += 7e-4 * (values[i] < 0 ? 1 : -1);
        if (i == 0)
            verdict(0, "99.07 % within 5e-04");
        else
            verdict(1, "98.15 % within 5e-04");
    }
    memcpy(values, kept, sizeof kept);
}

static void losses_each(void **state)
{
    (void)state;
    for (int t = 0; t <= STEPS; t++) {
        double kept = losses[t];
        losses[t] = kept * (1 + 3.3e-4);
        verdict(1, "FAIL: 1 of 19");
        losses[t] = NAN;
        verdict(1, "FAIL: 1 of 19");
        losses[t] = kept;
    }
}

static void no_numbers_fail(void **state)
{
    static const char *const tensors[] = { "latent", "output", "grad/decoder.conv1.kernel",
                                           "step1/decoder.conv1.bias" };
    (void)state;
    for (int i = 0; i < 4; i++) {
        double *values = values_of(tensors[i]), kept = values[1];
        values[1] = NAN;
        verdict(1, "nan");
        values[1] = INFINITY;
        verdict(1, "FAIL");
        values[1] = kept;
    }
}

static void zeros_are_absolute(void **state)
{
    double kept[3];
    /* A bias gradient of zeros in the file: ours are then the differences themselves. */
    double *values = values_of("grad/decoder.conv1.bias"), most = largest(values, 3);
    char text[64];

    (void)state;
    memcpy(kept, values, 3 * sizeof *kept);
    memset(values, 0, 3 * sizeof *kept);
    snprintf(text, sizeof text, "%-26s  %.2e", "grad/decoder.conv1.bias", most);
    verdict(1, text);
    memcpy(values, kept, 3 * sizeof *kept);
}

static void refuses_by_name(void **state)
{
    static const char *const all[] = { "input",
                                       "loss",
                                       "latent",
                                       "output",
                                       "step0/encoder.conv1.kernel",
                                       "grad/decoder.conv1.bias",
                                       "step2/decoder.conv1.kernel",
                                       "step3/encoder.conv1.bias" };
    (void)state;
    /* missing, and then what it is called instead would be one too many */
    for (int i = 0; i < 8; i++) {
        char *name = names[find_item(all[i]) - items], kept = name[strlen(name) - 1];
        name[strlen(name) - 1] = 'X';
        refused(all[i], "is missing");
        name[strlen(name) - 1] = kept;
    }
    for (int i = 0; i < 8; i++) { /* another shape with as many values */
        SafetensorsItem *item = find_item(all[i]), kept = *item;
        item->rank++;
        item->shape[item->rank - 1] = 1;
        refused(all[i], i == 1 ? "list" : "has shape");
        *item = kept;
    }
}

static void refuses_extra(void **state)
{
    static const char *const extra[] = { "step4/encoder.conv1.kernel",
                                         "grad/encoder.conv9.kernel",
                                         "step0/input",
                                         "noise",
                                         "step01/encoder.conv1.bias",
                                         "stepx/encoder.conv1.bias",
                                         "step-1/encoder.conv1.bias" };
    (void)state;
    for (int i = 0; i < 7; i++) {
        items[item_count] = *find_item("grad/encoder.conv1.bias");
        items[item_count].name = extra[i];
        sources[item_count++] = gradient + B1;
        refused(extra[i], "one too many");
        item_count--;
    }
}

static void refuses_other_inputs(void **state)
{
    static const double wrong[] = { 0.5, -1 / 255.0, 256 / 255.0, 1e-4, NAN };
    double kept = input[7];
    (void)state;
    for (int i = 0; i < 5; i++) {
        input[7] = wrong[i];
        refused("input", "place 7");
    }
    input[7] = kept;
}

static void other_optimizers(void **state)
{
    Model model = caec_model;
    double kept = values_of("step1/encoder.conv1.bias")[0];
    (void)state;
    values_of("step1/encoder.conv1.bias")[0] = 9; /* would fail if it were compared */
    verdict(1, "FAIL");
    model.training.optimizer.lr = 2e-3;
    verdict_with(&model, 0, "are not compared");
    model = caec_model;
    model.training.optimizer.eps = 1e-8;
    verdict_with(&model, 0, "ok: all 7 tensors"); /* latent, output, 4 gradients, the losses */
    for (const SettingsWord *word = settings_optimizers; word->name; word++) {
        Error error;
        model = caec_model;
        assert_int_equal(settings_read_optimizer(&model.training.optimizer, word->name, &error), 0);
        if (strcmp(word->name, "adam") != 0)
            verdict_with(&model, 0, word->name);
    }
    values_of("step1/encoder.conv1.bias")[0] = kept;
}

/* Updates by the optimizer that the file's metadata name. */
static void an_optimizer_of_the_file(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error;
    assert_int_equal(settings_read_optimizer(&model.training.optimizer, "adagrad,lr=0.5", &error),
                     0);
    adagrad_lr = 0.5;
    train_reference();
    verdict_with(&model, 0, "the reference's are by adam,lr=0.001,beta1=0.9,beta2=0.999,eps=1e-07");
    reference_optimizer = "adagrad,eps=1e-07,lr=0.5";
    verdict_with(&model, 0, "ok: all 19 tensors");
    verdict(0, "the reference's are by adagrad,lr=0.5,initial_accumulator=0.1,eps=1e-07, and the "
               "graph's optimizer is adam,");
    save(SAFETENSORS_F64);
    assert_int_equal(verify(&model, 0, &error), 0);
    values_of("step1/encoder.conv1.bias")[0] += 5;
    verdict_with(&model, 1, "FAIL: 1 of 19");
    reference_optimizer = "adagrad,lr=0.5,initial_accumulator=0.2";
    verdict_with(&model, 0, "ok: all 7 tensors");
    reference_optimizer = "adagrad,rho=0.5";
    refused("optimizer", "it has lr, initial_accumulator, eps");
    reference_optimizer = NULL;
    adagrad_lr = 0;
    train_reference();
}

/* A reference has no gradient of what is not trained, and there it stays as it was. */
static void what_is_not_trained(void **state)
{
    static const unsigned char trains[] = { 1, 1, 1, 0 };
    Model model = caec_model;
    (void)state;
    SafetensorsItem *item = find_item("grad/decoder.conv1.bias"), kept = *item;
    double **source = &sources[item - items], *kept_source = *source;
    trained = B2;
    train_reference();
    verdict(1, "FAIL");
    *item = items[--item_count];
    *source = sources[item_count];
    model.trains = trains;
    verdict_with(&model, 0, "ok: all 18 tensors");
    values_of("step3/decoder.conv1.bias")[0] += 0.01;
    verdict_with(&model, 1, "FAIL: 1 of 18");
    item_count++;
    *item = kept;
    *source = kept_source;
    trained = REALS;
    train_reference();
}

static void prints_json(void **state)
{
    double *values = values_of("latent"), kept = values[0];
    Error error;
    json_error_t wrong;

    (void)state;
    values[0] = NAN;
    save(SAFETENSORS_F32);
    assert_int_equal(verify(&caec_model, 1, &error), 1);
    values[0] = kept;
    json_t *all = json_load_file(captured, 0, &wrong);
    assert_non_null(all);
    assert_string_equal(json_string_value(json_object_get(all, "verdict")), "FAIL");
    assert_int_equal(json_integer_value(json_object_get(all, "failed")), 1);
    assert_true(json_is_true(json_object_get(all, "updates_compared")));
    json_t *tensors = json_object_get(all, "tensors");
    assert_int_equal(json_array_size(tensors), 19);
    int failed = 0;
    for (size_t i = 0; i < 19; i++) {
        json_t *row = json_array_get(tensors, i);
        int bad = strcmp(json_string_value(json_object_get(row, "verdict")), "FAIL") == 0;
        failed += bad;
        assert_true(bad
                    == (strcmp(json_string_value(json_object_get(row, "name")), "latent") == 0));
        assert_true(bad ? json_is_null(json_object_get(row, "difference"))
                        : json_is_real(json_object_get(row, "difference")));
        assert_true(json_number_value(json_object_get(row, "bound")) > 0);
    }
    assert_int_equal(failed, 1);
    json_decref(all);
}

static void unreadable_is_io(void **state)
{
    Error error;
    (void)state;
    unlink(path);
    assert_int_equal(verify(&caec_model, 0, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
}

/* The same network by PyTorch, where the project's oracle and PyTorch are at hand. */
static void agrees_with_pytorch(void **state)
{
    const char *shared = getenv("CAEC_SHARED");
    char command[2000];
    Error error = { 0 };

    (void)state;
    if (!shared)
        skip();
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 '%s/oracle/oracle.py' net '%s' '%s/net.lua' '{\"name\": \"tiny\", "
        "\"input\": [8, 8, 3], \"encoder\": "
        "[{\"op\": \"conv2d\", \"filters\": 4, \"kernel\": 3, \"activation\": \"relu\"}, {\"op\": "
        "\"max_pool2d\"}], \"decoder\": "
        "[{\"op\": \"upsample2d\"}, {\"op\": \"conv2d\", \"filters\": 3, \"kernel\": 3, "
        "\"activation\": \"relu\"}]}' --batch 5 "
        "> '%s' 2>&1",
        shared, path, folder, captured);
    int failed = system(command);
    snprintf(command, sizeof command, "%s/net.lua", folder);
    unlink(command);
    if (failed)
        skip();
    if (verify(&caec_model, 0, &error) != 0)
        fail_msg("differs from PyTorch: %s", error.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(bounds),
        cmocka_unit_test(one_percent),
        cmocka_unit_test(losses_each),
        cmocka_unit_test(no_numbers_fail),
        cmocka_unit_test(zeros_are_absolute),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(refuses_extra),
        cmocka_unit_test(refuses_other_inputs),
        cmocka_unit_test(other_optimizers),
        cmocka_unit_test(an_optimizer_of_the_file),
        cmocka_unit_test(what_is_not_trained),
        cmocka_unit_test(prints_json),
        cmocka_unit_test(unreadable_is_io),
        cmocka_unit_test(agrees_with_pytorch),
    };
    return cmocka_run_group_tests(tests, make_reference, remove_reference);
}
