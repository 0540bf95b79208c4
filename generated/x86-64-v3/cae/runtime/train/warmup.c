#include "warmup.h"

int warmup_set(const Model *model, double epochs, real *parameters)
{
    for (int i = 0; i < model->warmup_count; i++) {
        const ModelWarmup *w = &model->warmups[i];
        const double share = epochs / w->epochs;
        parameters[model->parameters[w->parameter].offset] = (real)(share < 1 ? share : 1);
    }
    return model->warmup_count > 0;
}
