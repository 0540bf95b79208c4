/* The trainer with the small model of tiny_model.c: gradients against finite differences, bits
   against other numbers of threads. */
#include "tiny_model.h"
#include "weights/initial.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 13, IMAGE_BYTES = 8 * 8 * 3 };

static uint8_t pixels[IMAGES][IMAGE_BYTES];
static const uint8_t *images[IMAGES];

static int draw_images(void **state)
{
    (void)state;
    uint32_t x = 12345;
    for (int i = 0; i < IMAGES; i++) {
        for (int k = 0; k < IMAGE_BYTES; k++) {
            x = x * 1664525u + 1013904223u;
            pixels[i][k] = (uint8_t)(x >> 24);
        }
        images[i] = pixels[i];
    }
    return 0;
}

static void open_trainer(Trainer *t, const Model *model, int threads)
{
    Error error;
    assert_int_equal(trainer_open(t, model, &model->training, IMAGES, threads, &error), 0);
    initial_draw(model, 7, t->parameters);
    trainer_prepare(t);
}

/* A chunk is worth its sum; the last one of a batch, or the last batch of an epoch, changes
   nothing. */
static void chunks_follow_the_batch_and_the_work(void **state)
{
    (void)state;
    static const struct {
        double macs_a_real;
        int batch, chunk;
    } cases[] = { { 1400, 64, 1 }, { 1399, 64, 2 },   { 350, 64, 4 }, { 349, 64, 8 },
                  { 1, 64, 8 },    { 1, 1 << 20, 8 }, { 1, 63, 4 },   { 1, 31, 2 },
                  { 1, 15, 1 },    { 1, 1, 1 },       { 700, 16, 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model model = caec_model;
        model.train_macs = cases[i].macs_a_real * (double)model.parameter_reals;
        assert_int_equal(trainer_chunk(&model, cases[i].batch, cases[i].batch), cases[i].chunk);
        assert_int_equal(trainer_chunk(&model, cases[i].batch, 1), cases[i].chunk);
    }
}

/* As few chunks as hold the batch, of equal size. */
static void chunks_hold_whole_microbatches(void **state)
{
    (void)state;
    const Model batched = tiny_batched();
    assert_int_equal(trainer_chunk(&batched, 64, 1), 1);
    assert_int_equal(trainer_chunk(&batched, 64, 3), 3);
    assert_int_equal(trainer_chunk(&batched, 64, 4), 4);
    assert_int_equal(trainer_chunk(&batched, 64, 5), 3);
    assert_int_equal(trainer_chunk(&batched, 64, 64), 4);
}

/* So its total is that of one pass over all images. */
static void one_chunk_accumulates_in_place(void **state)
{
    (void)state;
    Model model = caec_model;
    model.accumulates_in_place = 1;
    assert_int_equal(trainer_chunk(&model, 64, 64), 64);
    assert_int_equal(trainer_chunk(&model, 64, 13), 13);
}

static double sum_of_losses(Trainer *t)
{
    trainer_prepare(t);
    trainer_evaluate(t, images, IMAGES);
    return trainer_loss_sum(t, IMAGES, 0);
}

/* Ties of a ReLU or a pool within the step spoil single values, so nine tenths of them have to
   agree well, and all of them roughly. */
static void gradient_is_the_derivative_of_the_sum(void **state)
{
    (void)state;
    const int is_float = sizeof(real) == sizeof(float);
    const double h = is_float ? 1e-2 : 1e-6, close = is_float ? 2e-2 : 1e-6;
    size_t count = caec_model.parameter_reals, good = 0;
    double largest = 0;
    Trainer t;
    open_trainer(&t, &caec_model, 2);
    trainer_gradient(&t, images, NULL, IMAGES);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)t.total[i]));
    assert_true(largest > 0.1);
    for (size_t i = 0; i < count; i++) {
        real w = t.parameters[i];
        t.parameters[i] = (real)((double)w + h);
        double above = sum_of_losses(&t), at = (double)t.parameters[i];
        t.parameters[i] = (real)((double)w - h);
        double below = sum_of_losses(&t),
               difference = (above - below) / (at - (double)t.parameters[i]);
        t.parameters[i] = w;
        good += fabs(difference - (double)t.total[i]) <= close * largest;
        assert_true(fabs(difference - (double)t.total[i]) <= 0.2 * largest);
    }
    assert_true(good * 10 >= count * 9);
    trainer_close(&t);
}

/* The sum of the n chunks of two from `first` on, which meet in the middle of the next power of
   two. */
