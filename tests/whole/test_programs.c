/* The programs as programs: what bench tells a script, what they say of themselves, and that they need no shared library. */
#define _GNU_SOURCE     /* link.h */
#include "whole.h"

#include <jansson.h>
#include <link.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *bench(const char *words)
{
    Result result = run(NULL, "%s", words);
    want_exit(&result, 0);
    json_error_t error;
    json_t *all = json_loads(result.out, 0, &error);
    if (!all)
        fail_msg("%s: %s in line %d", words, error.text, error.line);
    result_free(&result);
    return all;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}

/* Multiply-adds of the layers of "small" by hand, an image: forward of all six, dX of all but the first, dW of all. */
static double small_gflop(bool training)
{
    const double conv1 = 48 * 48 * 9.0 * 3 * 32, conv2 = 24 * 24 * 9.0 * 32 * 64, conv3 = 12 * 12 * 9.0 * 64 * 128;
    const double deconv1 = 6 * 6 * 9.0 * 128 * 128, deconv2 = 12 * 12 * 9.0 * 128 * 16, deconv3 = 24 * 24 * 9.0 * 16 * 3;
    double forward = conv1 + conv2 + conv3 + deconv1 + deconv2 + deconv3;
    return 2e-9 * (training ? 3 * forward - conv1 : forward);
}

static void training_is_measured(void **state)
{
    (void)state;
    json_t *all = bench(SMALL_TRAIN " bench --batch 6 --steps 2 --threads 2 --json");
    assert_true(number_of(all, "batch") == 6 && number_of(all, "threads") == 2);
    double rate = number_of(all, "images_per_second");
    assert_true(rate > 0 && fabs(rate * number_of(all, "ms_per_step") / 6000 - 1) < 1e-3);
    assert_true(number_of(all, "mean_ms_per_step") > 0);
    assert_true(fabs(number_of(all, "effective_gflops") / (rate * small_gflop(true)) - 1) < 1e-3);
    assert_true(number_of(all, "fma_peak_gflops") > 0 && number_of(all, "peak_rss_mb") > 0);
    const json_t *layers = json_object_get(all, "layers");
    assert_true(json_array_size(layers) > 6);
    size_t forward = 0;
    double peak = 0;            /* of one thread, as each row's rate and percent tell it */
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *row = json_array_get(layers, i);
        if (json_is_number(json_object_get(row, "effective_gflops"))) {
            double says = 100 * number_of(row, "effective_gflops") / number_of(row, "percent_of_peak");
            assert_true(says > 0 && (peak == 0 || fabs(says / peak - 1) < 1e-3));
            peak = says;
        }
        assert_true(json_is_string(json_object_get(row, "layer")) && json_is_string(json_object_get(row, "kernel")));
        assert_true(number_of(row, "ms") >= 0);
        forward += strncmp(json_string_value(json_object_get(row, "pass")), "forward", 7) == 0;
    }
    assert_true(forward >= 6 && peak > 0);
    json_decref(all);
}

static void inference_is_measured(void **state)
{
    (void)state;
    json_t *all = bench(SMALL_INFER " bench --threads 2 --json");
    static const char *const keys[] = { "latency_ms_1_thread", "latency_ms", "images_per_second", "effective_gflops", "fma_peak_gflops",
                                        "peak_rss_mb" };
    for (int i = 0; i < 6; i++)
        assert_true(number_of(all, keys[i]) > 0);
    assert_true(fabs(number_of(all, "effective_gflops") / (number_of(all, "images_per_second") * small_gflop(false)) - 1) < 1e-3);
    json_decref(all);
}

static const char *const programs[] = { BUILD_BIN "/cae-train", BUILD_BIN "/cae-infer", SMALL_TRAIN, SMALL_INFER };
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static void they_tell_about_themselves(void **state)
{
    (void)state;
    Result caec = run_caec(NULL, "--version");
    want_exit(&caec, 0);
    assert_int_equal(strncmp(caec.out, "caec ", 5), 0);
    char *version = text_of("(caec %.*s)", (int)strcspn(caec.out + 5, "\n"), caec.out + 5);
    for (int i = 0; i < PROGRAMS; i++) {
        Result help = run(NULL, "%s --help", programs[i]), said = run(NULL, "%s --version", programs[i]);
        want_exit(&help, 0);
        want_exit(&said, 0);
        assert_non_null(strstr(help.out, "Usage: "));
        assert_non_null(strstr(help.out, "130 or 143"));
        assert_non_null(strstr(said.out, version));
        result_free(&help);
        result_free(&said);
    }
    result_free(&caec);
    free(version);
}

