/* How long a cosine is: as the run, where its epochs were left out, also when a resumed run is
 * given more; else as given, which is told of where the run goes on after its end. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* an epoch of the built-in pictures by 64; rows of a history */
enum { UPDATES = 16, ROWS = 16 };
static const double RATE = 0.05;

/* What the last run wrote to stderr. */
static char warned[4096];

/* A run with its stderr caught besides. */
static void run_warned(const Model *model, TrainOptions options)
{
    char path[PATH_SIZE];
    size_t size;
    Error error = { 0 };
    snprintf(path, sizeof path, "%s/warned.txt", folder);
    fflush(stderr);
    int screen = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stderr));
    int result = run_model(model, options, &error);
    fflush(stderr);
    dup2(screen, STDERR_FILENO);
    close(screen);
    char *text = read_file(path, &size);
    snprintf(warned, sizeof warned, "%s", text);
    free(text);
    if (result != 0)
        fail_msg("%d: %s", result, error.text);
}

static TrainOptions cosine(const char *out, double epochs)
{
    TrainOptions o = options_for(out);
    o.optimizer = (ModelOptimizer){ .name = "sgd", .lr = RATE };
    o.schedule = (ModelSchedule){ .name = "cosine", .epochs = epochs };
    return o;
}

/* The column `lr` of history.csv, in a run without stages and with some. */
static int history_rates(const char *out, double *rates)
{
    char path[PATH_SIZE], *rest;
    size_t size;
    int rows = 0;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size), *line = strtok_r(bytes, "\n", &rest);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        assert_true(rows < ROWS);
        for (int comma = 0; comma < 5; comma++)
            line = strchr(line, ',') + 1;
        rates[rows++] = strtod(line, NULL);
    }
    free(bytes);
    return rows;
}

/* The rate of the last update of an epoch, counted from the schedule's start, of a cosine of so
   many. */
static void assert_rate(double rate, int epoch, int epochs)
{
    double u = epoch - 1.0 / UPDATES, want = RATE * (1 + cos(acos(-1) * fmin(u / epochs, 1))) / 2;
    if (fabs(rate - want) > 1e-9)
        fail_msg("lr %g in epoch %d, not %g", rate, epoch, want);
}

static void a_cosine_without_epochs_follows_the_run(void **state)
{
    (void)state;
    double rates[ROWS];
    TrainOptions o = cosine(out_a, 0);
    o.epochs = 2;
    run_warned(&caec_model, o);
    o = resume_for(out_a);
    o.epochs = 4;
    run_warned(&caec_model, o);
    assert_non_null(
        strstr(said, "sgd,lr=0.05,momentum=0,nesterov=false; cosine,epochs=4,min_lr=0,warmup=0"));
    assert_string_equal(warned, "");
    o = resume_for(out_a); /* once more */
    o.epochs = 5;
    run_warned(&caec_model, o);
    assert_string_equal(warned, "");
    assert_int_equal(history_rates(out_a, rates), 5);
    for (int i = 0; i < 5; i++)
        assert_rate(rates[i], i + 1, i < 2 ? 2 : i < 4 ? 4 : 5);
}

static void the_graphs_own_follows_too(void **state)
{
    (void)state;
    double rates[ROWS];
    Model model = caec_model;
    model.training.schedule = (ModelSchedule){ .name = "cosine" };
    model.training.optimizer = (ModelOptimizer){ .name = "sgd", .lr = RATE };
    model.training.epochs = 1;
    run_warned(&model, options_for(out_a));
    TrainOptions o = resume_for(out_a);
    o.epochs = 3;
    run_warned(&model, o);
    assert_string_equal(warned, "");
    assert_int_equal(history_rates(out_a, rates), 3);
    for (int i = 0; i < 3; i++)
        assert_rate(rates[i], i + 1, i < 1 ? 1 : 3);
}

/* In pieces, of which one is given updates alone, which say nothing of epochs: the bits of a run
   that was not disturbed. */
static void pieces_of_the_same_length_are_one_run(void **state)
{
    (void)state;
    TrainOptions o = cosine(out_a, 0);
    o.epochs = 4;
    run_or_fail(o);
    o = cosine(out_b, 0);
    o.epochs = 4;
    o.steps = 7;
    run_or_fail(o);
    o = resume_for(out_b);
    o.steps = 40;
    run_or_fail(o);
    o = resume_for(out_b);
    o.epochs = 4;
    run_or_fail(o);
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
}

/* Said once, at the beginning; not where all of the run is within the cosine, nor where its end is
   no standstill. */
static void an_end_before_the_runs_is_told(void **state)
{
    (void)state;
    static const char told[] =
        "tiny-train: warning: the cosine comes to a learning rate of 0 with the end of epoch 2, "
        "and the run goes on to epoch 4 without "
        "learning; give --schedule cosine more epochs or a min_lr\n";
    double rates[ROWS];
    TrainOptions o = cosine(out_a, 2);
    o.epochs = 2;
    run_warned(&caec_model, o);
    assert_string_equal(warned, "");
    o = resume_for(out_a);
    o.epochs = 4;
    run_warned(&caec_model, o);
    assert_string_equal(warned, told);
    assert_int_equal(history_rates(out_a, rates), 4);
    assert_true(rates[1] > 0 && rates[2] == 0 && rates[3] == 0);
    o = cosine(out_b, 2);
    o.epochs = 4;
    run_warned(&caec_model, o);
    assert_string_equal(warned, told);
    o = cosine(out_b, 2);
    o.steps = 3 * UPDATES + 1; /* in the fourth epoch */
    run_warned(&caec_model, o);
    assert_string_equal(warned, told);
    o.steps = 2 * UPDATES;
    run_warned(&caec_model, o);
    assert_string_equal(warned, "");
    o = cosine(out_b, 2);
    o.epochs = 4;
    o.schedule.min_lr = 1e-5;
    run_warned(&caec_model, o);
    assert_string_equal(warned, "");
}

