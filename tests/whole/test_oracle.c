/* small-train and unpool-train verify against PyTorch in float64: $CAEC_SHARED/oracle/oracle.py
   writes the reference, where there is one and PyTorch. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

/* The network of unpool-train as the oracle wants it, without blanks. */
#define CONV(filters_) "{\"op\":\"conv2d\",\"filters\":" #filters_ ",\"kernel\":3"
#define UNPOOL(i_) "{\"op\":\"max_unpool2d\",\"pool\":\"encoder.pool" #i_ "\"}"
/* clang-format off */
static const char unpool_spec[] =
    "{\"input\":[48,48,3],\"encoder\":["
    CONV(32) ",\"activation\":\"relu\"},{\"op\":\"max_pool2d\"},"
    CONV(64) ",\"activation\":\"relu\"},{\"op\":\"max_pool2d\"},"
    CONV(128) ",\"activation\":\"relu\"},{\"op\":\"max_pool2d\"}],\"decoder\":["
    CONV(128) ",\"activation\":\"relu\"}," UNPOOL(3) ","
    CONV(64) ",\"activation\":\"relu\"}," UNPOOL(2) ","
    CONV(32) ",\"activation\":\"relu\"}," UNPOOL(1) "," CONV(3) "}]}";
/* clang-format on */

static int set_up(void **state)
{
    const char *shared = getenv("CAEC_SHARED");
    char *script = text_of("%s/oracle/oracle.py", shared ? shared : "");
    *state = NULL;
    folder = folder_new();
    if (!shared || !file_exists(script) || !file_exists("/usr/bin/python3")) {
        *state = "no oracle: CAEC_SHARED is not set, or has none";
    } else {
        Result made = run(folder,
                          "/usr/bin/python3 %s cae reference.safetensors --size %d --batch 2",
                          script, SIDE);
        if (made.exit_code != 0 && strstr(made.err, "ModuleNotFoundError"))
            *state = "no oracle: python3 has no torch";
        else
            want_exit(&made, 0);
        result_free(&made);
    }
    free(script);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void need_oracle(void **state)
{
    if (*state) {
        print_message("%s\n", (const char *)*state);
        skip();
    }
}

/* The verdicts of `verify --json`: how many tensors fail, and whether `name` is among them. */
static int failed_tensors(const char *program, const char *file, int exit_code, int parameters,
                          const char *name, bool *is_among)
{
    Result result = run(folder, "%s verify %s --json", program, file);
    want_exit(&result, exit_code);
    json_t *all = json_loads(result.out, 0, NULL);
    assert_non_null(all);
    const json_t *tensors = json_object_get(all, "tensors");
    int failed = 0;
    *is_among = false;
    /* latent, output, loss, the gradients, the parameters after three updates */
    assert_int_equal(json_array_size(tensors), 3 + 4 * parameters);
    for (size_t i = 0; i < json_array_size(tensors); i++) {
        const json_t *row = json_array_get(tensors, i);
        if (strcmp(json_string_value(json_object_get(row, "verdict")), "ok") == 0)
            continue;
        failed++;
        *is_among = *is_among || strcmp(json_string_value(json_object_get(row, "name")), name) == 0;
    }
    json_decref(all);
    result_free(&result);
    return failed;
}

/* Copies the reference with one tensor's float32 values multiplied by a factor. */
static void spoil(const char *name, float factor, const char *as)
{
    char *from = text_of("%s/reference.safetensors", folder), *to = text_of("%s/%s", folder, as);
    size_t length;
    char *bytes = file_read(from, &length);
    uint64_t header;
    memcpy(&header, bytes, sizeof header);
    json_t *tensors = json_loadb(bytes + 8, header, 0, NULL);
    assert_non_null(tensors);
    const json_t *range = json_object_get(json_object_get(tensors, name), "data_offsets");
    assert_true(json_array_size(range) == 2);
    char *start = bytes + 8 + header + json_integer_value(json_array_get(range, 0));
    char *end = bytes + 8 + header + json_integer_value(json_array_get(range, 1));
    assert_true(start < end && end <= bytes + length);
    for (char *at = start; at < end; at += sizeof(float)) {
        float value;
        memcpy(&value, at, sizeof value);
        value *= factor;
        memcpy(at, &value, sizeof value);
    }
    file_write(to, bytes, length);
    json_decref(tensors);
    free(bytes);
    free(from);
    free(to);
}

static void agrees_with_pytorch(void **state)
{
    bool among;
    need_oracle(state);
    assert_int_equal(failed_tensors(SMALL_TRAIN, "reference.safetensors", 0, 12, "loss", &among),
                     0);
}

/* Its noise and dropout are nothing to verify; its schedule neither. */
static void a_noisy_network_is_the_same_network(void **state)
{
    bool among;
    need_oracle(state);
    assert_int_equal(failed_tensors(NOISY_TRAIN, "reference.safetensors", 0, 12, "loss", &among),
                     0);
}

static void unpooling_agrees_with_pytorch(void **state)
{
    bool among;
    need_oracle(state);
    char *script = text_of("%s/oracle/oracle.py", getenv("CAEC_SHARED"));
    Result made = run(folder, "/usr/bin/python3 %s net unpool.safetensors unpool.lua %s", script,
                      unpool_spec);
    want_exit(&made, 0);
    assert_int_equal(failed_tensors(UNPOOL_TRAIN, "unpool.safetensors", 0, 14, "loss", &among), 0);
    result_free(&made);
    free(script);
}

static void a_gradient_two_per_cent_off_is_seen(void **state)
{
    bool among;
    need_oracle(state);
    spoil("grad/encoder.conv2.kernel", 1.02f, "spoilt.safetensors");
    assert_int_equal(failed_tensors(SMALL_TRAIN, "spoilt.safetensors", 1, 12,
                                    "grad/encoder.conv2.kernel", &among),
                     1);
    assert_true(among);
}

static void an_output_a_thousandth_off_is_seen(void **state)
{
    bool among;
    need_oracle(state);
    spoil("output", 1.001f, "spoilt.safetensors");
    assert_int_equal(failed_tensors(SMALL_TRAIN, "spoilt.safetensors", 1, 12, "output", &among), 1);
    assert_true(among);
}

static void a_reference_of_another_network(void **state)
{
    need_oracle(state);
    Result result = run(folder, OTHER_TRAIN " verify reference.safetensors");
    want_refusal(&result, 1, "reference.safetensors");
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(a_noisy_network_is_the_same_network),
        cmocka_unit_test(unpooling_agrees_with_pytorch),
        cmocka_unit_test(a_gradient_two_per_cent_off_is_seen),
        cmocka_unit_test(an_output_a_thousandth_off_is_seen),
        cmocka_unit_test(a_reference_of_another_network),
    };
    return cmocka_run_group_tests_name("whole oracle", tests, set_up, tear_down);
}
