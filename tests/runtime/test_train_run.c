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

/* ---- a loss of two terms ---- */

enum { TERM_PLACES = 4, MOST_IMAGES = 256 };

/* half of the loss, and its square root, with the weights 2 and 0 */
static void spread_losses(const double *plain, int n, double *losses)
{
    for (int i = 0; i < n; i++)
        memcpy(losses + i * TERM_PLACES, (double[]){ plain[i], NAN, plain[i] / 2, sqrt(plain[i]) },
               TERM_PLACES * sizeof *plain);
}

static void chunk_of_terms(const void *prepared, const uint8_t *const *images,
                           const uint64_t *noise, int n, real *gradient, double *losses,
                           void *workspace, ModelClock *clock)
{
    double plain[MOST_IMAGES];
    caec_model.backward_chunk(prepared, images, noise, n, gradient, plain, workspace, clock);
    spread_losses(plain, n, losses);
}

static void losses_of_terms(const void *prepared, const uint8_t *const *images, int n,
                            double *losses, void *workspace)
{
    for (int i = 0; i < n; i++) {
        const double plain = caec_model.loss(prepared, images[i], workspace);
        spread_losses(&plain, 1, losses + i * TERM_PLACES);
    }
}

static Model model_of_terms(void)
{
    static const ModelTerm terms[] = { { 1, 2 }, { 0, 3 } };
    static const char *const columns[] = { "root", "half" };
    Model model = caec_model;
    model.backward_chunk = chunk_of_terms;
    model.loss_microbatch = losses_of_terms;
    model.loss_places = TERM_PLACES;
    model.columns = columns;
    model.column_count = 2;
    model.terms = terms;
    model.term_count = 2;
    return model;
}

static void run_of_terms(TrainOptions o)
{
    const Model model = model_of_terms();
    Error error = { 0 };
    if (run_model(&model, o, &error) != 0)
        fail_msg("%s", error.text);
}

/* Their means over the images, in history.csv and in the lines; the loss is what it was. */
static void terms_have_columns(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    double loss, val_loss, root, half, val_root, val_half;
    TrainOptions o = options_for(out_a);
    o.epochs = 2;
    run_of_terms(o);
    assert_non_null(strstr(said, " - root: "));
    assert_non_null(strstr(said, " - val_half: "));
    file_of(out_a, "history.csv", path);
    size_t size;
    char *text = read_file(path, &size), *row = strchr(text, '\n') + 1;
    const char *header = "epoch,loss,val_loss,seconds,images_per_second,lr,root,half,val_root,"
                         "val_half\n";
    assert_int_equal(strncmp(text, header, strlen(header)), 0);
    assert_int_equal(sscanf(row, "1,%lf,%lf,%*f,%*f,%*f,%lf,%lf,%lf,%lf", &loss, &val_loss, &root,
                            &half, &val_root, &val_half),
                     6);
    assert_true(fabs(half * 2 / loss - 1) < 1e-8 && fabs(val_half * 2 / val_loss - 1) < 1e-8);
    /* a mean of roots is no more than the root of the mean, and images differ a little */
    assert_true(root < sqrt(loss) && root > 0.7 * sqrt(loss));
    assert_true(val_root < sqrt(val_loss) && val_root > 0.7 * sqrt(val_loss));
    free(text);
}

/* Stopped inside an epoch; needs the run before. */
static void sums_of_terms_go_on_in_a_resumed_run(void **state)
{
    (void)state;
    char whole[PATH_SIZE], parts[PATH_SIZE];
    TrainOptions o = options_for(out_b);
    o.steps = 21;
    run_of_terms(o);
    o = resume_for(out_b);
    o.epochs = 2;
    run_of_terms(o);
    assert_same_file("best.safetensors");
    history_without_times(out_a, whole);
    history_without_times(out_b, parts);
    assert_string_equal(whole, parts);
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
        cmocka_unit_test(terms_have_columns),
        cmocka_unit_test(sums_of_terms_go_on_in_a_resumed_run),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
