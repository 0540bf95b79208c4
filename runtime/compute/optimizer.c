#include "optimizer.h"

#include "finite.h"
#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#define real_sqrt sqrt /* of tgmath.h */
#include "rules.h"

int optimizer_has_v(const ModelOptimizer *settings)
{
    return strcmp(settings->name, "sgd") != 0;
}

static bool is_known(const char *name)
{
    return strcmp(name, "adam") == 0 || strcmp(name, "adamw") == 0 || strcmp(name, "sgd") == 0;
}

int optimizer_open(Optimizer *optimizer, const ModelOptimizer *settings, size_t count, int exact,
                   Error *error)
{
    void *(*const block)(size_t, Error *) = exact ? memory_exact : memory_block;
    memset(optimizer, 0, sizeof *optimizer);
    if (!is_known(settings->name))
        return error_set(
            error, EXIT_INPUT,
            "this program does not know the optimizer \"%s\" that its graph asks for; use adam",
            settings->name);
    optimizer->settings = *settings;
    optimizer->count = count;
    optimizer->m = block(count * sizeof(real), error);
    if (optimizer->m && optimizer_has_v(settings))
        optimizer->v = block(count * sizeof(real), error);
    if (!optimizer->m || (optimizer_has_v(settings) && !optimizer->v)) {
        optimizer_close(optimizer);
        return -1;
    }
    return 0;
}

/* The update of `count` parameters from `begin` on; 0 where one of them, or of their m and v, is
   not finite after it. */
static int update_range(const Optimizer *optimizer, size_t begin, size_t count, real *parameters,
                        const real *gradient, double scale, int threads)
{
    const ModelOptimizer *s = &optimizer->settings;
    const int decays = strcmp(s->name, "adamw") == 0;
    real *m = optimizer->m + begin, *v = optimizer->v ? optimizer->v + begin : NULL;
    const double t = (double)optimizer->t;
    const Adam a = adam_numbers(s->lr, s->beta1, s->beta2, s->eps, s->weight_decay,
                                pow(s->beta1, t), pow(s->beta2, t), scale);

    parameters += begin;
    gradient += begin;
    /* Blocks of a fixed length: the compiler's vector body and tail then fall on the same elements
       whatever the threads. */
    const size_t block = 8192;
    int faulty = 0;
    long blocks = (long)((count + block - 1) / block);
    (void)threads;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long b = 0; b < blocks; b++) {
        size_t from = (size_t)b * block;
        size_t n = count - from < block ? count - from : block;
        if (!v)
            sgd_range((real)s->momentum, (real)(s->lr * scale), n, parameters + from, m + from,
                      gradient + from);
        else if (decays)
            adamw_range(a, n, parameters + from, m + from, v + from, gradient + from);
        else
            adam_range(a, n, parameters + from, m + from, v + from, gradient + from);
        if (!finite_all(parameters + from, n) || !finite_all(m + from, n)
            || (v && !finite_all(v + from, n))) {
#pragma omp atomic write
            faulty = 1;
        }
    }
    return !faulty;
}

void optimizer_restart(Optimizer *optimizer, const Model *model, const unsigned char *trains)
{
    memset(optimizer->m, 0, optimizer->count * sizeof(real));
    if (optimizer->v)
        memset(optimizer->v, 0, optimizer->count * sizeof(real));
    optimizer->t = 0;
    optimizer->model = model;
    optimizer->trains = trains;
}

int optimizer_update(Optimizer *optimizer, real *parameters, const real *gradient, double scale,
                     int threads)
{
    const Model *model = optimizer->model;
    const unsigned char *trains = optimizer->trains;
    optimizer->t++;
    int finite = 1;
    if (!trains)
        return update_range(optimizer, 0, optimizer->count, parameters, gradient, scale, threads);
    for (int i = 0, end; i < model->parameter_count; i = end) { /* neighbours together */
        size_t count = 0;
        for (end = i; end < model->parameter_count && trains[end] == trains[i]; end++)
            count += model->parameters[end].count;
        if (trains[i])
            finite &= update_range(optimizer, model->parameters[i].offset, count, parameters,
                                   gradient, scale, threads);
    }
    return finite;
}

void optimizer_close(Optimizer *optimizer)
{
    free(optimizer->m);
    free(optimizer->v);
    memset(optimizer, 0, sizeof *optimizer);
}
