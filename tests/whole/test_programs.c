/* The programs as programs: what bench tells a script, what they say of themselves, and that they
   need no shared library. */
#define _GNU_SOURCE /* link.h */
#include "whole.h"

#include <fcntl.h>
#include <jansson.h>
#include <link.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Multiply-adds of the layers of "small" by hand, an image: forward of all six, dX of all but the
   first, dW of all. */
static double small_gflop(bool training)
{
    const double conv1 = 48 * 48 * 9.0 * 3 * 32, conv2 = 24 * 24 * 9.0 * 32 * 64,
                 conv3 = 12 * 12 * 9.0 * 64 * 128;
    const double deconv1 = 6 * 6 * 9.0 * 128 * 128, deconv2 = 12 * 12 * 9.0 * 128 * 16,
                 deconv3 = 24 * 24 * 9.0 * 16 * 3;
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
    double peak = 0; /* of one thread, as each row's rate and percent tell it */
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *row = json_array_get(layers, i);
        if (json_is_number(json_object_get(row, "effective_gflops"))) {
            double says = 100 * number_of(row, "effective_gflops")
                          / number_of(row, "percent_of_peak");
            assert_true(says > 0 && (peak == 0 || fabs(says / peak - 1) < 1e-3));
            peak = says;
        }
        assert_true(json_is_string(json_object_get(row, "layer"))
                    && json_is_string(json_object_get(row, "kernel")));
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
    static const char *const keys[] = { "latency_ms_1_thread", "latency_ms",
                                        "images_per_second",   "effective_gflops",
                                        "fma_peak_gflops",     "peak_rss_mb" };
    for (int i = 0; i < 6; i++)
        assert_true(number_of(all, keys[i]) > 0);
    assert_true(fabs(number_of(all, "effective_gflops")
                         / (number_of(all, "images_per_second") * small_gflop(false))
                     - 1)
                < 1e-3);
    json_decref(all);
}

static const char *const programs[] = { BUILD_BIN "/cae-train", BUILD_BIN "/cae-infer", SMALL_TRAIN,
                                        SMALL_INFER };
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static void they_tell_about_themselves(void **state)
{
    (void)state;
    Result caec = run_caec(NULL, "--version");
    want_exit(&caec, 0);
    assert_int_equal(strncmp(caec.out, "caec ", 5), 0);
    char *version = text_of("(caec %.*s)", (int)strcspn(caec.out + 5, "\n"), caec.out + 5);
    for (int i = 0; i < PROGRAMS; i++) {
        Result help = run(NULL, "%s --help", programs[i]),
               said = run(NULL, "%s --version", programs[i]);
        want_exit(&help, 0);
        want_exit(&said, 0);
        assert_non_null(strstr(help.out, "Usage: "));
        assert_non_null(strstr(help.out, "130, 143 or 128 + N"));
        assert_non_null(strstr(said.out, version));
        result_free(&help);
        result_free(&said);
    }
    result_free(&caec);
    free(version);
}

/* The table of layers is the compiler's, whoever prints it; and it is the article's network: 93,248
   + 166,467 parameters. */
static void one_summary(void **state)
{
    (void)state;
    Result caec = run_caec(NULL, "%s/graphs/cae.lua --summary", project_folder());
    Result train = run(NULL, BUILD_BIN "/cae-train summary"),
           infer = run(NULL, BUILD_BIN "/cae-infer summary");
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
    int type; /* ET_DYN: it can be loaded anywhere */
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
        for (size_t at = 0; segment.p_type == PT_DYNAMIC && at < segment.p_filesz;
             at += sizeof(ElfW(Dyn))) {
            ElfW(Dyn) entry;
            memcpy(&entry, bytes + segment.p_offset + at, sizeof entry);
            layout.now |= entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW);
        }
    }
    free(bytes);
    return layout;
}

/* An ELF program that names an interpreter is loaded by ld.so, which then looks for its
   libraries. */
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

/* At a random address, with nothing both writable and executable, and the loader's tables
   read-only: see SECURITY.md. */
static void they_are_hardened(void **state)
{
    (void)state;
    for (int i = 0; i <= PROGRAMS; i++) {
        const char *path = i < PROGRAMS ? programs[i] : caec_binary();
        Layout layout = layout_of(path);
        if (layout.type != ET_DYN || !layout.relro || !layout.now || layout.stack_is_code)
            fail_msg("%s: type %d, relro %d, now %d, stack executable %d", path, layout.type,
                     layout.relro, layout.now, layout.stack_is_code);
    }
}

