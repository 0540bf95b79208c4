/* A trainer that saves after every update is killed at random moments, as often as the
   environment's FORCE_KILLS says (20), at moments drawn from its FORCE_SEED (1); each time it goes
   on from what it left, and ends with the bits of a run that nobody disturbed. */
#define _GNU_SOURCE /* memmem */
#include "force.h"
#include "sanitized.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few pictures, six updates an epoch, so that most of the time goes into writing. */
#define PICTURES "--train train --val val --threads 2 --checkpoint-every 1 --mirror"
#define OPTIONS PICTURES " --epochs 4"
#define FIRST " --batch 4 --seed 7"

/* What ends a run, and the undisturbed run of that kind. */
typedef struct Kind {
    const char *whole, *options;
    const char *last_sheet;
    bool inside; /* an epoch: the last file then tells how long it has taken so far, which no two
                    runs have in common */
} Kind;

static const Kind kinds[] = {
    { "whole", OPTIONS, "samples/epoch_004.png", false },
    { "by_steps", PICTURES " --steps 18", "samples/epoch_003.png", false },
    { "cut_short", PICTURES " --steps 21", "samples/epoch_004.png", true },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static char *folder;
static double duration; /* of the first of them */

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "val", 8, 2);
    for (int i = KINDS - 1; i >= 0; i--) {
        double begin = now();
        Result result = run(folder, OTHER_TRAIN " --out %s %s" FIRST, kinds[i].whole,
                            kinds[i].options);
        want_exit(&result, 0);
        result_free(&result);
        duration = now() - begin;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static Result script_in_folder(const char *text)
{
    return run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
}

static char *bytes_in(const char *path, size_t *length)
{
    char *whole = text_of("%s/%s", folder, path), *bytes = file_read(whole, length);
    free(whole);
    return bytes;
}

/* Whether the file's bytes hold the text. */
static bool holds(const char *path, const char *text)
{
    size_t length;
    char *bytes = bytes_in(path, &length);
    bool found = memmem(bytes, length, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

/* What lies after the header of a safetensors file, whose length is in its first bytes. */
static bool same_tensors(const char *a, const char *b)
{
    size_t length_a, length_b;
    char *bytes_a = bytes_in(a, &length_a), *bytes_b = bytes_in(b, &length_b);
    uint64_t header_a, header_b;
    memcpy(&header_a, bytes_a, sizeof header_a);
    memcpy(&header_b, bytes_b, sizeof header_b);
    size_t count = length_a - 8 - (size_t)header_a;
    bool same = count > 0 && count == length_b - 8 - (size_t)header_b
                && memcmp(bytes_a + length_a - count, bytes_b + length_b - count, count) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
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

static pid_t go_on(const char *out, const Kind *kind)
{
    char *last = text_of("%s/last.safetensors", out);
    bool begun = is_in(folder, last);
    free(last);
    return start(folder, OTHER_TRAIN " --out %s %s%s", out, kind->options,
                 begun ? " --resume" : FIRST);
}

static void want_the_same_end(const char *out, const Kind *kind)
{
    const char *const files[] = { "best.safetensors", "loss.svg", "samples/epoch_001.png",
                                  kind->last_sheet, kind->inside ? NULL : "last.safetensors" };
    for (size_t i = 0; i < sizeof files / sizeof files[0] && files[i]; i++) {
        char *ours = text_of("%s/%s", out, files[i]),
             *whole = text_of("%s/%s", kind->whole, files[i]);
        if (!same_in(folder, ours, whole))
            fail_msg("%s has other bytes than the undisturbed run's", ours);
        free(ours);
        free(whole);
    }
    char *ours = text_of("%s/last.safetensors", out),
         *whole = text_of("%s/last.safetensors", kind->whole);
    assert_true(same_tensors(ours, whole));
    free(ours);
    free(whole);
    assert_false(in_a_write(out));
}

static void killed_at_random_moments(const Kind *kind, int wanted)
{
    int kills = 0, writes = 0, ends = 0;
    char *out = text_of("%s%d", kind->whole, ends);
    assert_true(wanted > 0);
    while (kills < wanted || ends == 0) {
        int signal = 0;
        pid_t child = go_on(out, kind);
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
        want_the_same_end(out, kind);
        free(out);
        out = text_of("%s%d", kind->whole, ++ends);
    }
    free(out);
    printf("%s: %d kills, %d of them inside a write; %d runs came to their end with the bits of an "
           "undisturbed one\n",
           kind->whole, kills, writes, ends);
    assert_true(kills < 200 || writes > 0);
}

static int number_of_environment(const char *name, int left_out)
{
    const char *text = getenv(name);
    return text ? atoi(text) : left_out;
}

static int kills_wanted(void)
{
    return number_of_environment("FORCE_KILLS", 20);
}

static void killed_in_a_run_of_epochs(void **state)
{
    (void)state;
    killed_at_random_moments(&kinds[0], kills_wanted());
}

static void killed_in_a_run_of_updates(void **state)
{
    (void)state;
    killed_at_random_moments(&kinds[1], (kills_wanted() + 1) / 2);
    killed_at_random_moments(&kinds[2], (kills_wanted() + 1) / 2);
}

/* SIGKILL and SIGTERM as soon as the last update is saved, while validation or what follows it is
   at work. */
static void ended_behind_the_last_update(void **state)
{
    (void)state;
    int unfinished = 0;
    pictures_write(folder, "many", 300, 3);
    Result result = script_in_folder(
        "exec " OTHER_TRAIN " --out patient --train train --val many --threads 1 --steps 9" FIRST);
    want_exit(&result, 0);
    result_free(&result);
    const int runs = SANITIZED ? 2 : 6;
    for (int i = 0; i < runs; i++) {
        char *out = text_of("hasty%d", i), *last = text_of("%s/last.safetensors", out),
             *best = text_of("%s/best.safetensors", out);
        char *sheet = text_of("%s/samples/epoch_002.png", out),
             *curve = text_of("%s/loss.svg", out);
        pid_t child = start(
            folder,
            OTHER_TRAIN
            " --out %s --train train --val many --threads 1 --checkpoint-every 1 --steps 9" FIRST,
            out);
        for (double end = now() + WAIT_SECONDS;
             now() < end && !(is_in(folder, last) && holds(last, "\"caec.step\":\"9\""));
             wait_seconds(0.001))
            ;
        kill(child, i % 2 ? SIGKILL : SIGTERM);
        finish(child, NULL);
        unfinished += !is_in(folder, sheet);
        result = run(folder, OTHER_TRAIN " --out %s --train train --val many --resume", out);
        want_exit(&result, 0);
        result_free(&result);
        assert_true(same_in(folder, best, "patient/best.safetensors")
                    && same_in(folder, sheet, "patient/samples/epoch_002.png"));
        assert_true(same_in(folder, curve, "patient/loss.svg")
                    && same_tensors(last, "patient/last.safetensors"));
        free(out), free(last), free(best), free(sheet), free(curve);
    }
    printf("%d of %d runs were ended between their last update and their results\n", unfinished,
           runs);
    assert_true(unfinished > 0);
}

/* Begins a run and sends it the signal after its first epoch; once more where all of the run was
   quicker than that. */
static void want_stopped(const char *program, const char *out, int number)
{
    char *sheet = text_of("%s/samples/epoch_001.png", out), *again = text_of("rm -rf %s", out);
    int code = 0;
    for (int tries = 0; code == 0 && tries < 20; tries++) {
        Result result = script_in_folder(again);
        want_exit(&result, 0);
        result_free(&result);
        pid_t child = start(folder, "%s --out %s " OPTIONS FIRST, program, out);
        wait_for(folder, sheet);
        kill(child, number);
        code = finish(child, NULL);
    }
    assert_int_equal(code, 128 + number);
    free(sheet);
    free(again);
}

/* SIGINT, SIGTERM and SIGHUP end the step, save, and say how to go on. */
static void asked_to_stop(void **state)
{
    (void)state;
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    static const char *const called[] = { OTHER_TRAIN, "./link", "'./a man'\\''s link'" };
    Result result = script_in_folder("ln -s " OTHER_TRAIN " link && ln -s " OTHER_TRAIN
                                     " \"a man's link\"");
    want_exit(&result, 0);
    result_free(&result);
    for (int i = 0; i < 3; i++) {
        char *out = text_of("asked%d", i);
        want_stopped(called[i], out, numbers[i]);
        char *words = said(folder), *command = strstr(words, "to go on: "),
             *stopping = strstr(words, "other-train: stopping after this step, then saving; ");
        assert_true(stopping && command && stopping < command);
        command += strlen("to go on: ");
        command[strcspn(command, "\n")] = '\0';
        assert_int_equal(strncmp(command, called[i], strlen(called[i])), 0);
        assert_int_equal(
            strncmp(command + strlen(called[i]), " --train train --val val --out asked", 36), 0);
        pid_t child = start(folder, "%s", command); /* what it says works */
        assert_int_equal(finish(child, NULL), 0);
        want_the_same_end(out, &kinds[0]);
        free(words);
        free(out);
    }
}

/* A run in the same folder is refused while the first is there, and leaves that one alone; a killed
   one holds nothing. */
static void one_run_a_folder(void **state)
{
    (void)state;
    pid_t child = start(folder, OTHER_TRAIN " --train train --out busy --epochs 100000" FIRST);
    wait_for(folder, "busy/samples/epoch_001.png");
    static const char *const options[] = { "", " --resume" };
    for (int i = 0; i < 2; i++) {
        Result result = run(folder, OTHER_TRAIN " --train train --out busy --epochs 1%s",
                            options[i]);
        char *pid = text_of("busy: another run is at work in this folder, process %ld",
                            (long)child);
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
    Result result = script_in_folder(
        "mkdir -p linked && echo mine >victim && ln -s ../victim linked/.lock");
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

/* Files of a folder from elsewhere that would be waited for. */
static void pipes_in_the_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "last.safetensors", "best.safetensors", "history.csv",
                                         "loss.svg" };
    Result result = run(folder, OTHER_TRAIN " --train train --out piped --steps 1");
    want_exit(&result, 0);
    result_free(&result);
    for (int i = 0; i < 4; i++) {
        char *script = text_of("cd piped && mv %s kept && mkfifo %s", names[i], names[i]),
             *back = text_of("cd piped && mv kept %s", names[i]);
        result = script_in_folder(script);
        want_exit(&result, 0);
        result_free(&result);
        result = script_in_folder("exec timeout 100 " OTHER_TRAIN
                                  " --train train --out piped --resume --steps 2");
        want_refusal(&result, 3, names[i]);
        assert_non_null(strstr(result.err, "no plain file"));
        result_free(&result);
        result = script_in_folder(back);
        want_exit(&result, 0);
        result_free(&result);
        free(script);
        free(back);
    }
    /* Elsewhere a pipe is as good as a file. */
    result = script_in_folder(
        "mkfifo weights && { cat piped/best.safetensors >weights & } && exec timeout "
        "100 " OTHER_TRAIN " --train train --out fed --init weights --steps 2");
    want_exit(&result, 0);
    result_free(&result);
}

/* A reader of the output that goes is no reason to lose the training: it goes on, says so, and ends
   with 3; after a signal as always. The first begins when the reader has gone: what it says would
   fit into the pipe. */
static void a_reader_that_goes(void **state)
{
    (void)state;
    Result result = script_in_folder(
        "{ until [ -e gone ]; do sleep 0.01; done; " OTHER_TRAIN " --out deserted " OPTIONS FIRST
        "; echo $? >code; } | { exec <&-; : >gone; }; test $(cat code) = 3");
    want_exit(&result, 0);
    assert_non_null(
        strstr(result.err, "warning: the output cannot be written any more; training goes on"));
    assert_non_null(strstr(result.err, "other-train: the output cannot be written\n"));
    assert_int_equal(count_lines(result.err), 2);
    result_free(&result);
    want_the_same_end("deserted", &kinds[0]);
    result = script_in_folder(
        "{ " OTHER_TRAIN
        " --out left --train train --epochs 1000000 & echo $! >pid; wait $!; echo $? >code; } | "
        "head -n 1 >/dev/null & "
        "until [ -e left/samples/epoch_002.png ]; do sleep 0.01; done; kill -INT $(cat pid); wait; "
        "test $(cat code) = 130");
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder, OTHER_TRAIN " --out left --train train --epochs 1 --resume");
    want_exit(&result, 0);
    assert_non_null(strstr(result.out, "is finished"));
    result_free(&result);
}

static void a_full_standard_output(void **state)
{
    (void)state;
    Result result = script_in_folder("exec " OTHER_TRAIN
                                     " --train train --out unheard --steps 1 >/dev/full");
    assert_int_equal(result.exit_code, 3);
    assert_non_null(strstr(result.err, "the output cannot be written"));
    assert_true(is_in(folder, "unheard/last.safetensors"));
    result_free(&result);
}

int main(void)
{
    int seed = number_of_environment("FORCE_SEED", 1);
    printf("moments of seed %d\n", seed);
    srand((unsigned)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_in_a_run_of_epochs),
        cmocka_unit_test(killed_in_a_run_of_updates),
        cmocka_unit_test(ended_behind_the_last_update),
        cmocka_unit_test(asked_to_stop),
        cmocka_unit_test(one_run_a_folder),
        cmocka_unit_test(a_lock_that_is_a_link),
        cmocka_unit_test(pipes_in_the_folder),
        cmocka_unit_test(a_reader_that_goes),
        cmocka_unit_test(a_full_standard_output),
    };
    return cmocka_run_group_tests_name("force kill", tests, set_up, tear_down);
}
