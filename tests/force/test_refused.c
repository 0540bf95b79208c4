/* What the system can refuse a trainer: room on the disk, a folder to write in, before the run and
   in the middle of it, file handles, memory. It says so in one line and ends with 1 or 3; what it
   saved before goes on, with the bits of an undisturbed run. */
#define _XOPEN_SOURCE 700
#include "force.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "--train train --val val --epochs 4 --threads 2 --checkpoint-every 1"
#define FIRST " --batch 4 --seed 7"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    assert_int_equal(chmod(folder, 0777), 0); /* for a user who is not root */
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "val", 8, 2);
    Result result = run(folder, OTHER_TRAIN " --out whole " OPTIONS FIRST);
    want_exit(&result, 0);
    result_free(&result);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Runs a shell's script in the folder. */
static Result script(const char *format, ...) __attribute__((format(printf, 1, 2)));

static Result script(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
    free(text);
    return result;
}

static bool works(const char *command)
{
    Result result = script("%s", command);
    bool good = result.exit_code == 0;
    result_free(&result);
    return good;
}

/* One line on stderr that names the reason. */
static void want_reason(const Result *result, const char *reason)
{
    if ((result->exit_code != 1 && result->exit_code != 3) || count_lines(result->err) != 1
        || !strstr(result->err, reason))
        fail_msg("exit code %d, signal %d: \"%s\" is not one line that says \"%s\"",
                 result->exit_code, result->signal, result->err, reason);
}

static void want_end(const char *out)
{
    want_good_end(folder, out, OPTIONS);
}

/* A disk of 48 KiB; the checkpoint is there, and the next has no room beside it as soon as the rest
   has grown. */
static void no_room_on_the_disk(void **state)
{
    (void)state;
    if (!works("mkdir -p disk && unshare -rm sh -c 'mount -t tmpfs -o size=32k none disk'"))
        skip();
    Result result = script("unshare -rm sh -c 'mount -t tmpfs -o size=48k none disk && " OTHER_TRAIN
                           " --out disk/run " OPTIONS FIRST
                           "; code=$?; cp -r disk/run kept; exit $code'");
    want_reason(&result, "No space left on device");
    assert_non_null(strstr(result.err, "last.safetensors still holds step "));
    assert_non_null(strstr(result.err, "--resume"));
    result_free(&result);
    want_end("kept");
}

/* Where nothing can be mounted: files may not grow past a limit. */
static void files_that_may_not_grow(void **state)
{
    (void)state;
    Result result = script("ulimit -f 4 && exec " OTHER_TRAIN " --out small " OPTIONS FIRST);
    want_reason(&result, "File too large");
    assert_false(is_in(folder, "small/last.safetensors"));
    result_free(&result);
    result = script(OTHER_TRAIN " --out grown " OPTIONS FIRST
                                " --steps 5 >/dev/null && ulimit -f 4 && exec " OTHER_TRAIN
                                " --resume --out grown " OPTIONS);
    want_reason(&result, "File too large");
    assert_non_null(strstr(result.err, "still holds step 5"));
    result_free(&result);
    want_end("grown");
}

/* Root may write everywhere: then as somebody else. */
static const char *as_user(void)
{
    if (geteuid() != 0)
        return "";
    return works("setpriv --reuid=65534 --regid=65534 --clear-groups true")
               ? "setpriv --reuid=65534 --regid=65534 --clear-groups "
               : NULL;
}

