#include "finite.h"

/* x - x is 0 for a finite x and NaN for any other, and a NaN stays in its sum. Sixteen sums, so
   that a vector works on them. */
int finite_all(const real *x, size_t n)
{
    real part[16] = { 0 }, sum = 0;
    size_t whole = n - n % 16;
    for (size_t i = 0; i < whole; i += 16)
        for (int l = 0; l < 16; l++)
            part[l] += x[i + (size_t)l] - x[i + (size_t)l];
    for (size_t i = whole; i < n; i++)
        sum += x[i] - x[i];
    for (int l = 0; l < 16; l++)
        sum += part[l];
    return sum == 0;
}
