/* Measured times in the place of the cost model: --tune measures them, --tuned chooses by them. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char graph[] =
    "return autoencoder \"net\" {\n  input = { 12, 24, 3 },\n"
    "  encoder = sequential \"e\" { conv2d { filters = 16, kernel = 3 }, conv2d { filters = 16, "
    "kernel = 3 } },\n"
    "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3 }, batch_norm {} },\n}\n";
#define TITLE "# caec --tune: target x86-64-v3 real float\n"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    char *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    free(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static Result planned_by(const char *times, const char *words)
{
    char *path = text_of("%s/times.txt", folder);
    file_write(path, times, strlen(times));
    Result result = run_caec(folder, "net.lua --tuned times.txt --dump plan --stop-after plan %s",
                             words);
    free(path);
    return result;
}

/* Steps and, below each, what their kernels would cost. */
static void want_plan(const char *times, const char *const *wanted, const char *absent)
{
    Result result = planned_by(times, "--target x86-64-v3");
    want_exit(&result, 0);
    for (; *wanted; wanted++)
        if (!strstr(result.out, *wanted))
            fail_msg("no \"%s\" in the plan:\n%s", *wanted, result.out);
    if (strstr(result.out, absent))
        fail_msg("\"%s\" in the plan:\n%s", absent, result.out);
    result_free(&result);
}

/* A kernel that was measured comes before all that were not; a time of dX and dW together counts
   half for each. */
static void times_decide(void **state)
{
    (void)state;
    want_plan(
        TITLE
        "\n \t\r\n# a remark\ne.conv2 forward conv_plain 0.5\n"
        "e.conv2 dX+dW conv_direct 10\ne.conv2 dX conv_winograd 6\ne.conv2 dW conv_winograd 4.5\n",
        (const char *const[]){ "e_conv2_forward                  conv_plain   forward",
                               "conv_winograd 2.44e+04, conv_plain 0.5 us",
                               "e_conv1_forward                  conv_thin    forward",
                               "e_conv2_dx                       conv_direct  dX ",
                               "e_conv2_dw                       conv_winograd dW ",
                               "cost: conv_direct 5.0 us, conv_winograd 6.0 us, conv_plain",
                               "cost: conv_direct 5.0 us, conv_winograd 4.5 us, conv_plain", NULL },
        "e_conv2_backward                 conv_winograd dX+dW");
    want_plan(TITLE "e.conv2 dX+dW conv_direct 14\ne.conv2 dX+dW conv_winograd 12",
              (const char *const[]){ "e_conv2_backward                 conv_winograd dX+dW",
                                     "cost: conv_direct 7.0 us, conv_winograd 6.0 us", NULL },
              "e_conv2_dx ");
    want_plan(
        TITLE,
        (const char *const[]){ "e_conv2_forward                  conv_winograd forward", NULL },
        " us");
}

static void want_refusal(const char *times, const char *words, int code, const char *said)
{
    Result result = planned_by(times, words);
    want_exit(&result, code);
    if (!strstr(result.err, said))
        fail_msg("no \"%s\" in: %s", said, result.err);
    result_free(&result);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    static const char *const titles[] = { "", "e.conv2 forward conv_plain 1\n",
                                          "# caec --tune: target x86-64-v3\n",
                                          "# caec --tune: real float target c\n" };
    static const char *const rows[] = {
        "e.conv2 forward conv_plain",      "e.conv2 forward conv_plain 0",
        "e.conv2 forward conv_plain -3",   "e.conv2 forward conv_plain nan",
        "e.conv2 forward conv_plain 5 us", "e.conv2 forward 5 conv_plain"
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        want_refusal(
            titles[i], "--target x86-64-v3", 1,
            "times.txt:1: error: this is no file of measured times; make one with caec GRAPH.lua "
            "--tune FILE");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *times = text_of(TITLE "# stage\n%s\ne.conv2 forward conv_plain 1\n", rows[i]);
        want_refusal(
            times, "--target x86-64-v3", 1,
            "times.txt:3: error: a line of measured times is: layer direction kernel microseconds");
        free(times);
    }
    want_refusal(
        TITLE, "--target x86-64-v2", 1,
        "the times are of x86-64-v3, float, but this is for x86-64-v2, float; measure again with "
        "--tune");
    want_refusal(TITLE, "--target x86-64-v3 --real double", 1, "this is for x86-64-v3, double");
    Result result = run_caec(folder, "net.lua --tuned nowhere.txt --dump plan");
    want_exit(&result, 3);
    assert_non_null(strstr(result.err, "nowhere.txt"));
    result_free(&result);
}