static void folders_that_are_read_only(void **state)
{
    (void)state;
    if (works("mkdir -p mounted && unshare -rm sh -c 'mount --bind mounted mounted && mount -o "
              "remount,bind,ro mounted'")) {
        Result result = script(
            "unshare -rm sh -c 'mount --bind mounted mounted && mount -o remount,bind,ro mounted "
            "&& exec " OTHER_TRAIN " --out mounted/run " OPTIONS FIRST "'");
        want_reason(&result, "Read-only file system");
        result_free(&result);
    }
    const char *user = as_user();
    if (!user)
        skip();
    Result result = script(
        "mkdir -m 555 closed && exec %s" OTHER_TRAIN " --out closed/run " OPTIONS FIRST, user);
    want_reason(&result, "Permission denied");
    assert_non_null(strstr(result.err, "give an --out where you may write"));
    result_free(&result);
    result = script("exec %s" OTHER_TRAIN " --out closed " OPTIONS FIRST, user);
    want_reason(&result, "Permission denied");
    result_free(&result);
}

/* The right to write goes while the run is under way. */
static void a_right_that_is_lost(void **state)
{
    (void)state;
    const char *user = as_user();
    if (!user)
        skip();
    pid_t child = start(folder, "%s" OTHER_TRAIN " --out lost " OPTIONS FIRST " --epochs 100000",
                        user);
    wait_for(folder, "lost/samples/epoch_001.png");
    char *path = text_of("%s/lost", folder);
    assert_int_equal(chmod(path, 0555), 0);
    int code = finish(child, NULL);
    assert_int_equal(chmod(path, 0777), 0);
    free(path);
    char *words = said(folder);
    if (code != 3 || !strstr(words, "Permission denied") || !strstr(words, "still holds step"))
        fail_msg("exit code %d: %s", code, words);
    free(words);
    Result result = script("exec %s" OTHER_TRAIN " --resume --out lost " OPTIONS
                           " --epochs 1000000 --steps 100000 & child=$!; sleep 0.3; kill $child; "
                           "wait $child",
                           user);
    assert_int_equal(result.exit_code, 143);
    result_free(&result);
}

/* From none to enough of them: each time either a line that says what is missing, or a good run. */
static void few_file_handles(void **state)
{
    (void)state;
    int refused = 0, good = 0;
    for (int handles = 4; handles <= 12; handles++) {
        Result result = script("ulimit -n %d && exec " OTHER_TRAIN " --out few%d " OPTIONS FIRST,
                               handles, handles);
        /* else the system could not load it, shared libraries and all */
        bool started = result.exit_code != 126 && result.exit_code != 127;
        if (started && result.exit_code == 0) {
            good++;
        } else if (started) {
            refused++;
            want_reason(&result, "Too many open files");
        }
        char *out = text_of("few%d", handles), *last = text_of("%s/last.safetensors", out);
        if (is_in(folder, last))
            want_end(out);
        free(out);
        free(last);
        result_free(&result);
    }
    assert_true(refused > 0 && good > 0);
}

/* Less and less address space: the same. Sanitizers lay claim to terabytes of it. */
static void little_memory(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#else
    int refused = 0, good = 0;
    for (int megabytes = 2; megabytes <= 512; megabytes += megabytes / 4 + 1) {
        Result result = script("ulimit -v %d && exec " OTHER_TRAIN " --out little%d " OPTIONS FIRST
                               " --cache-memory 1M",
                               megabytes << 10, megabytes);
        /* else the system could not load it */
        bool started = result.exit_code >= 0 && result.exit_code != 126 && result.exit_code != 127;
        if (started && result.exit_code == 0)
            good++;
        if (started && result.exit_code != 0) {
            refused++;
            assert_true(result.exit_code == 1 || result.exit_code == 3);
            assert_true(result.err_length > 0);
        }
        char *out = text_of("little%d", megabytes), *last = text_of("%s/last.safetensors", out);
        if (is_in(folder, last))
            want_end(out);
        free(out);
        free(last);
        result_free(&result);
    }
    printf("little memory: %d runs refused, %d good\n", refused, good);
    assert_true(good > 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_room_on_the_disk),        cmocka_unit_test(files_that_may_not_grow),
        cmocka_unit_test(folders_that_are_read_only), cmocka_unit_test(a_right_that_is_lost),
        cmocka_unit_test(few_file_handles),           cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests_name("force refused", tests, set_up, tear_down);
}
