/* Whole runs of the small model on built-in pictures: what they leave behind, and that one which was stopped ends as one which was not. */
#define _XOPEN_SOURCE 700
#include "data/dataset.h"
#include "images/image.h"
#include "train/checkpoint.h"
#include "weights/weights.h"
#include "weights/initial.h"
#include "train/train_run.h"

#include <ftw.h>
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

enum { PATH_SIZE = 2048 };

static char folder[512], out_a[600], out_b[600], said_path[600];
static char said[1 << 16];       /* what the last run printed to stdout */

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/caec-train-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(out_a, sizeof out_a, "%s/a", folder);
    snprintf(out_b, sizeof out_b, "%s/deep/b", folder);
    snprintf(said_path, sizeof said_path, "%s/said.txt", folder);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static TrainOptions options_for(const char *out)
{
    TrainOptions o = {.command = TRAIN_RUN, .out = out, .batch = 64, .threads = 2, .cache_bytes = 1 << 22, .cache_given = 1};
    return o;
}

static TrainOptions resume_for(const char *out)
{
    TrainOptions o = options_for(out);
    o.resume = 1;
    o.batch = 0;
    return o;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    char *bytes = calloc(1, 1 << 20);
    *size = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

/* train_run with its stdout caught. */
static int run_model(const Model *model, TrainOptions options, Error *error)
{
    size_t size;
    fflush(stdout);
    int screen = dup(STDOUT_FILENO);
    assert_non_null(freopen(said_path, "w", stdout));
    int result = train_run(model, &options, error);
    fflush(stdout);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    char *text = read_file(said_path, &size);
    snprintf(said, sizeof said, "%s", text);
    free(text);
    return result;
}

static void run_or_fail(TrainOptions options)
{
    Error error = {0};
    int result = run_model(&caec_model, options, &error);
    if (result != 0)
        fail_msg("%d: %s", result, error.text);
}

static void refused(TrainOptions options, int code, const char *word)
{
    Error error = {0};
    assert_int_equal(run_model(&caec_model, options, &error), -1);
    assert_int_equal(error.exit_code, code);
    if (!strstr(error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
}

static void file_of(const char *out, const char *name, char *path)
{
    snprintf(path, PATH_SIZE, "%s/%s", out, name);
}

static int is_there(const char *out, const char *name)
{
    char path[PATH_SIZE];
    file_of(out, name, path);
    return access(path, F_OK) == 0;
}

static void assert_same_file(const char *name)
{
    char path_a[PATH_SIZE], path_b[PATH_SIZE];
    size_t size_a, size_b;
    file_of(out_a, name, path_a);
    file_of(out_b, name, path_b);
    char *a = read_file(path_a, &size_a), *b = read_file(path_b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    free(a);
    free(b);
}

static int times_said(const char *words)
{
    int times = 0;
    for (const char *at = said; (at = strstr(at, words)) != NULL; at++)
        times++;
    return times;
}

/* Epoch numbers of history.csv as a string, "1 2 3 "; *val is 1 where every row has a val_loss. */
static void history_epochs(const char *out, char *text, int *val)
{
    char path[PATH_SIZE];
    size_t size;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size);
    *text = '\0';
    *val = 1;
    char *line = strtok(bytes, "\n");
    assert_string_equal(line, "epoch,loss,val_loss,seconds,images_per_second,lr");
    while ((line = strtok(NULL, "\n")) != NULL) {
        sprintf(text + strlen(text), "%d ", atoi(line));
        if (strstr(line, ",,"))
            *val = 0;
    }
    free(bytes);
}

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
    assert_true(is_there(out_a, "last.safetensors") && is_there(out_a, "best.safetensors") && is_there(out_a, "loss.svg"));
    assert_true(is_there(out_a, "samples/epoch_001.png") && is_there(out_a, "samples/epoch_003.png"));
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 ");
    assert_true(val);
}

/* Stopped inside the first epoch, at the end of the second, and on other numbers of threads. Needs the run before. */
static void a_stopped_run_ends_as_an_undisturbed_one(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 2};
    static const uint64_t ends[] = {5, 20, 32};
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
    o.seed = 2, o.seed_given = 1;
    refused(o, EXIT_USAGE, "--seed");
    o = resume_for(out_a);
    o.batch = 32;
    refused(o, EXIT_USAGE, "--batch");
    o = resume_for(folder);
    refused(o, EXIT_FILE, "no run to resume");
    o = resume_for(out_a);
    o.train = folder;
    o.epochs = 4;
    char path[PATH_SIZE];
    file_of(out_a, "samples", path);
    o.train = path;                              /* a folder of PNG files, but others */
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
    char with_slash[640], moved[640];
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
    assert_true(is_there(moved, "samples/epoch_004.png"));       /* the whole older run */
    assert_false(is_there(out_a, "samples/epoch_002.png"));
}

static void without_val_best_goes_by_loss(void **state)
{
    (void)state;
    char path[PATH_SIZE], epochs[64];
    int val;
    TrainOptions o = options_for(out_b);
    snprintf(path, sizeof path, "%s.1/samples", out_a);
    o.train = path;                              /* four sheets: fewer pictures than the batch */
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

/* Models that do as the small one, but for a mishap in the chunk or loss that is counted down to. */
static int countdown, mishap;

static void chunk_with_mishap(const void *prepared, const uint8_t *const *images, const uint64_t *noise, int n, real *gradient,
                              double *losses, void *workspace, ModelClock *clock)
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

/* A run that a signal stops in its epoch, and in its validation, resumes to the end of an undisturbed one (out_a). */
static void stopped_by_a_signal(int number, int in_validation)
{
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b), undisturbed = options_for(out_a);
    undisturbed.epochs = o.epochs = 2;
    o.threads = 1;
    run_or_fail(undisturbed);
    if (in_validation)
        model.loss = loss_with_mishap;
    else
        model.backward_chunk = chunk_with_mishap;
    countdown = 100;                             /* of 128 chunks and 256 losses an epoch */
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

/* A model for little memory has no sums of chunks; what looks at pictures one by one takes the total's room. */
static void a_straight_model(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b);
    o.threads = 1;
    o.epochs = 2;
    model.straight = 1;
    if (run_model(&model, o, &error) != 0)
        fail_msg("%s", error.text);
    assert_true(is_there(out_b, "best.safetensors"));
    model.backward_chunk = chunk_with_mishap;
    countdown = 5;
    mishap = 0;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_non_null(strstr(error.text, "the loss is not a finite number at step 5"));
}

/* history.csv without what the clock says. */
static void history_without_times(const char *out, char text[PATH_SIZE])
{
    char path[PATH_SIZE];
    size_t size;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size);
    *text = '\0';
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        int loss = 0, rate = 0;
        sscanf(line, "%*[^,],%*[^,],%*[^,],%n%*[^,],%*[^,],%n", &loss, &rate);
        sprintf(text + strlen(text), "%.*s%s\n", loss, line, line + rate);
    }
    free(bytes);
}

