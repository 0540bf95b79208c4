/* Whole runs that obey the training table: schedules, clipping, mirror images, early stopping, and
   what a resumed run takes up of it. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include "data/dataset.h"
#include "images/image.h"
#include "weights/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { REALS = 108 + 4 + 108 + 3 }; /* of the small model */

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
    o.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 0.05, .momentum = 0.9 };
    o.schedule = (ModelSchedule){ .name = "cosine", .warmup = 1.5 };
    o.global_clip_norm = 0.05, o.clip_given = true;
    o.mirror = 1, o.mirror_given = true;
    return o;
}

/* Everything at once, stopped twice inside epochs, on other numbers of threads: the bits of an
   undisturbed run. */
static void a_scheduled_run_is_resumed_to_the_bit(void **state)
{
    (void)state;
    static const uint64_t ends[] = { 7, 40 };
    const double pi = acos(-1);
    double rates[8];
    run_or_fail(scheduled(out_a));
    assert_non_null(strstr(
        said, "sgd,lr=0.05,momentum=0.9,nesterov=false; cosine,epochs=4,min_lr=0,warmup=1.5; "
              "global_clip_norm 0.05; pictures mirrored"));
    for (int i = 0; i < 3; i++) {
        TrainOptions o = i ? resume_for(out_b) : scheduled(out_b);
        o.threads = i + 1;
        o.epochs = 4;
        o.steps = i < 2 ? ends[i] : 0;
        run_or_fail(o);
    }
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
    /* of the last update of each epoch of 16 */
    assert_int_equal(history_rates(out_b, rates), 4);
    assert_true(fabs(rates[0] - 0.05 / 1.5) < 1e-9);
    for (int i = 1; i < 4; i++) {
        double u = i + 15.0 / 16 - 1.5;
        assert_true(fabs(rates[i] - 0.025 * (1 + cos(pi * u / 2.5))) < 1e-9);
    }
}

/* What is mirrored depends on seed, epoch and picture: never on threads, and both kinds occur. */
static uint64_t seen[2]; /* sums of the first pixels' hashes of each row's ends */