static bool has_openblas(const char *program, size_t *length)
{
    static const char setting[] = "OPENBLAS_VERBOSE"; /* that library's own */
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

static Result script(const char *folder, const char *text)
{
    return run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
}

/* What is printed and does not arrive is an error, whoever prints it. */
static void a_full_output(void **state)
{
    (void)state;
    static const char *const words[] = {
        " --help",  " --usage",         " --version",
        " summary", " bench --batch 2", " bench --batch 2 --json"
    };
    char *folder = folder_new();
    for (size_t i = 0; i < 2 * sizeof words / sizeof words[0]; i++) {
        const char *program = i % 2 ? GREY_INFER : GREY_TRAIN, *rest = words[i / 2];
        bool fits = !(i % 2) || !strstr(rest, "--batch");
        char *text = text_of("exec %s%s >/dev/full", program,
                             fits                     ? rest
                             : strstr(rest, "--json") ? " bench --json"
                                                      : " bench");
        Result result = script(folder, text);
        want_exit(&result, 3);
        if (!strstr(result.err, "cannot be written\n"))
            fail_msg("%s: %s", text, result.err);
        result_free(&result);
        free(text);
    }
    folder_remove(folder);
}

/* Starts the words without stdin, stdout and stderr; the last of them is a pipe in which the
 * program finds nothing. */
static void check_handles(const char *program, const char *option, const char *command,
                          const char *folder)
{
    char *path = text_of("%s/pipe", folder);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int handle = 0; handle < 1024; handle++)
            close(handle);
        if (chdir(folder) == 0)
            execl(program, program, option, "pipe", command, (char *)NULL);
        _exit(99);
    }
    int pipe_end = open(path, O_WRONLY); /* comes back as soon as the program reads */
    assert_true(pipe_end >= 0);
    for (int handle = 0; handle < 3; handle++) {
        char link[100] = "", *there = text_of("/proc/%ld/fd/%d", (long)child, handle);
        if (readlink(there, link, sizeof link - 1) >= 0 || file_exists("/proc/self/fd"))
            assert_string_equal(link, "/dev/null");
        free(there);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(pipe_end);
    free(path);
}

/* No file that is opened later is taken for stdout or stderr, where somebody closed those. */
static void closed_handles(void **state)
{
    (void)state;
    char *folder = folder_new();
    check_handles(GREY_TRAIN, "--init", "--out=run", folder);
    check_handles(GREY_INFER, "--weights", "summary", folder);
    Result result = script(folder, GREY_TRAIN " --steps 2 --batch 2 --out mute <&- >&- 2>&- "
                                              "&& " GREY_INFER " --weights mute/last.safetensors "
                                              "summary && " GREY_TRAIN " --steps "
                                              "3 --out "
                                              "mute "
                                              "--resume");
    want_exit(&result, 0);
    result_free(&result);
    folder_remove(folder);
}

/* A compiler that lacks what static programs need: then they are linked to shared libraries, and
 * CMake says so. */
static void without_static_libraries(void **state)
{
    (void)state;
    static const struct {
        const char *refuses, *says;
    } cases[] = {
        { "*-static*", "caec: there is no static C library, so the programs are linked to shared "
                       "libraries" },
        { "*-static*-fopenmp* | *-fopenmp*-static*", "has no static OpenMP library here, so the "
                                                     "programs are linked to shared libraries" },
        { "nothing", NULL },
    };
    char *folder = folder_new();
    Result written = run_caec(folder, "%s/tests/whole/other.lua -o .", project_folder());
    want_exit(&written, 0);
    result_free(&written);
    for (int i = 0; i < 3; i++) {
        char *make = text_of("printf '#!/bin/sh\\ncase \" $* \" in %%s) exit 1;; esac\\nexec cc "
                             "\"$@\"\\n' \"%s\" >cc.sh && chmod +x cc.sh && "
                             "cmake -S other -B b%d -G 'Unix Makefiles' "
                             "-DCMAKE_C_COMPILER=\"$PWD/cc.sh\" 2>&1",
                             cases[i].refuses, i);
        Result result = script(folder, make);
        want_exit(&result, 0);
        char *path = text_of("%s/b%d/CMakeFiles/other-train.dir/link.txt", folder, i),
             *link = file_read(path, NULL);
        if (cases[i].says ? !strstr(result.out, cases[i].says) || strstr(link, "-static")
                          : !strstr(link, "-static"))
            fail_msg("%s\n%s", result.out, link);
        free(path), free(link), free(make);
        result_free(&result);
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_output),
        cmocka_unit_test(closed_handles),
        cmocka_unit_test(without_static_libraries),
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