/* A run that ends by its updates, at the end of an epoch or inside it, and is stopped in the last of them, or in what follows it: what is missing comes with
   --resume, before the run counts as finished. */
static void stopped_before_its_end_is_written(uint64_t steps, int in_validation)
{
    Model model = caec_model;
    Error error = {0};
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
        assert_same_file("last.safetensors");       /* inside an epoch it holds its seconds */
    run_or_fail(resume_for(out_b));
    assert_non_null(strstr(said, "finished"));
}

static void stopped_in_the_last_step(void **state)
{
    (void)state;
    static const uint64_t steps[] = {5, 16, 20};
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

/* The end of a run inside an epoch may be its best so far. Once it goes on, whole epochs alone count again. */
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
    o.lr = 0.5;                                 /* the whole epoch is worse than the first */
    run_or_fail(o);
    want_file("best.safetensors", best, size);
    assert_false(is_there(out_b, "best_epoch.safetensors"));
    free(best);
    free(partial);
}

static void reconstruct_with_mishap(const void *prepared, const uint8_t *image, real *output, void *workspace, ModelClock *clock)
{
    raise(SIGTERM);
    caec_model.reconstruct(prepared, image, output, workspace, clock);
}

/* A signal during the look at the first parameters, before there is anything to save: the program ends there. */
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
        Error error = {0};
        TrainOptions o = options_for(out);
        o.epochs = 1;
        model.reconstruct = reconstruct_with_mishap;
        _exit(run_model(&model, o, &error) == 128 + SIGTERM ? 1 : 2);      /* not before it has trained */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    assert_false(is_there(out, "last.safetensors"));
}

