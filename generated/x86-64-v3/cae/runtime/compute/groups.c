#include "groups.h"

int groups_size(const ModelGroups *groups, int first, int n)
{
    return groups->over && groups->over < n - first ? groups->over : n - first;
}

int groups_count(const ModelGroups *groups, int n)
{
    return groups->over ? (n + groups->over - 1) / groups->over : 1;
}

size_t groups_bytes(const ModelGroups *groups, int n)
{
    return groups->shared_bytes * (size_t)groups_size(groups, 0, n);
}

void groups_backward(const ModelGroups *groups, const void *prepared, const uint8_t *const *images,
                     const uint64_t *noise, int n, int chunk, real *gradient, double *losses,
                     void *shared, void *workspace, ModelClock *clock)
{
    for (int at = 0; at < n; at += groups_size(groups, at, n)) {
        const int group = groups_size(groups, at, n);
        for (int p = 0; p < groups->phase_count; p++) {
            const int most = groups->phases[p].alone || chunk > group ? group : chunk;
            for (int first = 0; first < group; first += most)
                groups->run(p, prepared, images + at, noise ? noise + at : NULL, group, first,
                            group - first < most ? group - first : most, gradient, losses + at,
                            shared, workspace, clock);
        }
    }
}

void groups_move_statistics(const Model *model, const ModelGroups *groups, int n, real *parameters,
                            real *gradient)
{
    const int count = groups_count(groups, n);
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        const double momentum = groups->momenta[i];
        for (size_t k = p->offset; momentum >= 0 && k < p->offset + p->count; k++) {
            parameters[k] = (real)(momentum * parameters[k] + (1 - momentum) * gradient[k] / count);
            gradient[k] = 0;
        }
    }
}
