/* Learning-rate schedules against their formulas, and what waits for the loss to fall against
   hand-counted epochs (Keras's callbacks). */
#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const Plateau fresh = { { INFINITY, 0 }, 0, 1 };

static void want(const ModelSchedule *s, double lr, double begin, double end, double rate)
{
    double got = schedule_rate(s, &fresh, lr, begin, end);
    if (!(fabs(got - rate) <= 1e-15 + 1e-12 * rate))
        fail_msg("%s gives %.17g at %g, not %.17g", s->name, got, begin, rate);
}

static void constant(void **state)
{
    (void)state;
    const ModelSchedule s = { .name = "constant" };
    want(&s, 0.01, 0, 0.1, 0.01);
    want(&s, 0.01, 1000, 1000.1, 0.01);
}

/* Epochs of 4 updates: the rate rises by equal steps and is lr from the last update of the warm-up
   on. */
static void warm_up(void **state)
{
    (void)state;
    const ModelSchedule s = { .name = "constant", .warmup = 2 };
    for (int i = 0; i < 12; i++)
        want(&s, 0.08, i / 4.0, (i + 1) / 4.0, i < 8 ? 0.01 * (i + 1) : 0.08);
    const ModelSchedule half = { .name = "constant", .warmup = 0.5 };
    want(&half, 1, 0, 0.25, 0.5);
    want(&half, 1, 0.25, 0.75, 1); /* an update across its end */
    want(&half, 1, 0.5, 0.75, 1);
}

static void step(void **state)
{
    (void)state;
    const ModelSchedule s = { .name = "step", .every = 3, .factor = 0.5 };
    static const double rates[] = { 8, 8, 8, 4, 4, 4, 2, 2, 2, 1 };
    for (int epoch = 0; epoch < 10; epoch++) {
        want(&s, 8, epoch, epoch + 0.5, rates[epoch]);
        want(&s, 8, epoch + 0.999, epoch + 1, rates[epoch]);
    }
    /* counted from the end of the warm-up */
    const ModelSchedule warm = { .name = "step", .every = 1, .factor = 0.1, .warmup = 1 };
    want(&warm, 1, 0.5, 0.75, 0.75);
    want(&warm, 1, 1, 1.25, 1);
    want(&warm, 1, 1.75, 2, 1);
    want(&warm, 1, 2, 2.25, 0.1);
}

static void cosine(void **state)
{
    (void)state;
    const ModelSchedule s = { .name = "cosine", .epochs = 12, .min_lr = 0.1 };
    want(&s, 1.1, 0, 0.1, 1.1);
    want(&s, 1.1, 4, 4.1, 0.1 + 0.75); /* cos(60 degrees) = 1/2 */
    want(&s, 1.1, 6, 6.1, 0.1 + 0.5);
    want(&s, 1.1, 8, 8.1, 0.1 + 0.25);
    want(&s, 1.1, 12, 12.1, 0.1);
    want(&s, 1.1, 100, 100.1, 0.1);
    const ModelSchedule warm = { .name = "cosine", .epochs = 14, .warmup = 2 };
    want(&warm, 1, 0.5, 1, 0.5);
    want(&warm, 1, 2, 2.5, 1);
    want(&warm, 1, 8, 8.5, 0.5);
    want(&warm, 1, 14, 14.5, 0);
}

static void watching(void **state)
{
    (void)state;
    static const double losses[] = { 5, 4, 4, 3.95, 3.8, 3.9, 3.85, 3.75, 3.6 };
    /* with min_delta 0.1: 3.95 is not lower than 4 by more, 3.75 not than 3.8 */
    static const uint64_t waits[] = { 0, 0, 1, 2, 0, 1, 2, 3, 0 };
    BestLoss watch = { INFINITY, 0 };
    for (int i = 0; i < 9; i++)
        assert_int_equal(best_loss_epoch(&watch, losses[i], 0.1), waits[i]);
    assert_true(watch.best == 3.6);
}

static void reduce_on_plateau(void **state)
{
    (void)state;
    const ModelSchedule s = {
        .name = "reduce_on_plateau", .factor = 0.5, .patience = 2, .cooldown = 2, .min_lr = 0.3
    };
    /* reduced after two epochs without a lower loss; the next two are not counted (the second of
       them is, once its cooldown is over: Keras counts down first); then 1 * 0.5 -> 0.5 -> 0.3,
       where it stays. */
    static const double losses[] = { 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5 };
    static const double rates[] = { 1,   1,   1,   0.5, 0.5, 0.5, 0.3, 0.3,
                                    0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3 };
    Plateau plateau = fresh;
    for (int i = 0; i < 15; i++) {
        double before = schedule_rate(&s, &plateau, 1, i, i + 1);
        int reduced = plateau_epoch(&plateau, &s, 1, losses[i]);
        double after = schedule_rate(&s, &plateau, 1, i + 1, i + 2);
        assert_true(fabs(after - rates[i]) < 1e-15);
        assert_int_equal(reduced, after < before);
    }
    const ModelSchedule other = { .name = "constant" };
    plateau = fresh;
    for (int i = 0; i < 50; i++)
        assert_int_equal(plateau_epoch(&plateau, &other, 1, 1), 0);
    assert_true(plateau.scale == 1 && plateau.best.wait == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant), cmocka_unit_test(warm_up),  cmocka_unit_test(step),
        cmocka_unit_test(cosine),   cmocka_unit_test(watching), cmocka_unit_test(reduce_on_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
