/* Whole runs of the small model on built-in pictures: what they leave behind, and that one which
   was stopped ends as one which was not. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include "train/checkpoint.h"
#include "weights/weights.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* Models that do as the small one, but for a mishap in the chunk or loss that is counted down
   to. */
static int countdown, mishap;

static void chunk_with_mishap(const void *prepared, const uint8_t *const *images,
                              const uint64_t *noise, int n, real *gradient, double *losses,
                              void *workspace, ModelClock *clock)
{
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
    if (--countdown == 0) {
        if (mishap)
            raise(mishap);
        else
            losses[0] = NAN;
    }
}

static double loss_with_mishap(const void *prepared, const uint8_t *image, void *workspace)
{
    if (--countdown == 0)
        raise(mishap);
    return caec_model.loss(prepared, image, workspace);
}

/* A run that a signal stops in its epoch, and in its validation, resumes to the end of an
   undisturbed one (out_a). */
static void stopped_by_a_signal(int number, int in_validation)
{
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b), undisturbed = options_for(out_a);
    undisturbed.epochs = o.epochs = 2;
    o.threads = 1;
    run_or_fail(undisturbed);
    if (in_validation)
        model.loss = loss_with_mishap;
    else
        model.backward_chunk = chunk_with_mishap;
    countdown = 100; /* of 128 chunks and 256 losses an epoch */
    mishap = number;
    assert_int_equal(run_model(&model, o, &error), 128 + number);
    assert_non_null(strstr(said, number == SIGINT ? "SIGINT" : "SIGTERM"));
    assert_non_null(strstr(said, "--resume"));
    assert_non_null(strstr(said, in_validation ? "after step 16" : "after step 13"));
    run_or_fail(resume_for(out_b));
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
}

static void sigint_in_an_epoch(void **state)
{
    (void)state;
    stopped_by_a_signal(SIGINT, 0);
}

static void sigterm_in_validation(void **state)
{
    (void)state;
    stopped_by_a_signal(SIGTERM, 1);
}

/* A model for little memory has no sums of chunks; what looks at pictures one by one takes the
   total's room. */
static void a_model_that_accumulates_in_place(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b);
    o.threads = 1;
    o.epochs = 2;
    model.accumulates_in_place = 1;
    if (run_model(&model, o, &error) != 0)
        fail_msg("%s", error.text);
    assert_true(is_there(out_b, "best.safetensors"));
    model.backward_chunk = chunk_with_mishap;
    countdown = 5;
    mishap = 0;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_non_null(strstr(error.text, "the loss is not a finite number at step 5"));
}

/* A run that ends by its updates, at the end of an epoch or inside it, and is stopped in the last
   of them, or in what follows it: what is missing comes with --resume, before the run counts as
   finished. */
static void stopped_before_its_end_is_written(uint64_t steps, int in_validation)
{
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b), undisturbed = options_for(out_a);
    char a[PATH_SIZE], b[PATH_SIZE], sheet[64];
    undisturbed.steps = o.steps = steps;
    o.threads = 1;
    o.checkpoint_updates = 1;
    run_or_fail(undisturbed);
    if (in_validation)
        model.loss = loss_with_mishap;
    else
        model.backward_chunk = chunk_with_mishap;
    countdown = in_validation ? (steps > 16 ? 256 : 0) + 100 : 8 * (int)steps - 3;
    mishap = SIGTERM;
    assert_int_equal(run_model(&model, o, &error), 128 + SIGTERM);
    snprintf(sheet, sizeof sheet, "samples/epoch_%03d.png", steps > 16 ? 2 : 1);
    assert_false(is_there(out_b, sheet));
    run_or_fail(resume_for(out_b));
    assert_null(strstr(said, "finished"));
    assert_same_file("best.safetensors");
    assert_same_file("loss.svg");
    assert_same_file(sheet);
    history_without_times(out_a, a);
    history_without_times(out_b, b);
    assert_string_equal(a, b);
    if (steps % 16 == 0)
        assert_same_file("last.safetensors"); /* inside an epoch it holds its seconds */
    run_or_fail(resume_for(out_b));
    assert_non_null(strstr(said, "finished"));
}

static void stopped_in_the_last_step(void **state)
{
    (void)state;
    static const uint64_t steps[] = { 5, 16, 20 };
    for (int i = 0; i < 3; i++) {
        stopped_before_its_end_is_written(steps[i], 0);
        stopped_before_its_end_is_written(steps[i], 1);
    }
}

