/* Each optimizer against Keras's numbers and against its definition. */
#include "compute/optimizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tgmath.h>
#define real_sqrt sqrt /* of tgmath.h */
#include "compute/rules.h"

static const ModelOptimizer keras = {
    .name = "adam", .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7
};

static double bound(void)
{
    return sizeof(real) == sizeof(float) ? 5e-7 : 1e-14;
}

static void open_or_fail(Optimizer *o, const ModelOptimizer *settings, size_t count)
{
    Error error;
    assert_int_equal(optimizer_open(o, settings, count, 0, &error), 0);
}

static void assert_close(double got, double want, double most)
{
    if (!(fabs(got - want) <= most))
        fail_msg("%.17g differs from %.17g by more than %g", got, want, most);
}

/* m = (1 - b1^t) g and v = (1 - b2^t) g^2, so every step moves by lr c g / (c |g| + eps), c =
   sqrt(1 - b2^t). */
static void constant_gradient(void **state)
{
    (void)state;
    const double g[] = { 0.5, -3.0, 1e-5, 0 };
    real w[4] = { 0 }, gradient[4];
    double want[4] = { 0 };
    Optimizer o;
    open_or_fail(&o, &keras, 4);
    for (int i = 0; i < 4; i++)
        gradient[i] = (real)g[i];
    for (int t = 1; t <= 20; t++) {
        double c = sqrt(1 - pow(0.999, t));
        optimizer_update(&o, w, gradient, 1, 1);
        for (int i = 0; i < 4; i++)
            want[i] -= 1e-3 * c * g[i] / (c * fabs(g[i]) + 1e-7);
    }
    for (int i = 0; i < 4; i++)
        assert_close((double)w[i], want[i], sizeof(real) == sizeof(float) ? 1e-6 : 1e-14);
    assert_int_equal(o.t, 20);
    optimizer_close(&o);
}

/* Keras's own numbers, see reference/optimizers.py. */
enum { VALUES = 4, KERAS_UPDATES = 6 };
typedef struct KerasUpdates {
    const char *optimizer;
    double ema; /* 0: what is after each update is the parameters */
    double after[KERAS_UPDATES][VALUES];
} KerasUpdates;

#define START(...) static const double keras_start[] = __VA_ARGS__;
#define GRADIENTS(...) static const double keras_gradients[KERAS_UPDATES][VALUES] = __VA_ARGS__;
#define UPDATES(...)
#define AVERAGES(...)
#include "../reference/optimizers.def"
#undef START
#undef GRADIENTS
#undef UPDATES
#undef AVERAGES

#define START(...)
#define GRADIENTS(...)
#define UPDATES(text, ...) { text, 0, __VA_ARGS__ },
#define AVERAGES(text, ema, ...) { text, ema, __VA_ARGS__ },
static const KerasUpdates keras_updates[] = {
#include "../reference/optimizers.def"
};
#undef START
#undef GRADIENTS
#undef UPDATES
#undef AVERAGES

static void want_updates_of_keras(const KerasUpdates *want)
{
    ModelOptimizer settings;
    Optimizer o;
    Error error;
    real w[VALUES], gradient[VALUES];
    assert_int_equal(settings_read_optimizer(&settings, want->optimizer, &error), 0);
    settings.ema = want->ema;
    open_or_fail(&o, &settings, VALUES);
    const real *got = want->ema > 0 ? o.state[SETTINGS_AVERAGE] : w;
    for (int i = 0; i < VALUES; i++)
        w[i] = (real)keras_start[i];
    for (int t = 0; t < KERAS_UPDATES; t++) {
        for (int i = 0; i < VALUES; i++)
            gradient[i] = (real)(keras_gradients[t][i] * 8); /* as the sum over a batch of 8 */
        assert_true(optimizer_update(&o, w, gradient, 1.0 / 8, 1));
        for (int i = 0; i < VALUES; i++)
            assert_close((double)got[i], want->after[t][i], bound());
    }
    optimizer_close(&o);
}