static void a_loss_that_is_no_number_stops_the_run(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b);
    o.threads = 1;
    o.epochs = 2;
    o.checkpoint_updates = 4;
    model.backward_chunk = chunk_with_mishap;
    countdown = 8 * 9 + 3;                       /* in the tenth update */
    mishap = 0;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "step 10"));
    assert_non_null(strstr(error.text, "still holds step 8"));
    assert_non_null(strstr(error.text, "--lr"));
    run_or_fail(resume_for(out_b));              /* what is left is good */
    assert_non_null(strstr(said, "resuming"));
    assert_non_null(strstr(said, "at step 8"));
    assert_same_file("last.safetensors");        /* as the undisturbed run of the test before */
}

/* One picture, known by its bytes, that brings a number which is not finite: into a value on its way, the loss alone, or the gradient alone;
   or a huge one. */
static uint8_t bad_picture[8 * 8 * 3];
static int bad_place;           /* 0 the first convolution's value, 1 the loss, 2 a gradient, 3 a gradient that is only huge */
static unsigned bad_from;       /* calls before it begins */
static unsigned calls;

static void chunk_with_a_bad_picture(const void *prepared, const uint8_t *const *images, const uint64_t *noise, int n, real *gradient,
                                     double *losses, void *workspace, ModelClock *clock)
{
    if (clock)
        clock->last = clock->now();
    for (int i = 0; i < n; i++) {
        unsigned call;
        int bad = memcmp(images[i], bad_picture, sizeof bad_picture) == 0;
#pragma omp atomic capture
        call = calls++;
        caec_model.backward_chunk(prepared, images + i, noise ? noise + i : NULL, 1, gradient, losses + i, workspace, NULL);
        for (int step = 0; clock && step < caec_model.train_step_count; step++) {
            const ModelStep *s = &caec_model.train_steps[step];
            if (bad && bad_place == 0 && step == 0)
                ((real *)workspace)[s->place + 3] = INFINITY;
            clock->now();
        }
        if (bad && call >= bad_from && bad_place < 2)
            losses[i] = NAN;
        if (bad && call >= bad_from && bad_place == 2)
            gradient[caec_model.parameters[2].offset] = -INFINITY;
        if (bad && bad_place == 3)
            gradient[caec_model.parameters[2].offset] = (real)1e38;
    }
}

