#include "clip.h"

#include <math.h>

/* Sixteen sums in a fixed order, so that a vector works on them and the bits do not depend on its width. */
static double sum_of_squares(const real *gradient, size_t count)
{
    double part[16] = {0}, sum = 0;
    size_t whole = count - count % 16;
    for (size_t i = 0; i < whole; i += 16)
        for (int l = 0; l < 16; l++)
            part[l] += (double)gradient[i + (size_t)l] * (double)gradient[i + (size_t)l];
    for (size_t i = whole; i < count; i++)
        part[i - whole] += (double)gradient[i] * (double)gradient[i];
    for (int l = 0; l < 16; l++)
        sum += part[l];
    return sum;
}

static void clip_to_norm(real *gradient, size_t count, double scale, double most)
{
    double norm = sqrt(sum_of_squares(gradient, count)) * scale;
    if (!(norm > most))
        return;
    real factor = (real)(most / norm);
    for (size_t i = 0; i < count; i++)
        gradient[i] *= factor;
}

static void clip_to_value(real *gradient, size_t count, real most)
{
    for (size_t i = 0; i < count; i++)
        gradient[i] = gradient[i] < -most ? -most : gradient[i] > most ? most : gradient[i];
}

void clip_gradient(const Model *model, const ModelTraining *training, real *gradient, double scale)
{
    if (training->clip_value > 0)
        clip_to_value(gradient, model->parameter_reals, (real)(training->clip_value / scale));
    if (training->global_clip_norm > 0)
        clip_to_norm(gradient, model->parameter_reals, scale, training->global_clip_norm);
    for (int i = 0; training->clip_norm > 0 && i < model->parameter_count; i++)
        clip_to_norm(gradient + model->parameters[i].offset, model->parameters[i].count, scale, training->clip_norm);
}