/* Every fast kernel of a convolution is built and run on this machine; what comes out is read
   back. */
static void measured_and_read(void **state)
{
    (void)state;
    Result result = run_caec(folder, "net.lua --tune measured.txt");
    want_exit(&result, 0);
    result_free(&result);
    char *path = text_of("%s/measured.txt", folder), *times = file_read(path, NULL);
    static const char *const stages[] = { "\ne.conv1 ", "\ne.conv2 ", "\nd.conv1 " };
    static const char *const kernels[] = { " conv_direct ", " conv_thin ", " conv_winograd " };
    assert_int_equal(strncmp(times, "# caec --tune: target ", 22), 0);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(times, stages[i]));
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(times, kernels[i]));
    result = run_caec(folder, "net.lua --tuned measured.txt --dump plan --stop-after plan");
    want_exit(&result, 0);
    assert_non_null(strstr(result.out, " us"));
    result_free(&result);
    free(times);
    free(path);
}

/* The environment's variable, and back to what it was. */
static char *change(const char *name, const char *value)
{
    char *old = getenv(name) ? text_of("%s", getenv(name)) : NULL;
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
    return old;
}

/* --tune with that compiler, its temporary folders in an empty one, which is empty again after
   it. */
static Result tuned_with(const char *cc, const char *graph_file)
{
    char *place = text_of("%s/tmp", folder);
    assert_int_equal(mkdir(place, 0777), 0);
    char *old_cc = change("CC", cc), *old_place = change("TMPDIR", place);
    Result result = run_caec(folder, "%s --tune measured.txt", graph_file);
    free(change("TMPDIR", old_place));
    free(change("CC", old_cc));
    free(old_place);
    free(old_cc);
    if (rmdir(place) != 0)
        fail_msg("--tune left something in %s", place);
    free(place);
    return result;
}

static void no_compiler_is_told(void **state)
{
    (void)state;
    Result result = tuned_with("/nowhere/cc", "net.lua");
    want_exit(&result, 3);
    assert_non_null(
        strstr(result.err, "--tune: the C compiler /nowhere/cc failed (set CC to name another)"));
    assert_non_null(strstr(result.err, "caec: measuring conv_direct, kernel 1 of "));
    result_free(&result);
}

static void a_script(const char *name, const char *text)
{
    char *path = text_of("%s/%s", folder, name);
    file_write(path, text, strlen(text));
    assert_int_equal(chmod(path, 0755), 0);
    free(path);
}

/* The compiler's parent is the shell, whose parent is caec: both end, caec as the signal says. */
static void a_signal_leaves_nothing(void **state)
{
    (void)state;
    a_script("cc", "#!/bin/sh\nkill -TERM $(awk '{ print $4 }' /proc/$PPID/stat)\nsleep 20\n");
    char *cc = text_of("%s/cc", folder);
    Result result = tuned_with(cc, "net.lua");
    assert_int_equal(result.exit_code, 128 + SIGTERM);
    result_free(&result);
    free(cc);
}

/* Of 32 layers that do the same, each kernel is compiled for one of each kind: the sources of each
   call are few, and the calls as many as kernels. */
static void equal_layers_are_timed_once(void **state)
{
    (void)state;
    static const char layers[] =
        "local e, d = {}, {}\nfor i = 1, 16 do e[i] = conv2d { filters = 8, kernel = 3 } end\n"
        "for i = 1, 15 do d[i] = conv2d { filters = 8, kernel = 3 } end\nd[16] = conv2d { filters "
        "= 3, kernel = 3 }\n"
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" (e), decoder "
        "= sequential \"d\" (d) }\n";
    char *path = text_of("%s/layers.lua", folder), *calls = text_of("%s/calls", folder),
         *cc = text_of("%s/cc", folder);
    char *script = text_of("#!/bin/sh\nls *.c | wc -l >>%s\nexec cc -O0 \"$@\"\n", calls);
    file_write(path, layers, strlen(layers));
    a_script("cc", script);
    Result result = tuned_with(cc, "layers.lua");
    want_exit(&result, 0);
    assert_null(strchr(result.err, '\r'));
    assert_non_null(strstr(result.err, " s left\n"));
    char *counts = file_read(calls, NULL), *rest = NULL;
    int count = 0;
    for (char *line = strtok_r(counts, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest), count++)
        assert_in_range(atoi(line), 5, 40);
    assert_in_range(count, 2, 8);
    result_free(&result);
    free(counts);
    free(script);
    free(cc);
    free(calls);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(times_decide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(measured_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_compiler_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_layers_are_timed_once, set_up, tear_down)
    };
    return cmocka_run_group_tests_name("tuned", tests, NULL, NULL);
}
