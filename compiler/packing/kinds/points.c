#include "points.h"

void winograd_points(const double *g, double *u)
{
    const double point = WINOGRAD_POINT, far = WINOGRAD_FAR, p = point * point, f = far * far;
    const double even = g[0] + p * g[2], odd = point * g[1], far_even = g[0] + f * g[2],
                 far_odd = far * g[1];
    u[0] = g[0] / (p * f);
    u[1] = (even + odd) / (2 * p * (p - f));
    u[2] = (even - odd) / (2 * p * (p - f));
    u[3] = (far_even + far_odd) / (2 * f * (f - p));
    u[4] = (far_even - far_odd) / (2 * f * (f - p));
    u[5] = g[2];
}

void winograd_line(const float *tap, ptrdiff_t apart, float *to, size_t distance)
{
    const double g[3] = { (double)tap[0], (double)tap[apart], (double)tap[2 * apart] };
    double u[6];
    winograd_points(g, u);
    for (int point = 0; point < 6; point++)
        to[(size_t)point * distance] = (float)u[point];
}
