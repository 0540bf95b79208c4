#include "parts.h"

#include "cases.h"

#include <stdlib.h>

void part_of(const Model *model, int stage, Part *part)
{
    const ModelStage *s = &model->stages[stage];
    part->model = *model;
    part->model.loss = s->loss;
    part->model.backward_chunk = s->backward_chunk;
    part->model.groups = s->groups;
    part->model.parameters = part->parameters;
    part->model.parameter_count = 0;
    part->model.trains = NULL; /* a table of all parameters: these are those that are trained */
    for (int i = 0; i < model->parameter_count; i++)
        if (s->trains[i])
            part->parameters[part->model.parameter_count++] = model->parameters[i];
}

void check_rest(const Net *net, Driven *driven, const Model *whole, int stage, bool random)
{
    const ModelStage *s = &whole->stages[stage];
    size_t reals = whole->parameter_reals;
    uint8_t *image = net_image(net, 31);
    double *start = malloc(reals * sizeof *start), loss;
    assert_non_null(start);
    for (size_t i = 0; i < reals; i++)
        start[i] = (double)(i % 7) - 3.25;
    double *sum = drive_gradient(driven, &image, 1, start, &loss);
    for (int p = 0; p < whole->parameter_count; p++) {
        size_t changed = 0, from = whole->parameters[p].offset;
        for (size_t i = from; i < from + whole->parameters[p].count; i++)
            changed += sum[i] != start[i];
        if (s->trains[p] ? !changed && !random : changed > 0)
            fail_msg("%s: %zu values of the gradient of %s change", s->title, changed,
                     whole->parameters[p].name);
    }
    free(sum);
    free(start);
    free(image);
}
