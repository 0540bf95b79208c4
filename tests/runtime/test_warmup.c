/* The share of a term's gradient, epoch by epoch. */
#include "tiny_model.h"
#include "train/warmup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_line_from_nothing_to_all(void **state)
{
    static const ModelWarmup warmups[] = { { 1, 4 }, { 3, 0.5 } };
    static const double epochs[] = { 0, 1, 2, 4, 9 }, first[] = { 0, 0.25, 0.5, 1, 1 },
                        second[] = { 0, 1, 1, 1, 1 };
    real parameters[223] = { 0 };
    Model model = caec_model;
    (void)state;
    assert_int_equal(warmup_set(&model, 1, parameters), 0);
    model.warmups = warmups;
    model.warmup_count = 2;
    for (int i = 0; i < 5; i++) {
        double sum = 0;
        assert_int_equal(warmup_set(&model, epochs[i], parameters), 1);
        assert_true(parameters[108] == (real)first[i]); /* encoder.conv1.bias */
        assert_true(parameters[220] == (real)second[i]);
        for (int k = 0; k < 223; k++)
            sum += (double)parameters[k];
        assert_true(sum == first[i] + second[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_line_from_nothing_to_all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
