/* A trainer that saves after every update is killed at random moments, as often as the environment's FORCE_KILLS says; each time it goes on from what it
   left, and ends with the bits of a run that nobody disturbed. */
#define _XOPEN_SOURCE 700
#include "force.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few pictures, so that most of the time goes into writing. */
#define OPTIONS "--train train --val val --epochs 4 --threads 2 --checkpoint-every 1 --mirror"
#define FIRST " --batch 4 --seed 7"

static char *folder;
static double duration;         /* of the undisturbed run */

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "val", 8, 2);
    double begin = now();
    Result result = run(folder, OTHER_TRAIN " --out whole " OPTIONS FIRST);
    want_exit(&result, 0);
    result_free(&result);
    duration = now() - begin;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static bool in_a_write(const char *out)
{
    bool found = false;
    char *path = text_of("%s/%s", folder, out);
    DIR *list = opendir(path);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        found = found || strncmp(entry->d_name, ".caec-", 6) == 0;
    if (list)
        closedir(list);
    free(path);
    return found;
}

static pid_t go_on(const char *out)
{
    char *last = text_of("%s/last.safetensors", out);
    bool begun = is_in(folder, last);
    free(last);
    return start(folder, OTHER_TRAIN " --out %s " OPTIONS "%s", out, begun ? " --resume" : FIRST);
}

static void want_the_same_end(const char *out)
{
    static const char *const files[] = { "last.safetensors", "best.safetensors", "samples/epoch_001.png", "samples/epoch_004.png" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *ours = text_of("%s/%s", out, files[i]), *whole = text_of("whole/%s", files[i]);
        if (!same_in(folder, ours, whole))
            fail_msg("%s has other bytes than the undisturbed run's", ours);
        free(ours);
        free(whole);
    }
    assert_false(in_a_write(out));
}

static void killed_at_random_moments(void **state)
{
    (void)state;
    const char *text = getenv("FORCE_KILLS");
    int wanted = text ? atoi(text) : 20, kills = 0, writes = 0, ends = 0;
    char *out = text_of("run%d", ends);
    assert_true(wanted > 0);
    srand(1);
    while (kills < wanted || ends == 0) {
        int signal = 0;
        pid_t child = go_on(out);
        if (kills < wanted) {
            wait_seconds(duration * rand() / RAND_MAX);
            kill(child, SIGKILL);
        }
        int code = finish(child, &signal);
        if (signal == SIGKILL) {
            kills++;
            writes += in_a_write(out);
            continue;
        }
        if (code != 0) {
            char *words = said(folder);
            fail_msg("after %d kills: exit code %d, signal %d: %.500s", kills, code, signal, words);
        }
        want_the_same_end(out);
        free(out);
        out = text_of("run%d", ++ends);
    }
    free(out);
    printf("%d kills, %d of them inside a write; %d runs came to their end with the bits of an undisturbed one\n", kills, writes, ends);
    assert_true(kills < 200 || writes > 0);
}

/* SIGINT, SIGTERM and SIGHUP end the step, save, and say how to go on. */
static void asked_to_stop(void **state)
{
    (void)state;
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    for (int i = 0; i < 3; i++) {
        char *out = text_of("asked%d", i), *last = text_of("%s/samples/epoch_001.png", out);
        pid_t child = start(folder, OTHER_TRAIN " --out %s " OPTIONS FIRST, out);
        wait_for(folder, last);
        kill(child, numbers[i]);
        assert_int_equal(finish(child, NULL), 128 + numbers[i]);
        char *words = said(folder), *command = strstr(words, "to go on: ");
        assert_non_null(command);
        command += strlen("to go on: ");
        command[strcspn(command, "\n")] = '\0';
        assert_int_equal(strncmp(command, "other-train --train train --val val --out asked", 47), 0);
        child = start(folder, WHOLE_BIN "/%s", command);        /* what it says works */
        assert_int_equal(finish(child, NULL), 0);
        want_the_same_end(out);
        free(words);
        free(out);
        free(last);
    }
}

static Result script_in_folder(const char *text)
{
    return run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
}

/* A run in the same folder is refused while the first is there, and leaves that one alone; a killed one holds nothing. */
static void one_run_a_folder(void **state)
{
    (void)state;
    pid_t child = start(folder, OTHER_TRAIN " --train train --out busy --epochs 100000" FIRST);
    wait_for(folder, "busy/samples/epoch_001.png");
    static const char *const options[] = { "", " --resume" };
    for (int i = 0; i < 2; i++) {
        Result result = run(folder, OTHER_TRAIN " --train train --out busy --epochs 1%s", options[i]);
        char *pid = text_of("busy: another run is at work in this folder, process %ld", (long)child);
        want_refusal(&result, 3, pid);
        result_free(&result);
        free(pid);
    }
    assert_false(is_in(folder, "busy.1"));
    kill(child, SIGKILL);
    finish(child, NULL);
    assert_true(is_in(folder, "busy/.lock"));
    Result result = run(folder, OTHER_TRAIN " --train train --out busy --resume --steps 1");
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder, OTHER_TRAIN " --train train --out busy --steps 1");
    want_exit(&result, 0);
    result_free(&result);
    assert_true(is_in(folder, "busy.1/samples/epoch_001.png"));
    assert_false(is_in(folder, "busy.1/.lock") || is_in(folder, "busy/.lock"));
}

/* The lock of a folder from elsewhere may be a link to a file of ours. */
static void a_lock_that_is_a_link(void **state)
{
    (void)state;
    Result result = script_in_folder("mkdir -p linked && echo mine >victim && ln -s ../victim linked/.lock");
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder, OTHER_TRAIN " --train train --out linked --steps 1");
    want_refusal(&result, 3, "linked/.lock");
    result_free(&result);
    char *path = text_of("%s/victim", folder), *text = file_read(path, NULL);
    assert_string_equal(text, "mine\n");
    free(text);
    free(path);
}

static void a_full_standard_output(void **state)
{
    (void)state;
    Result result = script_in_folder("exec " OTHER_TRAIN " --train train --out unheard --steps 1 >/dev/full");
    assert_int_equal(result.exit_code, 3);
    assert_non_null(strstr(result.err, "the output cannot be written"));
    assert_true(is_in(folder, "unheard/last.safetensors"));
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_random_moments),
        cmocka_unit_test(asked_to_stop),
        cmocka_unit_test(one_run_a_folder),
        cmocka_unit_test(a_lock_that_is_a_link),
        cmocka_unit_test(a_full_standard_output),
    };
    return cmocka_run_group_tests_name("force kill", tests, set_up, tear_down);
}
