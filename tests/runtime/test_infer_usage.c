/* The command line of <name>-infer, and what it says of itself. */
#include "infer_runs.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static void bad_usage(void **state)
{
    (void)state;
    assert_int_equal(RUN("--threads", "1"), 2);
    assert_int_equal(RUN("paint"), 2);
    assert_non_null(strstr(text, "paint"));
    assert_int_equal(RUN("summary", "more"), 2);
    assert_int_equal(RUN("encode", at("in"), "-o", at("z.npy")), 2);
    assert_non_null(strstr(text, "--weights"));
    assert_int_equal(RUN("--weights", weights, "encode", at("in")), 2);
    assert_non_null(strstr(text, "--output"));
    assert_int_equal(RUN("--weights", weights, "encode", "-o", at("z.npy")), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "-o", at("z.npy")), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "0"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "-3"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "2x"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--seed", "2"), 2);
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at("in"), "--seed", "-1", "-o", at("no.png")), 2);
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at("in"), at("in"), at("in"), "-o", at("no.png")),
        2);
    assert_int_equal(RUN("--wings", weights, "score", at("in")), 2);
#define NEAREST(...) RUN("--weights", weights, "nearest", __VA_ARGS__, "-o", at("no.png"))
    assert_int_equal(NEAREST(at("in/a.png")), 2);
    assert_non_null(strstr(text, "nearest needs one more file or folder"));
    assert_int_equal(NEAREST(at("in"), at("in")), 2);
    assert_non_null(strstr(text, "/in: is a folder; nearest takes a picture, then the folder"));
    assert_int_equal(NEAREST(at("in/a.png"), at("in/b.png")), 2);
    assert_non_null(strstr(text, "/in/b.png: is no folder; nearest takes a picture, then"));
    assert_int_equal(NEAREST(at("in/a.png"), at("in"), "--count", "0"), 2);
    assert_int_equal(NEAREST(at("in/a.png"), at("in"), "--count", "1001"), 2);
    assert_int_equal(NEAREST(at("in/a.png"), at("none")), 3);
    assert_int_equal(NEAREST(at("none.png"), at("in")), 3);
    assert_int_equal(RUN("--weights", weights, "nearest", at("in/a.png"), at("in"), "-o", "no.jpg"),
                     2);
    assert_int_equal(RUN("--weights", at("none.safetensors"), "summary"), 3);
    assert_int_equal(RUN("--weights", at("in/a.png"), "summary"), 1);
}

static void tells_about_itself(void **state)
{
    (void)state;
    assert_int_equal(RUN("--version"), 0);
    assert_string_equal(text, "tiny-infer (caec 0.1)\n");
    assert_int_equal(RUN("--help"), 0);
    assert_non_null(strstr(text, "interpolate"));
    assert_non_null(strstr(text, "nearest IMAGE DIR"));
    assert_non_null(strstr(text, "nothing half written stays."));
    assert_non_null(strstr(text, "--weights"));
    assert_int_equal(RUN("summary"), 0);
    assert_string_equal(text, caec_model.summary);
    assert_int_equal(RUN("summary", "--weights", weights), 0);
    assert_string_equal(text, caec_model.summary);
}

static void benches(void **state)
{
    static const char *const keys[] = {
        "latency_ms_1_thread", "latency_ms",  "images_per_second", "effective_gflops",
        "fma_peak_gflops",     "peak_rss_mb", "threads",           "batch"
    };
    json_error_t wrong;

    (void)state;
    assert_int_equal(RUN("bench", "--threads", "1"), 0);
    assert_non_null(strstr(text, "encoder.conv1"));
    assert_int_equal(RUN("bench", "--json", "--threads", "1"), 0);
    json_t *all = json_loads(text, 0, &wrong);
    assert_non_null(all);
    for (int i = 0; i < 8; i++)
        assert_true(json_number_value(json_object_get(all, keys[i])) > 0);
    double speed = json_number_value(json_object_get(all, "images_per_second"));
    assert_true(fabs(json_number_value(json_object_get(all, "effective_gflops"))
                     - 2 * caec_model.forward_macs * speed * 1e-9)
                < 1e-3 * speed * caec_model.forward_macs * 1e-9);
    /* no processor's one thread does that */
    assert_true(json_number_value(json_object_get(all, "fma_peak_gflops")) < 5000);
    assert_int_equal(json_array_size(json_object_get(all, "layers")), caec_model.infer_step_count);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_usage),
        cmocka_unit_test(tells_about_itself),
        cmocka_unit_test(benches),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