static void updates_of_keras(void **state)
{
    (void)state;
    bool tested[64] = { false };
    for (size_t k = 0; k < sizeof keras_updates / sizeof *keras_updates; k++) {
        const char *text = keras_updates[k].optimizer;
        want_updates_of_keras(&keras_updates[k]);
        for (int i = 0; settings_optimizers[i].name; i++)
            tested[i] |= strlen(settings_optimizers[i].name) == strcspn(text, ",")
                         && strncmp(text, settings_optimizers[i].name, strcspn(text, ",")) == 0;
    }
    for (int i = 0; settings_optimizers[i].name; i++)
        if (!tested[i])
            fail_msg("reference/optimizers.def has no updates by %s", settings_optimizers[i].name);
}

/* A gradient that does not change has no variance: what rounding leaves of it, which may be less
   than 0, is not divided by. */
static void a_centered_root_is_of_no_negative_number(void **state)
{
    (void)state;
    enum { N = 64 };
    const ModelOptimizer rmsprop = {
        .name = "rmsprop", .lr = 1e-6, .rho = 0.9, .centered = 1, .eps = 1e-30
    };
    real w[N] = { 0 }, gradient[N];
    Optimizer o;
    open_or_fail(&o, &rmsprop, N);
    for (int i = 0; i < N; i++)
        gradient[i] = (real)(1000 + i / 7.0);
    for (int t = 0; t < 500; t++)
        assert_true(optimizer_update(&o, w, gradient, 1, 1));
    optimizer_close(&o);
}

/* ---- each rule against its definition, for one parameter in double ---- */

/* Update t = 1, 2, ... of *w by the gradient g, with what is kept of it in a, b and c. */
typedef void Definition(const ModelOptimizer *o, int t, double g, double *w,
                        double kept[SETTINGS_STATES]);

static void define_adam(const ModelOptimizer *o, int t, double g, double *w,
                        double kept[SETTINGS_STATES])
{
    *w -= o->lr * o->weight_decay * *w;
    kept[0] = o->beta1 * kept[0] + (1 - o->beta1) * g;
    kept[1] = o->beta2 * kept[1] + (1 - o->beta2) * g * g;
    *w -= o->lr * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t)) * kept[0]
          / (sqrt(kept[1]) + o->eps);
}

static void define_sgd(const ModelOptimizer *o, int t, double g, double *w,
                       double kept[SETTINGS_STATES])
{
    (void)t;
    kept[0] = o->momentum * kept[0] - o->lr * g;
    *w += o->nesterov != 0 ? o->momentum * kept[0] - o->lr * g : kept[0];
}

static void define_rmsprop(const ModelOptimizer *o, int t, double g, double *w,
                           double kept[SETTINGS_STATES])
{
    (void)t;
    kept[0] = o->rho * kept[0] + (1 - o->rho) * g * g;
    kept[2] = o->rho * kept[2] + (1 - o->rho) * g;
    const double variance = kept[0] - (o->centered != 0 ? kept[2] * kept[2] : 0);
    kept[1] = o->momentum * kept[1] + o->lr * g / sqrt(variance + o->eps);
    *w -= kept[1];
}

static void define_adagrad(const ModelOptimizer *o, int t, double g, double *w,
                           double kept[SETTINGS_STATES])
{
    if (t == 1)
        kept[0] = o->initial_accumulator;
    kept[0] += g * g;
    *w -= o->lr * g / sqrt(kept[0] + o->eps);
}

static void define_adadelta(const ModelOptimizer *o, int t, double g, double *w,
                            double kept[SETTINGS_STATES])
{
    (void)t;
    kept[0] = o->rho * kept[0] + (1 - o->rho) * g * g;
    const double step = g * sqrt((kept[1] + o->eps) / (kept[0] + o->eps));
    kept[1] = o->rho * kept[1] + (1 - o->rho) * step * step;
    *w -= o->lr * step;
}

