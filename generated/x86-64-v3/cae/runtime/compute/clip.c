#include "clip.h"

#include <tgmath.h>

#define real_sqrt sqrt /* of tgmath.h */
#include "rules.h"

void clip_gradient(const Model *model, const ModelTraining *training, real *gradient, double scale)
{
    if (training->clip_value > 0)
        clip_to_value(gradient, model->parameter_reals, (real)(training->clip_value / scale));
    if (training->global_clip_norm > 0)
        clip_to_norm(gradient, model->parameter_reals, scale, training->global_clip_norm);
    for (int i = 0; training->clip_norm > 0 && i < model->parameter_count; i++)
        clip_to_norm(gradient + model->parameters[i].offset, model->parameters[i].count, scale,
                     training->clip_norm);
}