static void chunk_that_looks(const void *prepared, const uint8_t *const *images,
                             const uint64_t *noise, int n, real *gradient, double *losses,
                             void *workspace, ModelClock *clock)
{
    uint8_t back[8 * 8 * 3];
    for (int i = 0; i < n && !clock; i++) { /* with a clock it is a look at the channels */
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
    Error error = { 0 };
    model.backward_chunk = chunk_that_looks;
    for (int i = 0; i < 3; i++) {
        TrainOptions o = options_for(out_b);
        o.epochs = 2; /* the second reads the cache */
        o.mirror = i > 0, o.mirror_given = true;
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
    assert_true(seen[1] > 900 && seen[1] < 1148); /* of 2048, within 5.5 deviations */
    /* Turned back, they are the pictures as they were: the sum of two epochs without mirroring,
       seen by numbers whose highest bit is ignored. */
    Dataset *set;
    DatasetOptions options = { 8, 8, 3, 1 << 20, 1, 0, 0 };
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
    static const double losses[] = { 0.5, 0.4, 0.395, 0.41, 0.3, 0.295, 0.292, 0.2, 0.1 };
    char epochs[64];
    int val;
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_a);
    model.loss = told_loss;
    told = losses;
    asked = 0;
    o.threads = 1;
    o.epochs = 9;
    o.patience = 2, o.patience_given = true;
    o.min_delta = 0.01, o.min_delta_given = true;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_non_null(strstr(said, "stopped early: no val_loss lower than 0.4 for 2 epochs"));
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 4 ");
    run_or_fail(resume_for(out_a));
    assert_non_null(strstr(said, "finished"));
    assert_non_null(strstr(said, "more --patience"));
    o = resume_for(out_a);
    o.threads = 1;
    o.patience = 3, o.patience_given = true;
    asked = 4 * 256;
    /* 0.3 is lower; 0.295 and 0.292 are not by 0.01; 0.2 and 0.1 are */
    assert_int_equal(run_model(&model, o, &error), 0);
    history_epochs(out_a, epochs, &val);
    assert_string_equal(epochs, "1 2 3 4 5 6 7 8 9 ");
}

static void the_rate_goes_down_on_a_plateau(void **state)
{
    (void)state;
    static const double losses[] = { 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.1 };
    /* after two epochs without a lower loss, and two more */
    static const double want[] = { 1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4 };
    double rates[16];
    Model model = caec_model;
    Error error = { 0 };
    model.loss = told_loss;
    told = losses;
    asked = 0;
    for (int i = 0; i < 2; i++) { /* stopped inside the fifth epoch */
        TrainOptions o = i ? resume_for(out_b) : options_for(out_b);
        o.threads = 1;
        o.epochs = 7;
        o.steps = i ? 0 : 4 * 16 + 5;
        if (i == 0)
            o.schedule = (ModelSchedule){ .name = "reduce_on_plateau",
                                          .factor = 0.5,
                                          .patience = 2 };
        else
            asked = 4 * 256; /* the end of the broken epoch was validated too */
        assert_int_equal(run_model(&model, o, &error), 0);
        assert_non_null(strstr(
            said, i ? "no lower val_loss for 2 epochs: the learning rate goes down to 0.00025"
                    : "no lower val_loss for 2 epochs: the learning rate goes down to 0.0005"));
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
    o.schedule = (ModelSchedule){ .name = "constant" };
    run_or_fail(o);
    o = resume_for(out_a);
    o.optimizer = (ModelOptimizer){
        .name = "adam", .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7
    };
    refused(o, EXIT_USAGE, "is trained by sgd");
    o.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 0.02, .momentum = 0.5 };
    o.epochs = 2;
    o.mirror_given = 1, o.mirror = 0;
    run_or_fail(o);
    assert_non_null(strstr(
        said, "sgd,lr=0.02,momentum=0.5,nesterov=false; constant,warmup=0; global_clip_norm 0.05"));
    assert_null(strstr(said, "mirrored"));
    o = resume_for(out_a);
    o.epochs = 3;
    o.schedule = (ModelSchedule){ .name = "step", .every = 2, .factor = 0.5 };
    o.clip_given = true; /* with all three 0: no clipping */
    run_or_fail(o);
    assert_non_null(
        strstr(said, "sgd,lr=0.02,momentum=0.5,nesterov=false; step,every=2,factor=0.5,warmup=0"));
    assert_null(strstr(said, "clip"));
    assert_int_equal(history_rates(out_a, rates), 3);
    assert_true(rates[0] == 0.05 && rates[1] == 0.02 && rates[2] == 0.01);
    o = options_for(out_b);
    o.schedule = (ModelSchedule){ .name = "cosine", .epochs = 3, .warmup = 3 };
    refused(o, EXIT_USAGE, "warmup of 3 epochs leaves nothing");
    o.schedule = (ModelSchedule){ .name = "cosine", .epochs = 3, .min_lr = 0.5 };
    refused(o, EXIT_USAGE, "min_lr 0.5 is above the learning rate 0.001");
}

/* The parameters of a file under a prefix, "" or "optimizer.average/"; how many values differ from
   those of another. */
static void read_parameters(const char *out, const char *name, const char *prefix, real *values)
{
    char path[PATH_SIZE];
    Safetensors file;
    Error error;
    file_of(out, name, path);
    assert_int_equal(weights_open(&file, path, &error), 0);
    if (weights_take(&caec_model, &file, path, prefix, NULL, values, &error) != 0)
        fail_msg("%s", error.text);
    safetensors_free(&file);
}

static double val_loss_of(const char *out, int row)
{
    char path[PATH_SIZE], *comma;
    size_t size;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size), *line = bytes;
    while (row-- >= 0)
        line = strchr(line, '\n') + 1;
    comma = strchr(strchr(line, ',') + 1, ',');
    const double loss = strtod(comma + 1, NULL);
    free(bytes);
    return loss;
}

