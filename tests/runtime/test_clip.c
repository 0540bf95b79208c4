/* Clipping against its definitions, on the four parameters of the small model. */
#include "compute/clip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 512, BATCH = 8 };

static real sum[MOST]; /* of a batch */

static int fill(void **state)
{
    (void)state;
    assert_true(caec_model.parameter_reals <= MOST);
    for (size_t i = 0; i < caec_model.parameter_reals; i++)
        sum[i] = (real)(sin((double)i * 1.7) * (i < 112 ? 4 : 0.5) * BATCH);
    return 0;
}

static double norm_of(const real *gradient, size_t from, size_t count)
{
    double squares = 0;
    for (size_t i = from; i < from + count; i++)
        squares += (double)gradient[i] * (double)gradient[i] / (BATCH * BATCH);
    return sqrt(squares);
}

static void want(const real *got, size_t from, size_t count, double factor)
{
    for (size_t i = from; i < from + count; i++)
        assert_true(fabs((double)got[i] - factor * (double)sum[i]) <= 1e-6 * fabs((double)sum[i]));
}

static void clip(const ModelTraining *training, real *gradient)
{
    memcpy(gradient, sum, sizeof sum);
    clip_gradient(&caec_model, training, gradient, 1.0 / BATCH);
}

static void nothing_is_asked_for(void **state)
{
    (void)state;
    real got[MOST];
    clip(&(ModelTraining){ 0 }, got);
    assert_memory_equal(got, sum, sizeof sum);
}

static void each_parameter_by_its_norm(void **state)
{
    (void)state;
    real got[MOST];
    int clipped = 0;
    clip(&(ModelTraining){ .clip_norm = 4 }, got);
    for (int i = 0; i < caec_model.parameter_count; i++) {
        const ModelParameter *p = &caec_model.parameters[i];
        double norm = norm_of(sum, p->offset, p->count);
        want(got, p->offset, p->count, norm > 4 ? 4 / norm : 1);
        clipped += norm > 4;
    }
    assert_true(clipped > 0 && clipped < caec_model.parameter_count);
}

static void all_by_their_norm(void **state)
{
    (void)state;
    real got[MOST];
    double norm = norm_of(sum, 0, caec_model.parameter_reals);
    clip(&(ModelTraining){ .global_clip_norm = 4 }, got);
    want(got, 0, caec_model.parameter_reals, 4 / norm);
    clip(&(ModelTraining){ .global_clip_norm = norm * 1.001 }, got);
    assert_memory_equal(got, sum, sizeof sum);
}

static void each_number(void **state)
{
    (void)state;
    real got[MOST];
    int clipped = 0, kept = 0;
    clip(&(ModelTraining){ .clip_value = 0.25 }, got);
    for (size_t i = 0; i < caec_model.parameter_reals; i++) {
        double mean = (double)sum[i] / BATCH, bounded = fmax(fmin(mean, 0.25), -0.25);
        assert_true(fabs((double)got[i] / BATCH - bounded) <= 1e-7);
        clipped += mean != bounded;
        kept += mean == bounded;
    }
    assert_true(clipped > 20 && kept > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_for),
        cmocka_unit_test(each_parameter_by_its_norm),
        cmocka_unit_test(all_by_their_norm),
        cmocka_unit_test(each_number),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