static void sum_chunks(const Trainer *t, int first, int n, real *sum)
{
    const size_t count = caec_model.parameter_reals;
    double losses[2];
    int half = 1;
    memset(sum, 0, count * sizeof *sum);
    if (n == 1) {
        caec_model.backward_chunk(t->prepared, images + 2 * first, NULL,
                                  2 * first + 2 <= IMAGES ? 2 : 1, sum, losses, t->workspaces[0],
                                  NULL);
        return;
    }
    while (2 * half < n)
        half *= 2;
    real *right = malloc(count * sizeof *right);
    sum_chunks(t, first, half, sum);
    sum_chunks(t, first + half, n - half, right);
    for (size_t i = 0; i < count; i++)
        sum[i] += right[i];
    free(right);
}

static void total_is_the_tree_of_the_chunks(void **state)
{
    (void)state;
    size_t count = caec_model.parameter_reals;
    real *sum = malloc(count * sizeof *sum);
    Model model = caec_model;
    Trainer t;
    Error error;
    model.train_macs = 700 * (double)count;
    assert_int_equal(trainer_open(&t, &model, &model.training, 16, 3, &error), 0);
    initial_draw(&model, 7, t.parameters);
    trainer_prepare(&t);
    assert_int_equal(trainer_chunk(&model, 16, IMAGES), 2);
    sum_chunks(&t, 0, (IMAGES + 1) / 2, sum);
    trainer_gradient(&t, images, NULL, IMAGES);
    assert_memory_equal(t.total, sum, count * sizeof *sum);
    assert_true(trainer_spare_gradient(&t) != t.total);
    trainer_close(&t);
    free(sum);
}

static void check_threads(const Model *model)
{
    size_t bytes = model->parameter_reals * sizeof(real);
    real *first = malloc(bytes);
    for (int threads = 1; threads <= 5; threads++) {
        Trainer t;
        open_trainer(&t, model, threads);
        for (int step = 0; step < 10; step++)
            trainer_step(&t, images, NULL, IMAGES - step);
        if (threads == 1)
            memcpy(first, t.parameters, bytes);
        assert_memory_equal(t.parameters, first, bytes);
        trainer_close(&t);
    }
    free(first);
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    const Model batched = tiny_batched();
    check_threads(&caec_model);
    check_threads(&batched);
}

/* Losses by microbatches, the last of them smaller, are the losses of the images. */
static void evaluation_by_microbatches(void **state)
{
    (void)state;
    const Model model = tiny_batched();
    Trainer one, batched;
    open_trainer(&one, &caec_model, 2);
    open_trainer(&batched, &model, 2);
    trainer_evaluate(&one, images, IMAGES);
    tiny_largest_microbatch = 0;
    trainer_evaluate(&batched, images, IMAGES);
    assert_int_equal(tiny_largest_microbatch, TINY_MICROBATCH);
    assert_memory_equal(one.losses, batched.losses, IMAGES * sizeof *one.losses);
    trainer_close(&one);
    trainer_close(&batched);
}

/* The mean over a batch's own images: a batch of the same image twice moves the parameters as the
   image alone. */
static void update_is_by_the_mean(void **state)
{
    (void)state;
    const uint8_t *twice[] = { images[0], images[0] };
    Trainer a, b;
    open_trainer(&a, &caec_model, 1);
    open_trainer(&b, &caec_model, 1);
    trainer_step(&a, images, NULL, 1);
    trainer_step(&b, twice, NULL, 2);
    assert_memory_equal(a.parameters, b.parameters, caec_model.parameter_reals * sizeof(real));
    assert_memory_equal(a.optimizer.state[0], b.optimizer.state[0],
                        caec_model.parameter_reals * sizeof(real));
    trainer_close(&a);
    trainer_close(&b);
}

static void training_lowers_the_loss(void **state)
{
    (void)state;
    Trainer t;
    open_trainer(&t, &caec_model, 2);
    double before = sum_of_losses(&t);
    for (int step = 0; step < 200; step++)
        trainer_step(&t, images, NULL, IMAGES);
    assert_true(sum_of_losses(&t) < 0.7 * before);
    trainer_close(&t);
}

static void bad_loss(const void *prepared, const uint8_t *const *chunk, const uint64_t *noise,
                     int n, real *gradient, double *losses, void *workspace, ModelClock *clock)
{
    caec_model.backward_chunk(prepared, chunk, noise, n, gradient, losses, workspace, clock);
    losses[n - 1] = INFINITY;
}

static void infinite_loss_leaves_parameters_alone(void **state)
{
    (void)state;
    Model model = caec_model;
    size_t bytes = model.parameter_reals * sizeof(real);
    real *before = malloc(bytes);
    Trainer t;
    model.backward_chunk = bad_loss;
    open_trainer(&t, &model, 2);
    memcpy(before, t.parameters, bytes);
    trainer_step(&t, images, NULL, IMAGES);
    assert_false(isfinite(trainer_loss_sum(&t, IMAGES, 0)));
    assert_memory_equal(t.parameters, before, bytes);
    assert_int_equal(t.optimizer.t, 0);
    assert_true(trainer_parameters_finite(&t));
    t.parameters[model.parameter_reals - 1] = NAN;
    assert_false(trainer_parameters_finite(&t));
    trainer_close(&t);
    free(before);
}