/* The table of layers is the compiler's, whoever prints it; and it is the article's network: 93,248 + 166,467 parameters. */
static void one_summary(void **state)
{
    (void)state;
    Result caec = run_caec(NULL, "%s/graphs/cae.lua --summary", project_folder());
    Result train = run(NULL, BUILD_BIN "/cae-train summary"), infer = run(NULL, BUILD_BIN "/cae-infer summary");
    want_exit(&caec, 0);
    want_exit(&train, 0);
    want_exit(&infer, 0);
    assert_string_equal(train.out, caec.out);
    assert_string_equal(infer.out, caec.out);
    assert_non_null(strstr(caec.out, "Total params: 93,248\n"));
    assert_non_null(strstr(caec.out, "Total params: 166,467\n"));
    result_free(&caec);
    result_free(&train);
    result_free(&infer);
}

/* What the header and the segments of an ELF program say. */
typedef struct Layout {
    int type;                           /* ET_DYN: it can be loaded anywhere */
    bool interpreter, relro, now, stack_is_code;
} Layout;

static Layout layout_of(const char *path)
{
    size_t length;
    char *bytes = file_read(path, &length);
    ElfW(Ehdr) header;
    assert_true(length > sizeof header);
    memcpy(&header, bytes, sizeof header);
    assert_memory_equal(header.e_ident, ELFMAG, SELFMAG);
    assert_true(header.e_phnum > 0);
    Layout layout = { .type = header.e_type };
    for (int i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, bytes + header.e_phoff + (size_t)i * header.e_phentsize, sizeof segment);
        layout.interpreter |= segment.p_type == PT_INTERP;
        layout.relro |= segment.p_type == PT_GNU_RELRO;
        layout.stack_is_code |= segment.p_type == PT_GNU_STACK && (segment.p_flags & PF_X);
        for (size_t at = 0; segment.p_type == PT_DYNAMIC && at < segment.p_filesz; at += sizeof(ElfW(Dyn))) {
            ElfW(Dyn) entry;
            memcpy(&entry, bytes + segment.p_offset + at, sizeof entry);
            layout.now |= entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW);
        }
    }
    free(bytes);
    return layout;
}

/* An ELF program that names an interpreter is loaded by ld.so, which then looks for its libraries. */
static void they_are_static(void **state)
{
    (void)state;
    if (!WHOLE_STATIC) {
        print_message("CAEC_STATIC is OFF\n");
        skip();
    }
    for (int i = 0; i < PROGRAMS; i++)
        if (layout_of(programs[i]).interpreter)
            fail_msg("%s asks for an interpreter", programs[i]);
}

/* At a random address, with nothing both writable and executable, and the loader's tables read-only: see SECURITY.md. */
static void they_are_hardened(void **state)
{
    (void)state;
    for (int i = 0; i <= PROGRAMS; i++) {
        const char *path = i < PROGRAMS ? programs[i] : caec_binary();
        Layout layout = layout_of(path);
        if (layout.type != ET_DYN || !layout.relro || !layout.now || layout.stack_is_code)
            fail_msg("%s: type %d, relro %d, now %d, stack executable %d", path, layout.type, layout.relro, layout.now, layout.stack_is_code);
    }
}

static bool has_openblas(const char *program, size_t *length)
{
    static const char setting[] = "OPENBLAS_VERBOSE";           /* that library's own */
    char *bytes = file_read(program, length);
    const bool has = memmem(bytes, *length, setting, strlen(setting)) != NULL;
    free(bytes);
    return has;
}

/* Without weights and not stripped; and no library for dense layers where there are none. */
static void inference_is_small(void **state)
{
    (void)state;
    if (!WHOLE_STATIC) {
        print_message("CAEC_STATIC is OFF\n");
        skip();
    }
    size_t length, dense_length;
    assert_false(has_openblas(BUILD_BIN "/cae-infer", &length));
    assert_true(has_openblas(BUILD_BIN "/dense_ae-infer", &dense_length));
    print_message("cae-infer has %zu bytes\n", length);
    if (length > 5 << 19)
        fail_msg("cae-infer has %zu bytes, more than 2.5 MiB", length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_measured),
        cmocka_unit_test(inference_is_measured),
        cmocka_unit_test(they_tell_about_themselves),
        cmocka_unit_test(one_summary),
        cmocka_unit_test(they_are_static),
        cmocka_unit_test(inference_is_small),
        cmocka_unit_test(they_are_hardened),
    };
    return cmocka_run_group_tests_name("whole programs", tests, NULL, NULL);
}
