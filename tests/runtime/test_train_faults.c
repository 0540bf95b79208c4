/* Whole runs of models in which something goes wrong: numbers that are not finite, channels that
   die. */
#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include "data/dataset.h"
#include "weights/initial.h"
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

/* One picture, known by its bytes, that brings a number which is not finite: into a value on its
   way, the loss alone, or the gradient alone; or a huge one. */
static uint8_t bad_picture[8 * 8 * 3];
/* 0 the first convolution's value, 1 the loss, 2 a gradient, 3 a gradient that is only huge */
static int bad_place;
static unsigned bad_from; /* calls before it begins */
static unsigned calls;

static void chunk_with_a_bad_picture(const void *prepared, const uint8_t *const *images,
                                     const uint64_t *noise, int n, real *gradient, double *losses,
                                     void *workspace, ModelClock *clock)
{
    if (clock)
        clock->last = clock->now();
    for (int i = 0; i < n; i++) {
        unsigned call;
        int bad = memcmp(images[i], bad_picture, sizeof bad_picture) == 0;
#pragma omp atomic capture
        call = calls++;
        caec_model.backward_chunk(prepared, images + i, noise ? noise + i : NULL, 1, gradient,
                                  losses + i, workspace, NULL);
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
    static const struct {
        const char *what, *where;
    } places[] = {
        { "the loss is not", "in encoder.conv1 (forward)" },
        { "the loss is not", "in the loss" },
        { "the gradient is not", "in decoder.conv1.kernel" },
    };
    char path[PATH_SIZE];
    size_t size;
    Dataset *set;
    DatasetOptions options = { 8, 8, 3, 1 << 20, 1, 0, 0 };
    uint32_t order[1] = { 700 }, which[1];
    const uint8_t *pixels[1];
    Error error = { 0 };
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
        bad_from = 1024; /* in the second epoch */
        calls = 0;
        o.epochs = 3;
        o.checkpoint_updates = 8;
        assert_int_equal(run_model(&model, o, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        snprintf(want, sizeof want, "%s a finite number at step ", places[i].what);
        if (!strstr(error.text, want) || !strstr(error.text, places[i].where)
            || !strstr(error.text, dataset_name(set, 700)))
            fail_msg("%s", error.text);
        int step = atoi(strstr(error.text, "at step ") + 8);
        assert_true(step > 16 && step <= 32);
        file_of(out_b, "diagnosis.txt", path);
        char *text = read_file(path, &size);
        if (!strstr(text, dataset_name(set, 700)) || !strstr(text, "diagnosis --resume")
            || !strstr(text, "encoder.conv1.bias: largest "))
            fail_msg("%s", text);
        if (strstr(text, "tensor    ")
                ? !strstr(text, "tensor    the gradient of decoder.conv1.kernel\n")
                : i == 2)
            fail_msg("%s", text);
        free(text);
        /* the state is there: the very next step is the bad one */
        snprintf(again, sizeof again, "%s/diagnosis", out_b);
        bad_from = 0;
        o = resume_for(again);
        assert_int_equal(run_model(&model, o, &error), -1);
        snprintf(want, sizeof want, "at step %d ", step);
        if (!strstr(error.text, want) || !strstr(error.text, dataset_name(set, 700)))
            fail_msg("%s", error.text);
        snprintf(want, sizeof want, "at step %d,", step - 1);
        assert_non_null(strstr(said, want));
        o = resume_for(out_b); /* and what was good still is */
        o.epochs = 3;
        run_or_fail(o);
    }
    dataset_close(set);
}

/* A gradient so large that the update leaves a parameter which is no number: the picture with the
   largest share is named. Needs the picture of the case before. */
static void a_parameter_that_is_no_number(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    size_t size;
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b);
    model.backward_chunk = chunk_with_a_bad_picture;
    bad_place = 3;
    bad_from = 0;
    o.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 1e3 };
    o.epochs = 1;
    assert_int_equal(run_model(&model, o, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    if (!strstr(error.text, "a parameter is not a finite number at step ")
        || !strstr(error.text, "in decoder.conv1.kernel, with built-in picture ")
        || !strstr(error.text, "still holds step 0"))
        fail_msg("%s", error.text);
    file_of(out_b, "diagnosis.txt", path);
    char *text = read_file(path, &size);
    assert_non_null(strstr(text, "has the largest share in the gradient"));
    assert_non_null(strstr(text, "decoder.conv1.kernel: largest inf"));
    assert_non_null(strstr(text, "tensor    decoder.conv1.kernel\n"));
    free(text);
    o = resume_for(out_b);
    o.lr = 1e-3;
    o.steps = 2;
    run_or_fail(o);
}

static void chunk_without_numbers(const void *prepared, const uint8_t *const *images,
                                  const uint64_t *noise, int n, real *gradient, double *losses,
                                  void *workspace, ModelClock *clock)
{
    caec_model.backward_chunk(prepared, images, noise, n, gradient, losses, workspace, clock);
    gradient[caec_model.parameters[2].offset] = INFINITY;
    for (int i = 0; i < n; i++)
        losses[i] = INFINITY;
}

/* Before the first update no learning rate is to blame: the weights are, of a file or drawn. What
   follows the loss is told of as what it is. */
static void weights_that_do_not_work(void **state)
{
    (void)state;
    char path[PATH_SIZE], given[PATH_SIZE], want[PATH_SIZE + 64];
    size_t size;
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_a);
    o.steps = 1;
    run_or_fail(o);
    file_of(out_a, "last.safetensors", given);
    model.backward_chunk = chunk_without_numbers;
    o = options_for(out_b);
    for (int i = 0; i < 2; i++) {
        o.init = i ? NULL : given;
        assert_int_equal(run_model(&model, o, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        snprintf(want, sizeof want, "before any update: the weights %s%s%s",
                 i ? "that it began with" : "of ", i ? "" : given, " do not work; ");
        if (!strstr(
                error.text,
                "the loss is not a finite number at step 1, in the loss, with built-in picture ")
            || !strstr(error.text, want) || strstr(error.text, "--lr")
            || strstr(error.text, "diverged"))
            fail_msg("%s", error.text);
        file_of(out_b, "diagnosis.txt", path);
        char *text = read_file(path, &size);
        assert_non_null(strstr(text, "layer     the loss\n"));
        assert_non_null(strstr(text, "tensor    the gradient of decoder.conv1.kernel\n"));
        free(text);
    }
}

static double loss_with_a_bad_picture(const void *prepared, const uint8_t *image, void *workspace)
{
    return memcmp(image, bad_picture, sizeof bad_picture) == 0
               ? NAN
               : caec_model.loss(prepared, image, workspace);
}

/* The validation's loss, by one of its own pictures; what was trained until then is kept beside,
   and comes to it again. */
static void a_validation_that_is_no_number(void **state)
{
    (void)state;
    char again[640];
    Dataset *set;
    DatasetOptions options = { 8, 8, 3, 1 << 20, 1, 0, 0 };
    uint32_t order[1] = { 99 }, which[1];
    const uint8_t *pixels[1];
    Error error = { 0 };
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
        if (!strstr(error.text, "the validation loss is not a finite number")
            || !strstr(error.text, dataset_name(set, 99))
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

/* Biases so low that the first two channels of encoder.conv1 die, of which one does so in the
   second epoch. */
static void backward_that_kills(const void *prepared, const uint8_t *const *images,
                                const uint64_t *noise, int n, real *gradient, double *losses,
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
    Error error = { 0 };
    TrainOptions o = options_for(out_b);
    model.backward_chunk = backward_that_kills;
    o.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 1e-4 };
    o.epochs = 4;
    calls = 0;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(
        times_said("encoder.conv1: 1 of 4 channels is dead, 0 for each of 32 pictures (0)"), 1);
    assert_int_equal(
        times_said("encoder.conv1: 2 of 4 channels are dead, 0 for each of 32 pictures (0, 1)"), 1);
    assert_int_equal(times_said(" dead, 0 for each"), 2); /* each epoch's news alone */
    assert_true(strstr(said, "(0)") < strstr(said, "Epoch 2/4"));
}

static int countdown;

/* Channel 1 comes out as 0 until countdown has run out. */
static void reconstruct_dead(const void *prepared, const uint8_t *image, real *output,
                             void *workspace, ModelClock *clock)
{
    caec_model.reconstruct(prepared, image, output, workspace, clock);
    if (countdown-- > 0)
        for (int i = 1; i < 8 * 8 * 3; i += 3)
            output[i] = 0;
}

/* Two drawings are dead for all of the 16 pictures looked at, the third is taken; nothing but the
   layer's kernel is drawn again. */
static void a_dead_output_is_drawn_anew(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    real want[512], got[512];
    Model model = caec_model;
    Error error = { 0 };
    TrainOptions o = options_for(out_b);
    o.steps = 1;
    /* so that the update leaves the parameters as they are, but for biases of 0 */
    o.lr = 1e-30;
    o.seed = 5, o.seed_given = true;
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

    o.init = path; /* weights of a file are only warned about */
    countdown = 16;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("drawn anew"), 0);

    o.init = NULL; /* dead for ever: a warning, and the run goes on */
    countdown = 1000000;
    assert_int_equal(run_model(&model, o, &error), 0);
    assert_int_equal(times_said("drawn anew"), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_and_the_layer_are_named),
        cmocka_unit_test(a_parameter_that_is_no_number),
        cmocka_unit_test(weights_that_do_not_work),
        cmocka_unit_test(a_validation_that_is_no_number),
        cmocka_unit_test(a_dying_network_is_told_of),
        cmocka_unit_test(a_dead_output_is_drawn_anew),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