/* By Dozat's formula, with his mu. */
static void define_nadam(const ModelOptimizer *o, int t, double g, double *w,
                         double kept[SETTINGS_STATES])
{
    double product = 1, mu = 0, next;
    for (int i = 1; i <= t; i++)
        product *= mu = o->beta1 * (1 - 0.5 * pow(0.96, i));
    next = o->beta1 * (1 - 0.5 * pow(0.96, t + 1));
    kept[0] = o->beta1 * kept[0] + (1 - o->beta1) * g;
    kept[1] = o->beta2 * kept[1] + (1 - o->beta2) * g * g;
    const double m = next * kept[0] / (1 - product * next) + (1 - mu) * g / (1 - product);
    *w -= o->lr * m / (sqrt(kept[1] / (1 - pow(o->beta2, t))) + o->eps);
}

/* 30 updates with gradients that change their sign, at a rate that changes as by a schedule. */
static void want_definition(const char *text, int states, Definition *define)
{
    enum { N = 7 };
    ModelOptimizer s;
    Optimizer o;
    Error error;
    double w[N], kept[N][SETTINGS_STATES] = { { 0 } };
    real got[N], gradient[N];
    assert_int_equal(settings_read_optimizer(&s, text, &error), 0);
    assert_int_equal(settings_states(&s), states);
    open_or_fail(&o, &s, N);
    for (int i = 0; i < N; i++) {
        got[i] = (real)(w[i] = 0.25 * (i - 3));
        for (int k = 0; k < SETTINGS_STATES; k++)
            kept[i][k] = o.state[k] ? (double)o.state[k][i] : 0;
    }
    for (int t = 1; t <= 30; t++) {
        if (t == 20)
            o.settings.lr = s.lr /= 4;
        for (int i = 0; i < N; i++) {
            const double g = sin(t * 0.7 + i);
            gradient[i] = (real)(g * 4);
            define(&s, t, g, &w[i], kept[i]);
        }
        optimizer_update(&o, got, gradient, 0.25, 1);
    }
    for (int i = 0; i < N; i++)
        assert_close((double)got[i], w[i], sizeof(real) == sizeof(float) ? 3e-6 : 1e-13);
    optimizer_close(&o);
}

static void definitions(void **state)
{
    (void)state;
    want_definition("adam,lr=0.01,beta1=0.8,beta2=0.95,eps=0.001", 2, define_adam);
    want_definition("adamw,lr=0.01,beta2=0.99,weight_decay=0.3", 2, define_adam);
    want_definition("sgd,lr=0.05", 1, define_sgd);
    want_definition("sgd,lr=0.02,momentum=0.9", 1, define_sgd);
    want_definition("sgd,lr=0.02,momentum=0.9,nesterov=true", 1, define_sgd);
    want_definition("rmsprop,lr=0.01", 1, define_rmsprop);
    want_definition("rmsprop,lr=0.01,momentum=0.5,centered=true", 3, define_rmsprop);
    want_definition("adagrad,lr=0.01", 1, define_adagrad);
    want_definition("adagrad,lr=0.01,initial_accumulator=2,eps=0.5", 1, define_adagrad);
    want_definition("adadelta,lr=1", 2, define_adadelta);
    want_definition("adadelta,lr=0.5,rho=0.8,eps=0.001", 2, define_adadelta);
    want_definition("nadam,lr=0.01", 2, define_nadam);
    want_definition("nadam,lr=0.01,beta1=0.8,beta2=0.95,eps=0.001", 2, define_nadam);
}