static void the_picture_and_the_layer_are_named(void **state)
{
    (void)state;
    static const struct { const char *what, *where; } places[] = {
        {"the loss is not", "in encoder.conv1 (forward)"}, {"the loss is not", "in the loss"}, {"the gradient is not", "in decoder.conv1.kernel"},
    };
    char path[PATH_SIZE];
    size_t size;
    Dataset *set;
    DatasetOptions options = {8, 8, 3, 1 << 20, 1, 0};
    uint32_t order[1] = {700}, which[1];
    const uint8_t *pixels[1];
    Error error = {0};
    Model model = caec_model;
    assert_int_equal(dataset_open_pictures(&set, 1, 0, 1024, &options, &error), 0);
    assert_int_equal(dataset_start(set, order, 1, 1, &error), 0);
    assert_int_equal(dataset_next(set, 1, pixels, which, &error), 1);
    memcpy(bad_picture, pixels[0], sizeof bad_picture);
    model.backward_chunk = chunk_with_a_bad_picture;
    for (int i = 0; i < 3; i++) {
        TrainOptions o = options_for(out_b);
        char want[200], again[640];
        bad_place = i;
        bad_from = 1024;                         /* in the second epoch */
        calls = 0;
        o.epochs = 3;
        o.checkpoint_updates = 8;
        assert_int_equal(run_model(&model, o, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        snprintf(want, sizeof want, "%s a finite number at step ", places[i].what);
        if (!strstr(error.text, want) || !strstr(error.text, places[i].where) || !strstr(error.text, dataset_name(set, 700)))
            fail_msg("%s", error.text);
        int step = atoi(strstr(error.text, "at step ") + 8);
        assert_true(step > 16 && step <= 32);
        file_of(out_b, "diagnosis.txt", path);
        char *text = read_file(path, &size);
        if (!strstr(text, dataset_name(set, 700)) || !strstr(text, "diagnosis --resume") || !strstr(text, "encoder.conv1.bias: largest "))
            fail_msg("%s", text);
        free(text);
        snprintf(again, sizeof again, "%s/diagnosis", out_b);       /* the state is there: the very next step is the bad one */
        bad_from = 0;
        o = resume_for(again);
        assert_int_equal(run_model(&model, o, &error), -1);
        snprintf(want, sizeof want, "at step %d ", step);
        if (!strstr(error.text, want) || !strstr(error.text, dataset_name(set, 700)))
            fail_msg("%s", error.text);
        snprintf(want, sizeof want, "at step %d,", step - 1);
        assert_non_null(strstr(said, want));
        o = resume_for(out_b);                   /* and what was good still is */
        o.epochs = 3;
        run_or_fail(o);
    }
    dataset_close(set);
}

/* A gradient so large that the update leaves a parameter which is no number: the picture with the largest share is named. Needs the picture of the case
   before. */
static void a_parameter_that_is_no_number(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    size_t size;
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b);
    model.backward_chunk = chunk_with_a_bad_picture;
    bad_place = 3;
    bad_from = 0;
    o.optimizer = (ModelOptimizer){.name = "sgd", .lr = 1e3};
    o.epochs = 1;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    if (!strstr(error.text, "a parameter is not a finite number at step ") || !strstr(error.text, "in decoder.conv1.kernel, with built-in picture ")
        || !strstr(error.text, "still holds step 0"))
        fail_msg("%s", error.text);
    file_of(out_b, "diagnosis.txt", path);
    char *text = read_file(path, &size);
    assert_non_null(strstr(text, "has the largest share in the gradient"));
    assert_non_null(strstr(text, "decoder.conv1.kernel: largest inf"));
    free(text);
    o = resume_for(out_b);
    o.lr = 1e-3;
    o.steps = 2;
    run_or_fail(o);
}

static double loss_with_a_bad_picture(const void *prepared, const uint8_t *image, void *workspace)
{
    return memcmp(image, bad_picture, sizeof bad_picture) == 0 ? NAN : caec_model.loss(prepared, image, workspace);
}

/* The validation's loss, by one of its own pictures; what was trained until then is kept beside, and comes to it again. */
static void a_validation_that_is_no_number(void **state)
{
    (void)state;
    char again[640];
    Dataset *set;
    DatasetOptions options = {8, 8, 3, 1 << 20, 1, 0};
    uint32_t order[1] = {99}, which[1];
    const uint8_t *pixels[1];
    Error error = {0};
    Model model = caec_model;
    TrainOptions o = options_for(out_b);
    assert_int_equal(dataset_open_pictures(&set, 1, 1024, 256, &options, &error), 0);
    assert_int_equal(dataset_start(set, order, 1, 1, &error), 0);
    assert_int_equal(dataset_next(set, 1, pixels, which, &error), 1);
    memcpy(bad_picture, pixels[0], sizeof bad_picture);
    model.backward_chunk = chunk_with_a_bad_picture;
    model.loss = loss_with_a_bad_picture;
    bad_place = 1;
    bad_from = 0;
    o.epochs = 2;
    o.checkpoint_updates = 8;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_model(&model, o, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        if (!strstr(error.text, "the validation loss is not a finite number") || !strstr(error.text, dataset_name(set, 99))
            || !strstr(error.text, "still holds step 16"))
            fail_msg("%s", error.text);
        snprintf(again, sizeof again, "%s/diagnosis", out_b);
        o = resume_for(again);
    }
    o = resume_for(out_b);
    o.epochs = 2;
    run_or_fail(o);
    dataset_close(set);
}

/* Biases so low that the first two channels of encoder.conv1 die, of which one does so in the second epoch. */
static void backward_that_kills(const void *prepared, const uint8_t *const *images, const uint64_t *noise, int n, real *gradient, double *losses,
                                void *workspace, ModelClock *clock)
{
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
    real *bias = gradient + caec_model.parameters[1].offset;
    unsigned call;
#pragma omp atomic capture
    call = calls++;
    bias[0] = clock ? 0 : (real)1e6 * (real)n;
    if (call > 8 * 16 + 20)
        bias[1] = bias[0];
}

static void a_dying_network_is_told_of(void **state)
{
    (void)state;
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b);
    model.backward_chunk = backward_that_kills;
    o.optimizer = (ModelOptimizer){.name = "sgd", .lr = 1e-4};
    o.epochs = 4;
    calls = 0;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("encoder.conv1: 1 of 4 channels is dead, 0 for each of 32 pictures (0)"), 1);
    assert_int_equal(times_said("encoder.conv1: 2 of 4 channels are dead, 0 for each of 32 pictures (0, 1)"), 1);
    assert_int_equal(times_said(" dead, 0 for each"), 2);        /* each epoch's news alone */
    assert_true(strstr(said, "(0)") < strstr(said, "Epoch 2/4"));
}