static TrainOptions averaging(const char *out, int epochs)
{
    TrainOptions o = options_for(out);
    o.epochs = (uint64_t)epochs;
    o.ema = 0.9, o.ema_given = true;
    return o;
}

/* val_loss and best are of the averages, and last holds both, also through two stops inside
   epochs. */
static void a_run_keeps_averages(void **state)
{
    (void)state;
    static real best[REALS], last[REALS], average[REALS];
    run_or_fail(averaging(out_a, 3));
    assert_non_null(strstr(said, "; ema 0.9"));
    for (int i = 0; i < 3; i++) {
        TrainOptions o = i ? resume_for(out_b) : averaging(out_b, 3);
        o.threads = i + 1;
        o.epochs = 3;
        o.steps = i < 2 ? (uint64_t[]){ 7, 40 }[i] : 0;
        run_or_fail(o);
    }
    assert_same_file("last.safetensors");
    assert_same_file("best.safetensors");
    read_parameters(out_a, "best.safetensors", "", best);
    read_parameters(out_a, "last.safetensors", "", last);
    read_parameters(out_a, "last.safetensors", "optimizer.average/", average);
    assert_memory_equal(best, average, sizeof best); /* the last epoch was the best */
    assert_memory_not_equal(last, average, sizeof last);
    /* a run that starts from the averages, and has not moved by its end, has their val_loss */
    const double loss = val_loss_of(out_a, 2);
    char path[PATH_SIZE];
    file_of(out_a, "best.safetensors", path);
    TrainOptions o = options_for(out_b);
    o.epochs = 1;
    o.init = path;
    o.lr = 1e-30;
    run_or_fail(o);
    assert_true(loss > 0 && fabs(val_loss_of(out_b, 0) - loss) <= 1e-6 * loss);
    file_of(out_a, "last.safetensors", path); /* --init takes the parameters, not the averages */
    run_or_fail(o);
    assert_true(fabs(val_loss_of(out_b, 0) - loss) > 1e-6 * loss);
}

/* Averages change nothing that is learnt, and a resumed run may begin or leave them. */
static void averages_come_and_go(void **state)
{
    (void)state;
    static real plain[REALS], last[REALS], average[REALS];
    TrainOptions o = options_for(out_a);
    o.epochs = 2;
    run_or_fail(o);
    read_parameters(out_a, "last.safetensors", "", plain);
    run_or_fail(averaging(out_b, 2));
    read_parameters(out_b, "last.safetensors", "", last);
    assert_memory_equal(plain, last, sizeof last);
    o = resume_for(out_b);
    o.epochs = 3;
    o.ema_given = true;
    run_or_fail(o);
    assert_null(strstr(said, "ema"));
    o = resume_for(out_b);
    o.steps = 3 * 16 + 1;
    o.ema = 0.5, o.ema_given = true;
    read_parameters(out_b, "last.safetensors", "", plain);
    run_or_fail(o);
    read_parameters(out_b, "last.safetensors", "", last);
    read_parameters(out_b, "last.safetensors", "optimizer.average/", average);
    for (int i = 0; i < REALS; i++)
        assert_true(fabs((double)average[i] - ((double)plain[i] + (double)last[i]) / 2)
                    <= 1e-6 * (1 + fabs((double)last[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheduled_run_is_resumed_to_the_bit),
        cmocka_unit_test(a_run_keeps_averages),
        cmocka_unit_test(averages_come_and_go),
        cmocka_unit_test(pictures_are_mirrored),
        cmocka_unit_test(early_stopping_ends_the_run),
        cmocka_unit_test(the_rate_goes_down_on_a_plateau),
        cmocka_unit_test(what_a_resumed_run_takes_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