/* More elements than one block of work, and a last block that is not full. */
static void want_equal_bits(const ModelOptimizer *settings)
{
    enum { N = 50001 };
    real *w[2], *average[2], *gradient = malloc(N * sizeof *gradient);
    for (int i = 0; i < N; i++)
        gradient[i] = (real)sin(i);
    for (int k = 0; k < 2; k++) {
        Optimizer o;
        open_or_fail(&o, settings, N);
        w[k] = calloc(N, sizeof **w);
        for (int t = 0; t < 5; t++)
            assert_true(optimizer_update(&o, w[k], gradient, 0.25, k ? 3 : 1));
        average[k] = o.state[SETTINGS_AVERAGE];
        o.state[SETTINGS_AVERAGE] = NULL;
        optimizer_close(&o);
    }
    assert_memory_equal(w[0], w[1], N * sizeof **w);
    assert_true(w[0][N - 1] != 0 && !average[0] == !(settings->ema > 0));
    if (average[0])
        assert_memory_equal(average[0], average[1], N * sizeof **w);
    free(average[0]);
    free(average[1]);
    free(w[0]);
    free(w[1]);
    free(gradient);
}

/* Each with its defaults, and with all that it may keep of a parameter. */
static void threads_do_not_change_bits(void **state)
{
    (void)state;
    for (const SettingsWord *word = settings_optimizers; word->name; word++) {
        ModelOptimizer o;
        Error error;
        assert_int_equal(settings_read_optimizer(&o, word->name, &error), 0);
        want_equal_bits(&o);
        for (const SettingsState *s = word->states; s->name; s++)
            if (s->offset)
                *(double *)((char *)&o + s->offset) = 0.5;
        o.ema = 0.9;
        want_equal_bits(&o);
    }
}

/* Every optimizer that can be named has a rule, and every rule a name. */
static void names_and_rules_agree(void **state)
{
    (void)state;
#define NAME(name) #name,
    static const char *const rules[] = { OPTIMIZER_RULES(NAME) };
    size_t count = 0;
    for (; settings_optimizers[count].name; count++) {
        assert_true(count < sizeof rules / sizeof *rules);
        assert_string_equal(settings_optimizers[count].name, rules[count]);
    }
    assert_int_equal(count, sizeof rules / sizeof *rules);
}

/* adamw decays what it updates: what rests must not even decay, and what is updated ends as if it
   were alone. */
static void what_rests_keeps_its_bits(void **state)
{
    (void)state;
    enum { A = 9000, B = 3, C = 5, D = 20000, N = A + B + C + D };
    static const ModelParameter parameters[] = {
        { .offset = 0, .count = A },
        { .offset = A, .count = B },
        { .offset = A + B, .count = C },
        { .offset = A + B + C, .count = D },
    };
    static const unsigned char trains[] = { 0, 1, 1, 0 };
    const Model model = { .parameters = parameters, .parameter_count = 4, .parameter_reals = N };
    ModelOptimizer decaying = keras;
    decaying.name = "adamw";
    decaying.weight_decay = 0.1;
    real *w = malloc(N * sizeof *w), *gradient = malloc(N * sizeof *gradient), alone[B + C];
    Optimizer all, part;
    assert_true(w && gradient);
    for (int i = 0; i < N; i++) {
        w[i] = (real)cos(i);
        gradient[i] = (real)sin(i);
    }
    memcpy(alone, w + A, sizeof alone);
    open_or_fail(&all, &decaying, N);
    open_or_fail(&part, &decaying, B + C);
    /* of before: m, v and t are to be forgotten */
    optimizer_update(&all, w, gradient, 1, 2);
    for (int i = 0; i < N; i++)
        w[i] = (real)cos(i);
    optimizer_restart(&all, &model, trains);
    for (int t = 0; t < 3; t++) {
        optimizer_update(&all, w, gradient, 0.5, 2);
        optimizer_update(&part, alone, gradient + A, 0.5, 1);
    }
    assert_int_equal(all.t, 3);
    assert_memory_equal(w + A, alone, sizeof alone);
    assert_true(w[A] != (real)cos(A));
    for (int i = 0; i < N; i++) {
        int rests = i < A || i >= A + B + C;
        assert_true(!rests || w[i] == (real)cos(i));
        assert_true(!rests == (all.state[0][i] != 0) && !rests == (all.state[1][i] != 0));
    }
    optimizer_restart(&all, &model, NULL);
    optimizer_update(&all, w, gradient, 0.5, 1);
    assert_true(w[1] != (real)cos(1) && w[N - 1] != (real)cos(N - 1));
    optimizer_close(&all);
    optimizer_close(&part);
    free(w);
    free(gradient);
}