static void want_file(const char *name, const char *bytes, size_t size)
{
    char path[PATH_SIZE];
    size_t now;
    file_of(out_b, name, path);
    char *text = read_file(path, &now);
    assert_int_equal(now, size);
    assert_memory_equal(text, bytes, size);
    free(text);
}

/* The end of a run inside an epoch may be its best so far. Once it goes on, whole epochs alone
   count again. */
static void the_best_of_an_epoch_cut_short(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    size_t size, partial_size;
    TrainOptions o = options_for(out_b);
    o.steps = 16;
    run_or_fail(o);
    file_of(out_b, "best.safetensors", path);
    char *best = read_file(path, &size);
    o = resume_for(out_b);
    o.steps = 20;
    run_or_fail(o);
    char *partial = read_file(path, &partial_size);
    assert_true(partial_size != size || memcmp(partial, best, size) != 0);
    want_file("best_epoch.safetensors", best, size);
    o = resume_for(out_b);
    o.epochs = 2;
    o.lr = 0.5; /* the whole epoch is worse than the first */
    run_or_fail(o);
    want_file("best.safetensors", best, size);
    assert_false(is_there(out_b, "best_epoch.safetensors"));
    free(best);
    free(partial);
}

static void reconstruct_with_mishap(const void *prepared, const uint8_t *image, real *output,
                                    void *workspace, ModelClock *clock)
{
    raise(SIGTERM);
    caec_model.reconstruct(prepared, image, output, workspace, clock);
}

/* A signal during the look at the first parameters, before there is anything to save: the program
   ends there. */
static void sigterm_before_the_first_step(void **state)
{
    (void)state;
    char out[700];
    int status;
    snprintf(out, sizeof out, "%s/early", folder);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Model model = caec_model;
        Error error = { 0 };
        TrainOptions o = options_for(out);
        o.threads = 1; /* OpenMP's threads stay behind in the parent */
        o.epochs = 1;
        model.reconstruct = reconstruct_with_mishap;
        /* not before it has trained */
        _exit(run_model(&model, o, &error) == 128 + SIGTERM ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    assert_false(is_there(out, "last.safetensors"));
}

static void chunk_with_two_signals(const void *prepared, const uint8_t *const *images,
                                   const uint64_t *noise, int n, real *gradient, double *losses,
                                   void *workspace, ModelClock *clock)
{
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGTERM);
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
}

/* A second signal of the kind, in the same step: the program ends there, as the first one's notice
   says. Another kind between them is no second one. */
static void two_signals(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    int status;
    size_t size;
    file_of(folder, "notice.txt", path);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Model model = caec_model;
        Error error = { 0 };
        TrainOptions o = options_for(out_b);
        o.threads = 1;
        o.epochs = 1;
        model.backward_chunk = chunk_with_two_signals;
        _exit(freopen(path, "w", stderr) ? run_model(&model, o, &error) : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    char *text = read_file(path, &size);
    assert_string_equal(
        text,
        "tiny-train: stopping after this step, then saving; one more SIGTERM ends it at once, and "
        "what is not saved is lost\n");
    free(text);
}

static void a_loss_that_is_no_number_stops_the_run(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b);
    o.threads = 1;
    o.epochs = 2;
    o.checkpoint_updates = 4;
    model.backward_chunk = chunk_with_mishap;
    countdown = 8 * 9 + 3; /* in the tenth update */
    mishap = 0;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "step 10"));
    assert_non_null(strstr(error.text, "still holds step 8"));
    assert_non_null(strstr(error.text, "--lr"));
    run_or_fail(resume_for(out_b)); /* what is left is good */
    assert_non_null(strstr(said, "resuming"));
    assert_non_null(strstr(said, "at step 8"));
    assert_same_file("last.safetensors"); /* as the undisturbed run of the test before */
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
        cmocka_unit_test(sigint_in_an_epoch),
        cmocka_unit_test(sigterm_in_validation),
        cmocka_unit_test(a_loss_that_is_no_number_stops_the_run),
        cmocka_unit_test(sigterm_before_the_first_step),
        cmocka_unit_test(two_signals),
        cmocka_unit_test(a_model_that_accumulates_in_place),
        cmocka_unit_test(stopped_in_the_last_step),
        cmocka_unit_test(the_best_of_an_epoch_cut_short),
        cmocka_unit_test(folders_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