/* Channel 1 comes out as 0 until countdown has run out. */
static void reconstruct_dead(const void *prepared, const uint8_t *image, real *output, void *workspace, ModelClock *clock)
{
    caec_model.reconstruct(prepared, image, output, workspace, clock);
    if (countdown-- > 0)
        for (int i = 1; i < 8 * 8 * 3; i += 3)
            output[i] = 0;
}

/* Two drawings are dead for all of the 16 pictures looked at, the third is taken; nothing but the layer's kernel is drawn again. */
static void a_dead_output_is_drawn_anew(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    real want[512], got[512];
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_b);
    o.steps = 1;
    o.lr = 1e-30;                                /* so that the update leaves the parameters as they are, but for biases of 0 */
    o.seed = 5, o.seed_given = 1;
    model.reconstruct = reconstruct_dead;
    countdown = 2 * 16;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("drawn anew"), 2);
    assert_non_null(strstr(said, "output channel 1 is dead"));
    assert_non_null(strstr(said, "decoder.conv1.kernel"));
    initial_draw(&caec_model, 5, want);
    initial_redraw(&caec_model, 2, 5, 2, want);
    file_of(out_b, "last.safetensors", path);
    assert_int_equal(weights_load(&caec_model, path, got, &error), 0);
    for (size_t i = 0; i < caec_model.parameter_reals; i++)
        assert_true(fabs((double)got[i] - (double)want[i]) < 1e-20);

    o.init = path;                               /* weights of a file are only warned about */
    countdown = 16;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("drawn anew"), 0);

    o.init = NULL;                               /* dead for ever: a warning, and the run goes on */
    countdown = 1000000;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("drawn anew"), 64);
}

/* ---- the training table ---- */

/* The column `lr` of history.csv; returns the number of rows. */
static int history_rates(const char *out, double *rates)
{
    char path[PATH_SIZE];
    size_t size;
    int rows = 0;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size);
    for (char *line = strtok(bytes, "\n"); (line = strtok(NULL, "\n")) != NULL; rows++)
        rates[rows] = strtod(strrchr(line, ',') + 1, NULL);
    free(bytes);
    return rows;
}

static TrainOptions scheduled(const char *out)
{
    TrainOptions o = options_for(out);
    o.epochs = 4;
    o.optimizer = (ModelOptimizer){.name = "sgd", .lr = 0.05, .momentum = 0.9};
    o.schedule = (ModelSchedule){.name = "cosine", .warmup = 1.5};
    o.global_clip_norm = 0.05, o.clip_given = 1;
    o.mirror = 1, o.mirror_given = 1;
    return o;
}

/* Everything at once, stopped twice inside epochs, on other numbers of threads: the bits of an undisturbed run. */
static void a_scheduled_run_is_resumed_to_the_bit(void **state)
{
    (void)state;
    static const uint64_t ends[] = {7, 40};
    const double pi = acos(-1);
    double rates[8];
    run_or_fail(scheduled(out_a));
    assert_non_null(strstr(said, "sgd,lr=0.05,momentum=0.9; cosine,epochs=4,min_lr=0,warmup=1.5; global_clip_norm 0.05; pictures mirrored"));
    for (int i = 0; i < 3; i++) {
        TrainOptions o = i ? resume_for(out_b) : scheduled(out_b);
        o.threads = i + 1;
        o.epochs = 4;
        o.steps = i < 2 ? ends[i] : 0;
        run_or_fail(o);
    }
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
    assert_int_equal(history_rates(out_b, rates), 4);       /* of the last update of each epoch of 16 */
    assert_true(fabs(rates[0] - 0.05 / 1.5) < 1e-9);
    for (int i = 1; i < 4; i++) {
        double u = i + 15.0 / 16 - 1.5;
        assert_true(fabs(rates[i] - 0.025 * (1 + cos(pi * u / 2.5))) < 1e-9);
    }
}

