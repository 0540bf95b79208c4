/* Adam against the closed form for a constant gradient, and against three steps of NumPy in
   float64. */
#include "compute/optimizer.h"

#include <setjmp.h>
#include <stdarg.h>
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

static void three_steps_of_numpy(void **state)
{
    (void)state;
    static const double g[3][4] = { { 0.5, -1.0, 2e-4, 0 },
                                    { -0.25, 3.0, -1e-4, 1e-6 },
                                    { 4.0, 0.125, 5e-5, -1e-6 } };
    static const double want[3][4] = {
        { 0.9990000063245154, -1.9990000031622677, 0.49901556527962077, 0.0 },
        { 0.9987336707920792, -1.9994941925013507, 0.49875294375567336, -0.00017878115885639384 },
        { 0.9980725248798753, -1.9999011493300025, 0.49841715293669814, -0.00016482149129927787 },
    };
    real w[4] = { 1, -2, (real)0.5, 0 };
    Optimizer o;
    open_or_fail(&o, &keras, 4);
    for (int t = 0; t < 3; t++) {
        real gradient[4];
        for (int i = 0; i < 4; i++)
            gradient[i] = (real)(g[t][i] * 8); /* as the sum over a batch of 8 */
        optimizer_update(&o, w, gradient, 1.0 / 8, 1);
        for (int i = 0; i < 4; i++)
            assert_close((double)w[i], want[t][i], bound());
    }
    optimizer_close(&o);
}

/* Keras's formula in float64: rmsprop plain, with momentum, centered, and with both. */
static void three_steps_of_rmsprop(void **state)
{
    (void)state;
    static const double g[3][4] = { { 0.5, -1.0, 2e-4, 0 },
                                    { -0.25, 3.0, -1e-4, 1e-6 },
                                    { 4.0, 0.125, 5e-5, -1e-6 } };
    static const double want[4][4] = {
        { 0.9951751320629236, -1.9999851466054621, 0.4995342690072131, -1.4230218519415783e-12 },
        { 0.9910946233766058, -1.997291256474469, 0.4987520486128218, -2.846049894149514e-06 },
        { 0.9948309546871281, -1.9998866923084466, 0.4995330571067086, -1.5795543753451425e-12 },
        { 0.9904672712065199, -1.9969628339715049, 0.49874887656469585, -2.8460501929843293e-06 },
    };
    for (int k = 0; k < 4; k++) {
        real w[4] = { 1, -2, (real)0.5, 0 }, gradient[4];
        const ModelOptimizer rmsprop = { .name = "rmsprop",
                                         .lr = 1e-3,
                                         .rho = 0.9,
                                         .eps = 1e-7,
                                         .momentum = k % 2 ? 0.9 : 0,
                                         .centered = k / 2 };
        Optimizer o;
        open_or_fail(&o, &rmsprop, 4);
        assert_true(o.state[0] && !o.state[1] == !(k % 2) && !o.state[2] == !(k / 2));
        for (int t = 0; t < 3; t++) {
            for (int i = 0; i < 4; i++)
                gradient[i] = (real)(g[t][i] * 8); /* as the sum over a batch of 8 */
            assert_true(optimizer_update(&o, w, gradient, 1.0 / 8, 1));
        }
        for (int i = 0; i < 4; i++)
            assert_close((double)w[i], want[k][i], bound());
        optimizer_close(&o);
    }
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

/* A plain double loop of each formula, 30 updates with gradients that change their sign. */
static void against_plain_loops(void **state)
{
    (void)state;
    enum { N = 7 };
    static const ModelOptimizer all[] = {
        { .name = "adam", .lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3 },
        { .name = "adamw",
          .lr = 0.01,
          .beta1 = 0.9,
          .beta2 = 0.99,
          .eps = 1e-7,
          .weight_decay = 0.3 },
        { .name = "sgd", .lr = 0.05 },
        { .name = "sgd", .lr = 0.02, .momentum = 0.9 },
    };
    for (int k = 0; k < 4; k++) {
        const ModelOptimizer *s = &all[k];
        double w[N], m[N] = { 0 }, v[N] = { 0 }, rate = s->lr;
        real got[N], gradient[N];
        Optimizer o;
        open_or_fail(&o, s, N);
        assert_true(o.state[0] && !o.state[1] == (k >= 2) && !o.state[2]);
        for (int i = 0; i < N; i++)
            got[i] = (real)(w[i] = 0.25 * (i - 3));
        for (int t = 1; t <= 30; t++) {
            if (t == 20)
                o.settings.lr = rate = s->lr / 4; /* as a schedule does */
            for (int i = 0; i < N; i++) {
                double g = sin(t * 0.7 + i);
                gradient[i] = (real)(g * 4);
                if (k < 2) {
                    w[i] -= rate * s->weight_decay * w[i];
                    m[i] = s->beta1 * m[i] + (1 - s->beta1) * g;
                    v[i] = s->beta2 * v[i] + (1 - s->beta2) * g * g;
                    w[i] -= rate * sqrt(1 - pow(s->beta2, t)) / (1 - pow(s->beta1, t)) * m[i]
                            / (sqrt(v[i]) + s->eps);
                } else {
                    m[i] = s->momentum * m[i] - rate * g;
                    w[i] += m[i];
                }
            }
            optimizer_update(&o, got, gradient, 0.25, 1);
        }
        for (int i = 0; i < N; i++)
            assert_close((double)got[i], w[i], sizeof(real) == sizeof(float) ? 3e-6 : 1e-13);
        optimizer_close(&o);
    }
}

/* More elements than one block of work, and a last block that is not full. */
static void want_equal_bits(const ModelOptimizer *settings)
{
    enum { N = 50001 };
    real *w[2], *gradient = malloc(N * sizeof *gradient);
    for (int i = 0; i < N; i++)
        gradient[i] = (real)sin(i);
    for (int k = 0; k < 2; k++) {
        Optimizer o;
        open_or_fail(&o, settings, N);
        w[k] = calloc(N, sizeof **w);
        for (int t = 0; t < 5; t++)
            assert_true(optimizer_update(&o, w[k], gradient, 0.25, k ? 3 : 1));
        optimizer_close(&o);
    }
    assert_memory_equal(w[0], w[1], N * sizeof **w);
    assert_true(w[0][N - 1] != 0);
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
        cmocka_unit_test(three_steps_of_numpy),
        cmocka_unit_test(against_plain_loops),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(three_steps_of_rmsprop),
        cmocka_unit_test(a_centered_root_is_of_no_negative_number),
        cmocka_unit_test(names_and_rules_agree),
        cmocka_unit_test(what_rests_keeps_its_bits),
        cmocka_unit_test(unknown_method_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
