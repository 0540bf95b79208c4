/* Whole runs of the small model on built-in pictures: what they leave behind, and that one in two
   parts ends as one in one. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_run_leaves_its_files(void **state)
{
    (void)state;
    char epochs[64];
    int val;
    TrainOptions o = options_for(out_a);
    o.epochs = 3;
    run_or_fail(o);
    assert_non_null(strstr(said, "built-in"));
    assert_non_null(strstr(said, "Epoch 3/3 - 16/16"));
    assert_non_null(strstr(said, "val_loss: "));
    assert_true(is_there(out_a, "last.safetensors") && is_there(out_a, "best.safetensors")
                && is_there(out_a, "loss.svg"));
    assert_true(is_there(out_a, "samples/epoch_001.png")
                && is_there(out_a, "samples/epoch_003.png"));
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 ");
    assert_true(val);
}

/* Stopped inside the first epoch, at the end of the second, and on other numbers of threads. Needs
   the run before. */
static void a_stopped_run_ends_as_an_undisturbed_one(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 3, 2 };
    static const uint64_t ends[] = { 5, 20, 32 };
    char epochs[64];
    int val;
    for (int i = 0; i < 4; i++) {
        TrainOptions o = i ? resume_for(out_b) : options_for(out_b);
        o.threads = threads[i];
        if (i < 3)
            o.steps = ends[i];
        else
            o.epochs = 3;
        run_or_fail(o);
    }
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
    history_epochs(out_b, epochs, &val);
    assert_string_equal(epochs, "1 2 3 ");
}

static void a_finished_run_says_so(void **state)
{
    (void)state;
    run_or_fail(resume_for(out_a));
    assert_non_null(strstr(said, "finished"));
    TrainOptions o = resume_for(out_a);
    o.steps = 40;
    run_or_fail(o);
    assert_non_null(strstr(said, "finished"));
}

static void other_runs_are_not_resumed(void **state)
{
    (void)state;
    TrainOptions o = resume_for(out_a);
    o.seed = 2, o.seed_given = true;
    refused(o, EXIT_USAGE, "--seed");
    o = resume_for(out_a);
    o.batch = 32;
    refused(o, EXIT_USAGE, "--batch");
    o = resume_for(folder);
    refused(o, EXIT_FILE, "no run to resume");
    o = resume_for(out_a);
    o.train = folders_of(folder);
    o.epochs = 4;
    char path[PATH_SIZE];
    file_of(out_a, "samples", path);
    o.train = folders_of(path); /* a folder of PNG files, but others */
    refused(o, EXIT_INPUT, "other pictures");
}

static void training_goes_on_past_the_end_when_asked(void **state)
{
    (void)state;
    char epochs[64];
    int val;
    TrainOptions o = resume_for(out_a);
    o.epochs = 4;
    run_or_fail(o);
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 4 ");
}

static void an_older_run_is_moved_aside(void **state)
{
    (void)state;
    char with_slash[640] = "", moved[640];
    TrainOptions o = options_for(with_slash);
    snprintf(with_slash, sizeof with_slash, "%s/", out_a);
    o.steps = 1;
    for (int i = 1; i <= 2; i++) {
        run_or_fail(o);
        snprintf(moved, sizeof moved, "%s.%d", out_a, i);
        assert_true(is_there(moved, "last.safetensors"));
        assert_non_null(strstr(said, moved));
    }
    snprintf(moved, sizeof moved, "%s.1", out_a);
    assert_true(is_there(moved, "samples/epoch_004.png")); /* the whole older run */
    assert_false(is_there(out_a, "samples/epoch_002.png"));
}

static void without_val_best_goes_by_loss(void **state)
{
    (void)state;
    char path[PATH_SIZE], epochs[64];
    int val;
    TrainOptions o = options_for(out_b);
    snprintf(path, sizeof path, "%s.1/samples", out_a);
    o.train = folders_of(path); /* four sheets: fewer pictures than the batch */
    o.epochs = 2;
    run_or_fail(o);
    assert_non_null(strstr(said, "learning from 4 pictures"));
    history_epochs(out_b, epochs, &val);
    assert_string_equal(epochs, "1 2 ");
    assert_false(val);
    assert_true(is_there(out_b, "best.safetensors"));
}

static void init_takes_parameters_only(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    TrainOptions o = options_for(out_b);
    file_of(out_a, "last.safetensors", path);
    o.init = path;
    o.steps = 1;
    run_or_fail(o);
    assert_non_null(strstr(said, "1 updates"));
    o.init = said_path;
    refused(o, EXIT_INPUT, said_path);
    snprintf(path, sizeof path, "%s/nothing.safetensors", folder);
    o.init = path;
    refused(o, EXIT_FILE, "nothing.safetensors");
}

static void folders_that_cannot_be_made(void **state)
{
    (void)state;
    char path[PATH_SIZE] = "";
    TrainOptions o = options_for(path);
    snprintf(path, sizeof path, "%s/x", said_path);
    o.steps = 1;
    refused(o, EXIT_FILE, said_path);
    o.out = said_path;
    refused(o, EXIT_FILE, "in the way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_its_files),
        cmocka_unit_test(a_stopped_run_ends_as_an_undisturbed_one),
        cmocka_unit_test(a_finished_run_says_so),
        cmocka_unit_test(other_runs_are_not_resumed),
        cmocka_unit_test(training_goes_on_past_the_end_when_asked),
        cmocka_unit_test(an_older_run_is_moved_aside),
        cmocka_unit_test(without_val_best_goes_by_loss),
        cmocka_unit_test(init_takes_parameters_only),
        cmocka_unit_test(folders_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
