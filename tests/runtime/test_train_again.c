/* A run that is stopped and goes on by the very same command, with --resume after it, ends as one
   that nobody disturbed: for each option, and for pairs that have to do with one
   another. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include "images/image.h"
#include "images/pictures.h"
#include "settings.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SIDE = 8,
    TRAINED = 12,
    VALIDATED = 4,
    MAX_WORDS = 40,
    CHUNKS = 4
}; /* chunks: of each update of 4 pictures */

static char one[700], two[700], val[700];

static void write_pictures(const char *path, int first, int count)
{
    uint8_t pixels[SIDE * SIDE * 3];
    Error error;
    assert_int_equal(mkdir(path, 0777), 0);
    for (int i = 0; i < count; i++) {
        char name[800];
        snprintf(name, sizeof name, "%s/%02d.png", path, i);
        picture_draw(1, (uint64_t)(first + i), SIDE, SIDE, 3, pixels);
        assert_int_equal(image_write_png(name, SIDE, SIDE, 3, pixels, &error), 0);
    }
}

static int set_up_folders(void **state)
{
    if (set_up(state) != 0)
        return -1;
    snprintf(one, sizeof one, "%s/one", folder);
    snprintf(two, sizeof two, "%s/two", folder);
    snprintf(val, sizeof val, "%s/val", folder);
    write_pictures(one, 0, TRAINED);
    write_pictures(two, 100, TRAINED / 2);
    write_pictures(val, 200, VALIDATED);
    return 0;
}

/* In the place of the C library's: nobody pulls a plug here, and disks are slow. */
int fsync(int file)
{
    (void)file;
    return 0;
}

/* SIGTERM in the chunk that is counted down to. */
static int countdown;

static void chunk_that_stops(const void *prepared, const uint8_t *const *images,
                             const uint64_t *noise, int n, real *gradient, double *losses,
                             void *workspace, ModelClock *clock)
{
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
    if (!clock && __atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED) == 0)
        raise(SIGTERM);
}

/* A val_loss that goes up and down over the epochs, so that what waits for it has something to wait
 * for. */
static double uneven_loss(const void *prepared, const uint8_t *image, void *workspace)
{
    double loss = caec_model.loss(prepared, image, workspace);
    return loss - 0.9 * loss * ((int)(loss * 1e6) % 2);
}

/* The command's words, by blanks; @1, @2 and @v are folders. */
static TrainOptions command(const char *options, const char *more, const char *out, char *text,
                            size_t size)
{
    static char *words[MAX_WORDS];
    TrainOptions o;
    int count = 0;
    snprintf(text, size, "tiny-train --out %s --cache-memory 1M --train @1 %s %s", out, options,
             more);
    for (char *rest, *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count + 1 < MAX_WORDS);
        words[count++] = strcmp(word, "@1") == 0   ? one
                         : strcmp(word, "@2") == 0 ? two
                         : strcmp(word, "@v") == 0 ? val
                                                   : word;
    }
    words[count] = NULL;
    train_options_read(&o, &caec_model, count, words);
    return o;
}

/* Both in one step: argp may not change its mind about words between two calls. */
static int run_command(const Model *model, const char *options, const char *more, const char *out)
{
    char text[1600];
    Error error = { 0 };
    TrainOptions o = command(options, more, out, text, sizeof text);
    int result = run_model(model, o, &error);
    if (result < 0)
        fail_msg("%s %s: %s", options, more, error.text);
    return result;
}

/* Stopped in the third or sixth update, or in the last of the second epoch. */
static void goes_on_as_if_undisturbed(const Model *model, const char *options)
{
    static const int stops[] = { 3, 6, 7 };
    static int turn;
    char a[PATH_SIZE], b[PATH_SIZE];
    Model stopped = *model;
    stopped.backward_chunk = chunk_that_stops;
    countdown = 0;
    assert_int_equal(run_command(model, options, "", out_a), 0);
    countdown = CHUNKS * stops[turn++ % 3] - 1;
    int code = run_command(&stopped, options, "", out_b);
    if (code != 128 + SIGTERM)
        fail_msg("\"%s\": was not stopped, but ended with %d", options, code);
    assert_int_equal(run_command(model, options, "--resume", out_b), 0);
    assert_null(strstr(said, "is finished"));
    history_without_times(out_a, a);
    history_without_times(out_b, b);
    if (strcmp(a, b) != 0)
        fail_msg("\"%s\": the history of a run in two pieces is\n%sof an undisturbed one\n%s",
                 options, b, a);
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
    assert_same_file("loss.svg");
}

static void with(const Model *model, const char *options)
{
    char all[400];
    /* What is common comes only where the options do not say it themselves. */
    snprintf(all, sizeof all, "%s%s%s %s%s", strstr(options, "--batch") ? "" : "--batch 4 ",
             strstr(options, "--threads") ? "" : "--threads 2 ",
             strstr(options, "lr=") || strstr(options, "--lr") ? "" : "--lr 0.01",
             strstr(options, "--epochs") || strstr(options, "--steps") ? "" : "--epochs 4 ",
             options);
    goes_on_as_if_undisturbed(model, all);
}