/* What is mirrored depends on seed, epoch and picture: never on threads, and both kinds occur. */
static uint64_t seen[2];        /* sums of the first pixels' hashes of each row's ends */

static void chunk_that_looks(const void *prepared, const uint8_t *const *images, const uint64_t *noise, int n, real *gradient,
                             double *losses, void *workspace, ModelClock *clock)
{
    uint8_t back[8 * 8 * 3];
    for (int i = 0; i < n && !clock; i++) {         /* with a clock it is a look at the channels */
        assert_true(noise[i] & 1);
        image_mirror(images[i], 8, 8, 3, back);
        const uint8_t *original = noise[i] >> 63 ? back : images[i];
        uint64_t hash = 0;
        for (int k = 0; k < 8 * 8 * 3; k++)
            hash = (hash + original[k]) * 0x9e3779b97f4a7c15u;
#pragma omp atomic
        seen[0] += hash;
#pragma omp atomic
        seen[1] += noise[i] >> 63;
    }
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
}

static void pictures_are_mirrored(void **state)
{
    (void)state;
    uint64_t plain, mirrored[2];
    Model model = caec_model;
    Error error = {0};
    model.backward_chunk = chunk_that_looks;
    for (int i = 0; i < 3; i++) {
        TrainOptions o = options_for(out_b);
        o.epochs = 2;                            /* the second reads the cache */
        o.mirror = i > 0, o.mirror_given = 1;
        o.threads = i + 1;
        memset(seen, 0, sizeof seen);
        if (i == 0)
            model.backward_chunk = caec_model.backward_chunk;
        else
            model.backward_chunk = chunk_that_looks;
        assert_int_equal(run_model(&model, o, &error), 0);
        if (i > 0)
            mirrored[i - 1] = seen[0];
    }
    assert_true(mirrored[0] == mirrored[1]);
    assert_true(seen[1] > 900 && seen[1] < 1148);            /* of 2048, within 5.5 deviations */
    /* Turned back, they are the pictures as they were: the sum of two epochs without mirroring, seen by numbers whose highest bit is ignored. */
    Dataset *set;
    DatasetOptions options = {8, 8, 3, 1 << 20, 1, 0};
    uint32_t order[1024], which[64];
    const uint8_t *pixels[64];
    assert_int_equal(dataset_open_pictures(&set, 1, 0, 1024, &options, &error), 0);
    for (uint32_t i = 0; i < 1024; i++)
        order[i] = i;
    assert_int_equal(dataset_start(set, order, 1024, 64, &error), 0);
    plain = 0;
    for (int n; (n = dataset_next(set, 64, pixels, which, &error)) > 0;)
        for (int i = 0; i < n; i++) {
            uint64_t hash = 0;
            for (int k = 0; k < 8 * 8 * 3; k++)
                hash = (hash + pixels[i][k]) * 0x9e3779b97f4a7c15u;
            plain += hash;
        }
    dataset_close(set);
    assert_true(mirrored[0] == 2 * plain);
}

/* val_loss as a list says it, by whole epochs of 256 pictures. */
static const double *told;
static int asked;

static double told_loss(const void *prepared, const uint8_t *image, void *workspace)
{
    (void)prepared, (void)image, (void)workspace;
    return told[asked++ / 256];
}

static void early_stopping_ends_the_run(void **state)
{
    (void)state;
    static const double losses[] = {0.5, 0.4, 0.395, 0.41, 0.3, 0.295, 0.292, 0.2, 0.1};
    char epochs[64];
    int val;
    Model model = caec_model;
    Error error = {0};
    TrainOptions o = options_for(out_a);
    model.loss = told_loss;
    told = losses;
    asked = 0;
    o.threads = 1;
    o.epochs = 9;
    o.patience = 2, o.patience_given = 1;
    o.min_delta = 0.01, o.min_delta_given = 1;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_non_null(strstr(said, "stopped early: no loss lower than 0.4 for 2 epochs"));
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 4 ");
    run_or_fail(resume_for(out_a));
    assert_non_null(strstr(said, "finished"));
    assert_non_null(strstr(said, "more --patience"));
    o = resume_for(out_a);
    o.threads = 1;
    o.patience = 3, o.patience_given = 1;
    asked = 4 * 256;
    assert_int_equal(run_model(&model, o, &error), 0);       /* 0.3 is lower; 0.295 and 0.292 are not by 0.01; 0.2 and 0.1 are */
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 4 5 6 7 8 9 ");
}

