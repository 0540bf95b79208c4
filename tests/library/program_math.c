/* The functions that a library carries, by other names, for a program that includes math.h. */
#include "net_math.h"

float library_expf(float x);
float library_expm1f(float x);
float library_tanhf(float x);
float library_logf(float x);
float library_log1pf(float x);
float library_sqrtf(float x);
float library_fabsf(float x);
float library_erff(float x);
double library_sqrt(double x);

float library_expf(float x)
{
    return expf(x);
}
float library_expm1f(float x)
{
    return expm1f(x);
}
float library_tanhf(float x)
{
    return tanhf(x);
}
float library_logf(float x)
{
    return logf(x);
}
float library_log1pf(float x)
{
    return log1pf(x);
}
float library_sqrtf(float x)
{
    return sqrtf(x);
}
float library_fabsf(float x)
{
    return fabsf(x);
}
float library_erff(float x)
{
    return erff(x);
}
double library_sqrt(double x)
{
    return sqrt(x);
}
