/* The first parameters: numbers from a Python program of the same generator, and what Glorot's rule
   says of all of them. */
#include "weights/initial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 512 };

static void assert_close(real got, double want)
{
    if (!(fabs((double)got - want) <= 1e-8))
        fail_msg("%.17g is not %.17g", (double)got, want);
}

static void numbers_of_another_program(void **state)
{
    (void)state;
    real w[MOST];
    initial_draw(&caec_model, 1, w);
    assert_close(w[0], 0.11943825010462471);
    assert_close(w[107], -0.14193385663071817);
    assert_close(w[112], -0.03432088335432646);
    initial_redraw(&caec_model, 2, UINT64_MAX, 3, w);
    assert_close(w[112], 0.03369668803162052);
}

/* 108 values each: within the limit, coming near it on both sides, mean near zero; variance limit^2
   / 3. */
static void kernels_are_uniform_and_biases_zero(void **state)
{
    (void)state;
    real w[MOST];
    initial_draw(&caec_model, 42, w);
    for (int i = 0; i < caec_model.parameter_count; i++) {
        const ModelParameter *p = &caec_model.parameters[i];
        double low = 0, high = 0, sum = 0, squares = 0;
        for (size_t k = p->offset; k < p->offset + p->count; k++) {
            low = fmin(low, (double)w[k]);
            high = fmax(high, (double)w[k]);
            sum += (double)w[k];
            squares += (double)w[k] * (double)w[k];
        }
        assert_true(low >= -p->limit && high <= p->limit);
        if (p->limit > 0) {
            double variance = squares / (double)p->count / (p->limit * p->limit);
            assert_true(low < -0.9 * p->limit && high > 0.9 * p->limit);
            assert_true(fabs(sum / (double)p->count) < 0.2 * p->limit);
            assert_true(variance > 0.23 && variance < 0.43);
        } else {
            assert_true(squares == 0);
        }
    }
}

static void seeds_and_drawings_differ(void **state)
{
    (void)state;
    real a[MOST], b[MOST];
    size_t bytes = caec_model.parameter_reals * sizeof(real),
           first = caec_model.parameters[2].offset;
    initial_draw(&caec_model, 1, a);
    initial_draw(&caec_model, 1, b);
    assert_memory_equal(a, b, bytes);
    initial_redraw(&caec_model, 2, 1, 1, b);
    assert_memory_equal(a, b, first * sizeof(real));
    assert_memory_not_equal(a + first, b + first, 4 * sizeof(real));
    initial_draw(&caec_model, 2, b);
    assert_memory_not_equal(a, b, 4 * sizeof(real));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_another_program),
        cmocka_unit_test(kernels_are_uniform_and_biases_zero),
        cmocka_unit_test(seeds_and_drawings_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
