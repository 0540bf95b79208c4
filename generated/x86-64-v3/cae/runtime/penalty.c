#include "penalty.h"

#include <math.h>

/* Whether it counts. */
static int is_trained(const Model *model, const ModelStage *stage, const ModelPenalty *p)
{
    const unsigned char *trains = stage ? stage->trains : model->trains;
    return !trains || trains[p->parameter];
}

Penalty penalty_of(const Model *model, const ModelStage *stage, const real *parameters)
{
    Penalty sum = { 0, 0 };
    for (int i = 0; i < model->penalty_count; i++) {
        const ModelPenalty *p = &model->penalties[i];
        const ModelParameter *of = &model->parameters[p->parameter];
        double sizes = 0, squares = 0;
        for (size_t k = 0; k < of->count && is_trained(model, stage, p); k++) {
            const double w = (double)parameters[of->offset + k];
            sizes += fabs(w);
            squares += w * w;
        }
        sum.l1 += p->l1 * sizes;
        sum.l2 += p->l2 * squares;
    }
    return sum;
}

void penalty_add_gradient(const Model *model, const ModelStage *stage, const real *parameters,
                          double times, real *gradient)
{
    for (int i = 0; i < model->penalty_count; i++) {
        const ModelPenalty *p = &model->penalties[i];
        const ModelParameter *of = &model->parameters[p->parameter];
        for (size_t k = 0; k < of->count && is_trained(model, stage, p); k++) {
            const double w = (double)parameters[of->offset + k];
            gradient[of->offset + k] += (real)(times
                                               * (p->l1 * ((w > 0) - (w < 0)) + 2 * p->l2 * w));
        }
    }
}
