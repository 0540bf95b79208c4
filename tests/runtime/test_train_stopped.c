/* Runs of the small model that a signal or a loss that is no number stops: each ends, resumed, as
   one that was not stopped. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include "train/checkpoint.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigint_in_an_epoch),
        cmocka_unit_test(sigterm_in_validation),
        cmocka_unit_test(a_loss_that_is_no_number_stops_the_run),
        cmocka_unit_test(sigterm_before_the_first_step),
        cmocka_unit_test(two_signals),
        cmocka_unit_test(a_model_that_accumulates_in_place),
        cmocka_unit_test(stopped_in_the_last_step),
        cmocka_unit_test(the_best_of_an_epoch_cut_short),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