static void each_option(void **state)
{
    (void)state;
    static const char *const options[] = {
        "",
        "--val @v",
        "--train @2",
        "--train @2 --val @v",
        "--epochs 5",
        "--steps 9",
        "--epochs 5 --steps 12",
        "--batch 5",
        "--seed 5",
        "--threads 3",
        "--optimizer adam",
        "--lr 0.02",
        "--loss mse",
        "--schedule constant,warmup=2",
        "--schedule step,every=1,factor=0.5",
        "--schedule cosine",
        "--schedule cosine,epochs=3,min_lr=1e-4",
        "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.5",
        "--clip-norm 0.01",
        "--global-clip-norm 0.01",
        "--clip-value 0.001",
        "--patience 3",
        "--min-delta 0.5",
        "--mirror",
        "--no-mirror",
        "--checkpoint-every 1",
        "--checkpoint-every 1m",
        "--cache-memory 0",
        "--strict",
        "--skip-unreadable",
    };
    Model model = caec_model;
    model.loss = uneven_loss;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        with(&model, options[i]);
    printf("%zu commands with one option, each stopped and given again\n",
           sizeof options / sizeof options[0]);
}

/* Each with its defaults, and with all that it may keep of a parameter. */
static void each_optimizer(void **state)
{
    (void)state;
    Model model = caec_model;
    for (const SettingsWord *word = settings_optimizers; word->name; word++)
        for (int all = 0; all < 2; all++) {
            ModelOptimizer o;
            Error error;
            char text[SETTINGS_TEXT], option[SETTINGS_TEXT + 20];
            assert_int_equal(settings_read_optimizer(&o, word->name, &error), 0);
            for (const SettingsNumber *n = word->numbers; all && n->name; n++)
                if (n->number == 0) /* no momentum, no decay ... */
                    *(double *)((char *)&o + n->offset) = n->kind == SETTINGS_FLAG ? 1 : 0.5;
            settings_optimizer_text(&o, text);
            snprintf(option, sizeof option, "--optimizer %s", text);
            with(&model, option);
        }
}

/* A schedule with each of what it goes by, and all that watches a loss. */
static void pairs_of_options(void **state)
{
    (void)state;
    static const char *const schedules[] = {
        "--schedule step,every=1,factor=0.5,warmup=1",
        "--schedule cosine",
        "--schedule cosine,epochs=3,min_lr=1e-4",
        "--schedule cosine,warmup=1",
        "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.5",
        "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.5,cooldown=1,warmup=2",
        "--patience 3 --min-delta 0.5",
    };
    static const char *const others[] = {
        "--val @v --epochs 6",
        "--steps 12",
        "--epochs 5 --steps 12",
        "--optimizer sgd,lr=0.1,momentum=0.9",
        "--mirror --val @v",
        "--patience 4 --val @v",
        "--train @2",
    };
    int count = 0;
    Model model = caec_model;
    model.loss = uneven_loss;
    for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++)
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
            char both[300];
            if (strstr(schedules[i], "--patience") && strstr(others[k], "--patience"))
                continue;
            snprintf(both, sizeof both, "%s %s", schedules[i], others[k]);
            with(&model, both);
            count++;
        }
    printf("%d commands with pairs of options, each stopped and given again\n", count);
}

/* Stages have schedules and early stopping of their own; the run is stopped in the first of two as
 * well as in the last. */
static void stages(void **state)
{
    (void)state;
    static const char *const options[] = {
        "--epochs 5",
        "--steps 15",
        "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.5 --epochs 6 --val @v",
        "--schedule cosine,warmup=1 --epochs 6",
        "--schedule step,every=1,factor=0.5 --epochs 5",
        "--patience 2 --min-delta 0.5 --val @v",
    };
    static const unsigned char all[] = { 1, 1, 1, 1 };
    Model model = caec_model;
    ModelStage both[2];
    model.loss = uneven_loss;
    for (int i = 0; i < 2; i++)
        both[i] = (ModelStage){ .title = i ? "all layers" : "the same",
                                .loss_name = "mse",
                                .epochs = 2,
                                .trains = all,
                                .steps = model.train_steps,
                                .step_count = model.train_step_count,
                                .backward_chunk = chunk_that_stops,
                                .loss = model.loss,
                                .reconstruct = model.reconstruct };
    model.stages = both;
    model.stage_count = 2;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        with(&model, options[i]);
}

/* The same schedule given again goes on, also where other options change; another one starts
 * afresh. */
static void a_schedule_that_is_another_starts_afresh(void **state)
{
    (void)state;
    static const char *const plateau =
        "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.5";
    char rest[200];
    snprintf(rest, sizeof rest, "%s --epochs 4 --lr 0.01", plateau);
    assert_int_equal(run_command(&caec_model, rest, "--batch 4", out_a), 0);
    snprintf(rest, sizeof rest, "%s --epochs 6 --lr 0.01", plateau);
    assert_int_equal(run_command(&caec_model, rest, "--resume", out_a), 0);
    assert_non_null(
        strstr(said, "goes down to 0.000625")); /* 0.01 / 16: reductions after epochs 2 to 5 */
    assert_int_equal(
        run_command(
            &caec_model,
            "--schedule reduce_on_plateau,patience=1,min_delta=1,factor=0.25 --epochs 8 --lr 0.01",
            "--resume", out_a),
        0);
    assert_non_null(strstr(said, "goes down to 0.0025"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option),
        cmocka_unit_test(each_optimizer),
        cmocka_unit_test(pairs_of_options),
        cmocka_unit_test(stages),
        cmocka_unit_test(a_schedule_that_is_another_starts_afresh),
    };
    return cmocka_run_group_tests(tests, set_up_folders, tear_down);
}