static void the_rate_goes_down_on_a_plateau(void **state)
{
    (void)state;
    static const double losses[] = {0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.1};
    static const double want[] = {1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4};     /* after two epochs without a lower loss, and two more */
    double rates[16];
    Model model = caec_model;
    Error error = {0};
    model.loss = told_loss;
    told = losses;
    asked = 0;
    for (int i = 0; i < 2; i++) {                /* stopped inside the fifth epoch */
        TrainOptions o = i ? resume_for(out_b) : options_for(out_b);
        o.threads = 1;
        o.epochs = 7;
        o.steps = i ? 0 : 4 * 16 + 5;
        if (i == 0)
            o.schedule = (ModelSchedule){.name = "reduce_on_plateau", .factor = 0.5, .patience = 2};
        else
            asked = 4 * 256;                     /* the end of the broken epoch was validated too */
        assert_int_equal(run_model(&model, o, &error), 0);
    }
    assert_int_equal(history_rates(out_b, rates), 7);
    for (int i = 0; i < 7; i++)
        assert_true(fabs(rates[i] - want[i]) < 1e-12);
}

static void what_a_resumed_run_takes_up(void **state)
{
    (void)state;
    double rates[16];
    TrainOptions o = scheduled(out_a);
    o.epochs = 1;
    o.schedule = (ModelSchedule){.name = "constant"};
    run_or_fail(o);
    o = resume_for(out_a);
    o.optimizer = (ModelOptimizer){.name = "adam", .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7};
    refused(o, EXIT_USAGE, "is trained by sgd");
    o.optimizer = (ModelOptimizer){.name = "sgd", .lr = 0.02, .momentum = 0.5};
    o.epochs = 2;
    o.mirror_given = 1, o.mirror = 0;
    run_or_fail(o);
    assert_non_null(strstr(said, "sgd,lr=0.02,momentum=0.5; constant,warmup=0; global_clip_norm 0.05"));
    assert_null(strstr(said, "mirrored"));
    o = resume_for(out_a);
    o.epochs = 3;
    o.schedule = (ModelSchedule){.name = "step", .every = 2, .factor = 0.5};
    o.clip_given = 1;                            /* with all three 0: no clipping */
    run_or_fail(o);
    assert_non_null(strstr(said, "sgd,lr=0.02,momentum=0.5; step,every=2,factor=0.5,warmup=0"));
    assert_null(strstr(said, "clip"));
    assert_int_equal(history_rates(out_a, rates), 3);
    assert_true(rates[0] == 0.05 && rates[1] == 0.02 && rates[2] == 0.01);
    o = options_for(out_b);
    o.schedule = (ModelSchedule){.name = "cosine", .epochs = 3, .warmup = 3};
    refused(o, EXIT_USAGE, "warmup of 3 epochs leaves nothing");
    o.schedule = (ModelSchedule){.name = "cosine", .epochs = 3, .min_lr = 0.5};
    refused(o, EXIT_USAGE, "min_lr 0.5 is above the learning rate 0.001");
}

static void folders_that_cannot_be_made(void **state)
{
    (void)state;
    char path[PATH_SIZE];
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
        cmocka_unit_test(a_straight_model),
        cmocka_unit_test(stopped_in_the_last_step),
        cmocka_unit_test(the_best_of_an_epoch_cut_short),
        cmocka_unit_test(the_picture_and_the_layer_are_named),
        cmocka_unit_test(a_parameter_that_is_no_number),
        cmocka_unit_test(a_validation_that_is_no_number),
        cmocka_unit_test(a_dying_network_is_told_of),
        cmocka_unit_test(a_dead_output_is_drawn_anew),
        cmocka_unit_test(a_scheduled_run_is_resumed_to_the_bit),
        cmocka_unit_test(pictures_are_mirrored),
        cmocka_unit_test(early_stopping_ends_the_run),
        cmocka_unit_test(the_rate_goes_down_on_a_plateau),
        cmocka_unit_test(what_a_resumed_run_takes_up),
        cmocka_unit_test(folders_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