/* Begun, and begun again after updates, what is kept stands at the number that its row names, of
   parameters that rest too. */
static void a_state_starts_at_its_number(void **state)
{
    (void)state;
    enum { N = 10 };
    static const ModelParameter parameters[] = { { .offset = 0, .count = 4 },
                                                 { .offset = 4, .count = 6 } };
    static const unsigned char trains[] = { 1, 0 };
    const Model model = { .parameters = parameters, .parameter_count = 2, .parameter_reals = N };
    const ModelOptimizer adagrad = { .name = "adagrad", .lr = 1, .initial_accumulator = 0.25 };
    real w[N] = { 0 }, gradient[N];
    Optimizer o;
    open_or_fail(&o, &adagrad, N);
    for (int i = 0; i < N; i++) {
        gradient[i] = 2;
        assert_true(o.state[0][i] == (real)0.25);
    }
    optimizer_update(&o, w, gradient, 1, 1);
    optimizer_restart(&o, &model, trains);
    for (int i = 0; i < N; i++)
        assert_true(o.state[0][i] == (real)0.25);
    optimizer_update(&o, w, gradient, 1, 1);
    for (int i = 0; i < N; i++)
        assert_true(o.state[0][i] == (real)(i < 4 ? 4.25 : 0.25));
    optimizer_close(&o);
}

/* What rests has no average but itself, whatever it comes to, and before the first update, also of
   a stage, nothing has. */
static void averages_of_what_is_updated(void **state)
{
    (void)state;
    enum { N = 10 };
    static const ModelParameter parameters[] = { { .offset = 0, .count = 4 },
                                                 { .offset = 4, .count = 6 } };
    static const unsigned char trains[] = { 1, 0 };
    const Model model = { .parameters = parameters, .parameter_count = 2, .parameter_reals = N };
    ModelOptimizer settings = { .name = "sgd", .lr = 1 };
    real w[N] = { 0 }, gradient[N];
    Optimizer o;
    open_or_fail(&o, &settings, N);
    assert_null(optimizer_averages(&o, w));
    optimizer_close(&o);
    settings.ema = 0.75;
    open_or_fail(&o, &settings, N);
    for (int i = 0; i < N; i++) {
        gradient[i] = -1;
        w[i] = 5;
    }
    for (int stage = 0; stage < 2; stage++) {
        optimizer_restart(&o, &model, trains);
        assert_memory_equal(optimizer_averages(&o, w), w, sizeof w);
        assert_true(optimizer_update(&o, w, gradient, 1, 1));
        assert_memory_equal(optimizer_averages(&o, w), w, sizeof w);
        assert_true(optimizer_update(&o, w, gradient, 1, 1));
        w[9] = (real)(stage + 1);
        const real *average = optimizer_averages(&o, w);
        assert_true(w[0] == 7 + 2 * stage && average[0] == w[0] - (real)0.75);
        assert_true(average[4] == 5 && average[9] == stage + 1);
    }
    optimizer_close(&o);
}

static void unknown_method_is_refused(void **state)
{
    (void)state;
    ModelOptimizer other = keras;
    Optimizer o;
    Error error;
    other.name = "lion";
    assert_int_equal(optimizer_open(&o, &other, 4, 0, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "lion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_gradient),
        cmocka_unit_test(updates_of_keras),
        cmocka_unit_test(definitions),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(a_centered_root_is_of_no_negative_number),
        cmocka_unit_test(names_and_rules_agree),
        cmocka_unit_test(what_rests_keeps_its_bits),
        cmocka_unit_test(a_state_starts_at_its_number),
        cmocka_unit_test(averages_of_what_is_updated),
        cmocka_unit_test(unknown_method_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
