/* Penalties of kernels: their values and slopes by hand, in the trainer's loss and gradient, and of
   those parameters alone that a stage trains. */
#include "penalty.h"
#include "tiny_model.h"
#include "train/trainer.h"
#include "weights/initial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const ModelPenalty penalties[] = { { 0, 0.5, 0 }, { 2, 0.25, 2 } };

static Model penalized(void)
{
    Model model = caec_model;
    model.penalties = penalties;
    model.penalty_count = 2;
    model.l1_column = model.l2_column = -1;
    return model;
}

/* As the definition says it. */
static double right_penalty(const Model *model, const real *w, int first)
{
    double sum = 0;
    for (int i = first; i < 2; i++) {
        const ModelParameter *p = &model->parameters[penalties[i].parameter];
        for (size_t k = p->offset; k < p->offset + p->count; k++)
            sum += penalties[i].l1 * fabs((double)w[k])
                   + penalties[i].l2 * (double)w[k] * (double)w[k];
    }
    return sum;
}

static void of_all_and_of_a_stage(void **state)
{
    (void)state;
    const Model model = penalized();
    unsigned char trains[64] = { 0 };
    ModelStage stage = { .trains = trains };
    real w[4096], gradient[4096] = { 0 };
    assert_in_range(model.parameter_reals, 1, 4096);
    assert_in_range(model.parameter_count, 3, 64);
    initial_draw(&model, 3, w);
    w[0] = 0;
    Penalty all = penalty_of(&model, NULL, w);
    assert_true(fabs((all.l1 + all.l2) / right_penalty(&model, w, 0) - 1) < 1e-12);
    trains[2] = 1;
    all = penalty_of(&model, &stage, w);
    assert_true(fabs((all.l1 + all.l2) / right_penalty(&model, w, 1) - 1) < 1e-12);
    penalty_add_gradient(&model, &stage, w, 3, gradient);
    assert_true(gradient[1] == 0);
    penalty_add_gradient(&model, NULL, w, 3, gradient);
    const ModelParameter *p = &model.parameters[2];
    const double v = (double)w[p->offset], slope = 3 * ((v > 0 ? 0.25 : -0.25) + 4 * v);
    assert_true(fabs((double)gradient[p->offset] / (2 * slope) - 1) < 1e-6);
    assert_true(gradient[0] == 0);
    assert_true(fabs((double)gradient[1]) == 1.5);
}

/* Every image's loss has the whole, and an update by the mean the gradient of it once. */
static void in_the_trainer(void **state)
{
    (void)state;
    enum { IMAGES = 3 };
    static uint8_t pixels[IMAGES][4096];
    const uint8_t *images[IMAGES];
    const Model model = penalized();
    ModelTraining training = model.training;
    Trainer plain, t;
    Error error;
    training.optimizer = (ModelOptimizer){ .name = "sgd", .lr = 0.25 };
    for (int i = 0; i < IMAGES; i++) {
        memset(pixels[i], 40 * i, sizeof pixels[i]);
        images[i] = pixels[i];
    }
    assert_int_equal(trainer_open(&plain, &caec_model, &training, IMAGES, 1, &error), 0);
    assert_int_equal(trainer_open(&t, &model, &training, IMAGES, 2, &error), 0);
    initial_draw(&model, 3, plain.parameters);
    initial_draw(&model, 3, t.parameters);
    trainer_prepare(&plain);
    trainer_prepare(&t);
    const double penalty = right_penalty(&model, t.parameters, 0);
    real before[4096], slopes[4096] = { 0 };
    memcpy(before, t.parameters, model.parameter_reals * sizeof(real));
    penalty_add_gradient(&model, NULL, before, 1, slopes);
    assert_int_equal(trainer_step(&plain, images, NULL, IMAGES), TRAINER_FINE);
    assert_int_equal(trainer_step(&t, images, NULL, IMAGES), TRAINER_FINE);
    /* at the parameters that the losses are of, not at those after the update */
    assert_true(fabs(trainer_loss_sum(&t, IMAGES, 0) - trainer_loss_sum(&plain, IMAGES, 0)
                     - IMAGES * penalty)
                < 1e-9);
    for (size_t i = 0; i < model.parameter_reals; i++)
        assert_true(fabs((double)(t.parameters[i] - plain.parameters[i]) + 0.25 * (double)slopes[i])
                    < 1e-6);
    initial_draw(&model, 3, plain.parameters);
    initial_draw(&model, 3, t.parameters);
    trainer_prepare(&plain);
    trainer_prepare(&t);
    trainer_evaluate(&plain, images, IMAGES);
    trainer_evaluate(&t, images, IMAGES);
    assert_true(fabs(trainer_loss_sum(&t, IMAGES, 0) - trainer_loss_sum(&plain, IMAGES, 0)
                     - IMAGES * penalty)
                < 1e-9);
    trainer_close(&plain);
    trainer_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_all_and_of_a_stage),
                                        cmocka_unit_test(in_the_trainer) };
    return cmocka_run_group_tests_name("penalty", tests, NULL, NULL);
}
