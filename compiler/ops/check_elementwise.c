/* check_elementwise - a program that caec's build runs: a row of elementwise.def that breaks the
 * rules, or is not what it says, ends the build.
 *
 * Each row is compiled here as it stands, with the variables that it may name and no others, and
 * computed at many places. */
#include "elementwise.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct Row {
    const char *name;
    int number, properties;
    bool from_x;
    double (*value)(double x, double number);
    double (*gradient)(double from, double d, double number);
} Row;

#ifndef ELEMENTWISE_ROWS
#define ELEMENTWISE_ROWS "elementwise.def"
#endif

#define ELEMENTWISE(name, number, from, properties, value, gradient)                            \
    _Static_assert(sizeof #value > 1, #name ": its value is missing");                          \
    _Static_assert(sizeof #gradient > 1, #name ": its gradient is missing");                    \
    _Static_assert((from) == FROM_Y || (from) == FROM_X, #name ": its gradient is from what?"); \
    _Static_assert(((properties) & ~ALL_PROPERTIES) == 0, #name ": there is no such property"); \
    _Static_assert((from) != FROM_Y || ((properties)&MONOTONE),                                 \
                   #name ": y tells no gradient of what is not MONOTONE; say FROM_X");
#include ELEMENTWISE_ROWS
#undef ELEMENTWISE

#define UNUSED_NUMBER __attribute__((unused)) double
#define NUMBER_NONE no_number
#define NUMBER_SLOPE slope
#define NUMBER_APPROXIMATE approximate
#define VARIABLE_FROM_Y y
#define VARIABLE_FROM_X x

#define ELEMENTWISE(name, number, from, properties, value, gradient)       \
    static double name##_value(double x, UNUSED_NUMBER NUMBER_##number)    \
    {                                                                      \
        return value;                                                      \
    }                                                                      \
    static double name##_gradient(UNUSED_NUMBER VARIABLE_##from, double d, \
                                  UNUSED_NUMBER NUMBER_##number)           \
    {                                                                      \
        return gradient;                                                   \
    }
#include ELEMENTWISE_ROWS
#undef ELEMENTWISE

#define ELEMENTWISE(name, number, from, properties, value, gradient) \
    { #name, number, properties, (from) == FROM_X, name##_value, name##_gradient },
static const Row rows[] = {
#include ELEMENTWISE_ROWS
};
#undef ELEMENTWISE

static int faults;

static void fault(const Row *row, const char *what, double x)
{
    if (faults++ < 20)
        fprintf(stderr, "elementwise.def: %s %s (at x = %g)\n", row->name, what, x);
}

static double gradient_at(const Row *row, double x, double number)
{
    return row->gradient(row->from_x ? x : row->value(x, number), 1, number);
}

/* Where the slopes on both sides are one, it is the gradient. */
static void check_gradient(const Row *row, double x, double number)
{
    const double step = 1e-5, y = row->value(x, number),
                 left = (y - row->value(x - step, number)) / step,
                 right = (row->value(x + step, number) - y) / step, middle = (left + right) / 2,
                 size = 1 + fabs(middle);
    const bool smooth = fabs(left - right) < 1e-3 * size;
    if (smooth && !(fabs(gradient_at(row, x, number) - middle) < 1e-5 * size))
        fault(row, "has another gradient than it says", x);
}

static void check_properties(const Row *row, double x, double step, double number)
{
    const double y = row->value(x, number), next = row->value(x + step, number);
    if (row->properties & MONOTONE && next < y)
        fault(row, "is not MONOTONE", x);
    if (row->properties & UNIT_RANGE && !(y >= 0 && y <= 1))
        fault(row, "leaves the UNIT_RANGE", x);
    if (row->properties & MONOTONE && next == y
        && !(row->properties & (x > 0 ? FLAT_ABOVE : ZERO_BELOW)))
        fault(row, "is flat, which it does not say", x);
}

static void check_ends(const Row *row, double number)
{
    const double below = -40, above = 40;
    if (row->properties & ZERO_BELOW
        && (row->value(below, number) != 0 || gradient_at(row, below, number) != 0))
        fault(row, "is not 0 below with gradient 0, ZERO_BELOW", below);
    if (row->properties & FLAT_ABOVE
        && (row->value(above, number) != row->value(above + 1, number)
            || gradient_at(row, above, number) != 0))
        fault(row, "is not flat with gradient 0, FLAT_ABOVE", above);
}

/* Where intermediate results may overflow, or 0 meet what did. */
static void check_far(const Row *row, double number)
{
    for (int exponent = 0; exponent <= 308; exponent++)
        for (int sign = -1; sign <= 1; sign += 2) {
            const double x = sign * pow(10, exponent), y = row->value(x, number);
            if (isnan(y))
                fault(row, "is not a number", x);
            if (isfinite(y) && !isfinite(gradient_at(row, x, number)))
                fault(row, "is finite, its gradient is not", x);
        }
}

static void check(const Row *row, double number)
{
    enum { STEPS = 19 * 64 };
    const double step = 1.0 / 64;
    check_ends(row, number);
    check_far(row, number);
    for (int i = 0; i < STEPS; i++) {
        const double x = -9.5 + (i + 1.0 / 3) * step;
        check_gradient(row, x, number);
        check_properties(row, x, step, number);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], rows[i].number == SLOPE ? 0.2 : 0);
        check(&rows[i], 1);
    }
    return faults > 0;
}