/* A schedule that a resumed run is given takes the place of the old one, and of whether that
   followed. */
static void a_new_schedule_is_as_it_was_given(void **state)
{
    (void)state;
    double rates[ROWS];
    TrainOptions o = cosine(out_a, 0);
    o.epochs = 1;
    run_or_fail(o);
    o = resume_for(out_a);
    o.schedule = (ModelSchedule){ .name = "cosine", .epochs = 6 };
    o.epochs = 2;
    run_or_fail(o);
    o = resume_for(out_a);
    o.epochs = 3;
    run_or_fail(o);
    o = resume_for(out_a);
    o.schedule = (ModelSchedule){ .name = "cosine" };
    o.epochs = 4;
    run_or_fail(o);
    o = resume_for(out_a);
    o.epochs = 5;
    run_or_fail(o);
    assert_int_equal(history_rates(out_a, rates), 5);
    static const int lengths[] = { 1, 6, 6, 4, 5 };
    for (int i = 0; i < 5; i++)
        assert_rate(rates[i], i + 1, lengths[i]);
}

/* The small model in two stages that are both the whole of it. */
static Model staged(ModelStage stages[2])
{
    static const unsigned char all[] = { 1, 1, 1, 1 };
    Model model = caec_model;
    for (int i = 0; i < 2; i++)
        stages[i] = (ModelStage){ .title = i ? "all layers" : "the same",
                                  .loss_name = "mse",
                                  .epochs = 1,
                                  .trains = all,
                                  .steps = model.train_steps,
                                  .step_count = model.train_step_count,
                                  .loss = model.loss,
                                  .backward_chunk = model.backward_chunk,
                                  .reconstruct = model.reconstruct };
    model.stages = stages;
    model.stage_count = 2;
    model.training.epochs = 2;
    return model;
}

static void the_last_stage_follows(void **state)
{
    (void)state;
    double rates[ROWS];
    ModelStage stages[2];
    Model model = staged(stages);
    run_warned(&model, cosine(out_a, 0));
    TrainOptions o = resume_for(out_a);
    o.epochs = 4;
    run_warned(&model, o);
    assert_string_equal(warned, "");
    assert_int_equal(history_rates(out_a, rates), 4);
    /* stages begin their own schedules: epoch 2 is the last one's first */
    static const int lengths[] = { 1, 1, 3, 3 };
    for (int i = 0; i < 4; i++)
        assert_rate(rates[i], i == 0 ? 1 : i, lengths[i]);

    /* given, so that it is the same in each stage and ends within the last */
    o = cosine(out_b, 1);
    o.epochs = 3;
    run_warned(&model, o);
    assert_string_equal(
        warned,
        "tiny-train: warning: the cosine comes to a learning rate of 0 with the end of epoch 2, "
        "and its stage goes on to epoch 3 "
        "without learning; give --schedule cosine more epochs or a min_lr\n");
}

/* Names a key of the metadata otherwise, of the same length, and puts the checksum right: FNV-1a
   over the file, its own digits as zeros. */
static void rename_key(const char *path, const char *key, const char *other)
{
    static const char mark[] = "\"caec.file_checksum\":\"";
    size_t size, place = 0;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char *bytes = read_file(path, &size), digits[17], *sum = NULL;
    for (size_t i = 0; i + strlen(key) <= size && !place; i++)
        if (memcmp(bytes + i, key, strlen(key)) == 0)
            place = i;
    assert_true(place > 0);
    memcpy(bytes + place, other, strlen(other));
    for (size_t i = 0; i + sizeof mark <= size && !sum; i++)
        if (memcmp(bytes + i, mark, sizeof mark - 1) == 0)
            sum = bytes + i + sizeof mark - 1;
    assert_non_null(sum);
    memset(sum, '0', 16);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    memcpy(sum, digits, 16);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

/* It cannot tell whether the epochs were given: they count as given, which is told of. */
static void a_checkpoint_of_an_older_program_goes_on(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    double rates[ROWS];
    TrainOptions o = cosine(out_a, 0);
    o.epochs = 2;
    run_or_fail(o);
    file_of(out_a, "last.safetensors", path);
    rename_key(path, "caec.schedule_follows", "caec.schedule_unknown");
    o = resume_for(out_a);
    o.epochs = 3;
    run_warned(&caec_model, o);
    assert_non_null(
        strstr(warned, "with the end of epoch 2, and the run goes on to epoch 3 without learning"));
    assert_int_equal(history_rates(out_a, rates), 3);
    assert_true(rates[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cosine_without_epochs_follows_the_run),
        cmocka_unit_test(the_graphs_own_follows_too),
        cmocka_unit_test(pieces_of_the_same_length_are_one_run),
        cmocka_unit_test(an_end_before_the_runs_is_told),
        cmocka_unit_test(a_new_schedule_is_as_it_was_given),
        cmocka_unit_test(the_last_stage_follows),
        cmocka_unit_test(a_checkpoint_of_an_older_program_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