/* Kernels of zeros leave relu(bias): 0.5, 2 and -1 become 128, 255 and a dead channel. */
static void bytes_and_dead_channels(void **state)
{
    (void)state;
    const ModelParameter *bias = &caec_model.parameters[caec_model.output_kernel + 1];
    real scratch[IMAGE_BYTES];
    uint8_t bytes[IMAGE_BYTES];
    Trainer t;
    open_trainer(&t, &caec_model, 1);
    memset(t.parameters, 0, caec_model.parameter_reals * sizeof(real));
    t.parameters[bias->offset] = (real)0.5;
    t.parameters[bias->offset + 1] = 2;
    t.parameters[bias->offset + 2] = -1;
    trainer_prepare(&t);
    trainer_reconstruct_bytes(&t, images[0], scratch, bytes);
    assert_int_equal(bytes[0], 128);
    assert_int_equal(bytes[1], 255);
    assert_int_equal(bytes[2], 0);
    assert_int_equal(trainer_dead_channel(&t, images, 3, scratch), 2);
    t.parameters[bias->offset + 2] = (real)1e-3;
    trainer_prepare(&t);
    assert_int_equal(trainer_dead_channel(&t, images, 3, scratch), -1);
    trainer_close(&t);
}

/* Weight decay, too, leaves it alone; the others learn as if it were trained, for one step. */
static void what_is_not_trained_rests(void **state)
{
    (void)state;
    static const unsigned char trains[] = { 1, 0, 1, 1 };
    Model model = caec_model;
    model.training.optimizer.name = "adamw";
    model.training.optimizer.weight_decay = 0.1;
    Trainer all, some;
    open_trainer(&all, &model, 1);
    model.trains = trains;
    open_trainer(&some, &model, 2);
    for (size_t i = 0; i < model.parameter_reals; i++)
        all.parameters[i] = some.parameters[i] = (real)(0.3 * sin((double)i + 1));
    trainer_prepare(&all);
    trainer_prepare(&some);
    trainer_step(&all, images, NULL, IMAGES);
    trainer_step(&some, images, NULL, IMAGES);
    for (int p = 0; p < 4; p++)
        for (size_t i = model.parameters[p].offset, k = 0; k < model.parameters[p].count;
             i++, k++) {
            const real rests = (real)(0.3 * sin((double)i + 1));
            assert_true(all.parameters[i] != rests);
            assert_true(some.parameters[i] == (trains[p] ? all.parameters[i] : rests));
            assert_true(trains[p]
                        || (some.optimizer.state[0][i] == 0 && some.optimizer.state[1][i] == 0));
        }
    trainer_close(&all);
    trainer_close(&some);
}

/* What training takes depends on the optimizer's numbers, so the refusal shows them. */
static void a_limit_names_the_optimizer_with_its_numbers(void **state)
{
    (void)state;
    Model model = caec_model;
    ModelTraining training = model.training;
    Trainer t;
    Error error;
    assert_int_equal(settings_read_optimizer(&training.optimizer, "rmsprop", &error), 0);
    model.memory_limit = trainer_bytes(&model, &training, IMAGES, 1);
    assert_int_equal(trainer_open(&t, &model, &training, IMAGES, 1, &error), 0);
    trainer_close(&t);
    assert_int_equal(settings_read_optimizer(&training.optimizer, "rmsprop,momentum=0.5", &error),
                     0);
    assert_int_equal(trainer_open(&t, &model, &training, IMAGES, 1, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "the optimizer rmsprop,lr=0.001,rho=0.9,momentum=0.5,"));
    assert_non_null(strstr(error.text, "give a smaller --batch or an --optimizer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_follow_the_batch_and_the_work),
        cmocka_unit_test(gradient_is_the_derivative_of_the_sum),
        cmocka_unit_test(total_is_the_tree_of_the_chunks),
        cmocka_unit_test(chunks_hold_whole_microbatches),
        cmocka_unit_test(one_chunk_accumulates_in_place),
        cmocka_unit_test(evaluation_by_microbatches),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(update_is_by_the_mean),
        cmocka_unit_test(what_is_not_trained_rests),
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(infinite_loss_leaves_parameters_alone),
        cmocka_unit_test(bytes_and_dead_channels),
        cmocka_unit_test(a_limit_names_the_optimizer_with_its_numbers),
    };
    return cmocka_run_group_tests(tests, draw_images, NULL);
}
