/* Optimizers and schedules as text: read, written and read again to the bit, and refused. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void defaults_and_numbers(void **state)
{
    (void)state;
    ModelOptimizer o;
    ModelSchedule s;
    Error error;
    assert_int_equal(settings_read_optimizer(&o, "sgd", &error), 0);
    assert_string_equal(o.name, "sgd");
    assert_true(o.lr == 0.01 && o.momentum == 0 && o.beta1 == 0);
    assert_int_equal(settings_read_optimizer(&o, "adamw,weight_decay=0.1,lr=2e-4", &error), 0);
    assert_true(o.lr == 2e-4 && o.weight_decay == 0.1 && o.beta1 == 0.9 && o.beta2 == 0.999
                && o.eps == 1e-7);
    assert_int_equal(settings_read_schedule(&s, "cosine,warmup=1.5", &error), 0);
    assert_string_equal(s.name, "cosine");
    assert_true(s.epochs == 0 && s.warmup == 1.5 && s.min_lr == 0);
    assert_int_equal(settings_read_schedule(&s, "reduce_on_plateau,patience=3", &error), 0);
    assert_true(s.factor == 0.1 && s.patience == 3 && s.min_delta == 1e-4 && s.cooldown == 0);
}

static void every_bit_comes_back(void **state)
{
    (void)state;
    ModelOptimizer o = { .name = "adamw",
                         .lr = 1.0 / 3,
                         .beta1 = 0.1 + 0.2,
                         .beta2 = 1 - 0x1p-20,
                         .eps = 5e-324,
                         .weight_decay = 40 },
                   back;
    ModelSchedule s = { .name = "step", .every = 7, .factor = 2.0 / 3, .warmup = 1e-5 / 3 }, again;
    char text[SETTINGS_TEXT];
    Error error;
    settings_optimizer_text(&o, text);
    assert_int_equal(settings_read_optimizer(&back, text, &error), 0);
    assert_true(back.lr == o.lr && back.beta1 == o.beta1 && back.beta2 == o.beta2
                && back.eps == o.eps && back.weight_decay == 40);
    settings_schedule_text(&s, text);
    assert_int_equal(settings_read_schedule(&again, text, &error), 0);
    assert_true(again.every == 7 && again.factor == s.factor && again.warmup == s.warmup);
    s = (ModelSchedule){ .name = "cosine", .warmup = 2 };
    settings_schedule_text(&s, text); /* without epochs, which are the run's */
    assert_string_equal(text, "cosine,min_lr=0,warmup=2");
}

static void refused(const char *text, int schedule, const char *words)
{
    ModelOptimizer o;
    ModelSchedule s;
    Error error;
    assert_int_equal(schedule ? settings_read_schedule(&s, text, &error)
                              : settings_read_optimizer(&o, text, &error),
                     -1);
    assert_int_equal(error.exit_code, EXIT_USAGE);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refused("lion", 0, "there are adam, adamw, sgd");
    refused("", 0, "there are adam");
    refused("cosine", 0, "no optimizer");
    refused("adam", 1, "there are constant, step, cosine, reduce_on_plateau");
    refused("sgd,beta1=1", 0,
            "beta1=1: give numbers of sgd as NAME=NUMBER; it has lr, momentum, nesterov");
    refused("adagrad,initial_accumulator=-1", 0,
            "initial_accumulator of adagrad is a number from 0 to 1000000");
    refused("adadelta,rho=1", 0, "rho of adadelta is a number from 0 to 0.999999");
    refused("nadam,rho=0.9", 0, "give numbers of nadam as NAME=NUMBER; it has lr, beta1, beta2");
    refused("sgd,nesterov=1", 0, "nesterov=1: nesterov of sgd is true or false");
    refused("sgd,", 0, "it has lr, momentum");
    refused("sgd,lr", 0, "it has lr, momentum");
    refused("sgd,lr=", 0, "lr of sgd is a number from 0 to 1000");
    refused("sgd,lr=x", 0, "lr=x: lr of sgd");
    refused("sgd,lr=1x,momentum=0.5", 0, "lr=1x: lr of sgd");
    refused("sgd,lr=nan", 0, "lr of sgd");
    refused("sgd,momentum=1", 0, "momentum of sgd is a number from 0 to 0.999999");
    refused("step,every=1.5", 1, "every of step is a whole number from 1 to 16777216");
    refused("step,every=0", 1, "every of step");
    refused("cosine,epochs=0", 1, "epochs of cosine is a whole number from 1");
    refused("cosine warmup=2", 1, "no schedule is called that");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_numbers),
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
