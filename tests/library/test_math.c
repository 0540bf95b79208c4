/* exp, log, tanh, erf and roots of the library against those of the C library in double, over the
   floats from end to end. */
#include "library.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef float Function(float x);

static char *folder;
static void *handle;

static void load(const char *flags)
{
    folder = library_write(net_curved, "--target c");
    char *path = text_of("%s/math.so", folder);
    Result result = run(
        folder,
        "%s -std=c11 -O2 -ffreestanding %s -Wall -Wextra -Werror -Inet -fPIC -shared "
        "%s/tests/library/program_math.c -o math.so",
        c_compiler(), flags, project_folder());
    want_exit(&result, 0);
    result_free(&result);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    free(path);
}

static void unload(void)
{
    dlclose(handle);
    folder_remove(folder);
}

/* Distance to the true value in units of the last place that a float has there. */
static double distance(float got, double right)
{
    if (isnan(right) || isinf((float)right))
        return isnan(right) ? isnan(got) ? 0 : INFINITY : got == (float)right ? 0 : INFINITY;
    int exponent;
    frexp(right, &exponent);
    return fabs((double)got - right) / ldexp(1, exponent > -125 ? exponent - 24 : -149);
}

static void check(const char *name, double (*right)(double), float from, float to, double most)
{
    char *symbol = text_of("library_%s", name);
    Function *function;
    *(void **)&function = dlsym(handle, symbol);
    assert_non_null(function);
    double worst = 0;
    float at = 0;
    long checked = 0;
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 4099) {
        const uint32_t low = (uint32_t)bits;
        float x;
        memcpy(&x, &low, sizeof x);
        if (!(x >= from && x <= to))
            continue;
        checked++;
        const double d = distance(function(x), right((double)x));
        if (!(d <= worst)) {
            worst = d;
            at = x;
        }
    }
    print_message("%s: %.2f units at %.9g, of %ld numbers\n", name, worst, (double)at, checked);
    if (!(worst <= most))
        fail_msg("%s is %.2f units off at %.9g", name, worst, (double)at);
    assert_true(checked > 100000);
    free(symbol);
}

static double check_root(double from, double to)
{
    double (*function)(double), worst = 0;
    *(void **)&function = dlsym(handle, "library_sqrt");
    for (double x = from; x < to; x *= 1.0009)
        worst = fmax(worst, fabs(function(x) / sqrt(x) - 1));
    assert_true(function(0) == 0 && isnan(function(-1)) && isinf(function(INFINITY)));
    return worst;
}

static void check_all(const char *flags)
{
    load(flags);
    check("expf", exp, -INFINITY, INFINITY, 2);
    check("expm1f", expm1, -INFINITY, INFINITY, 2);
    check("tanhf", tanh, -INFINITY, INFINITY, 3);
    check("logf", log, -INFINITY, INFINITY, 2);
    check("log1pf", log1p, -INFINITY, 1e30f, 3);
    check("sqrtf", sqrt, -INFINITY, INFINITY, 1.5);
    check("erff", erf, -INFINITY, INFINITY, 4);
    check("fabsf", fabs, -INFINITY, INFINITY, 0);
    assert_true(check_root(1e-290, 1e290) < 4e-16);
    unload();
}

static void with_the_processors_root(void **state)
{
    (void)state;
    check_all("-fno-math-errno");
    check_all("-fno-math-errno -ffp-contract=fast -march=native");
}

static void with_newtons_root(void **state)
{
    (void)state;
    check_all("");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(with_the_processors_root),
                                        cmocka_unit_test(with_newtons_root) };
    return cmocka_run_group_tests_name("library math", tests, NULL, NULL);
}
