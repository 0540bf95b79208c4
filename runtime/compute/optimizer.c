#include "optimizer.h"

#include "finite.h"
#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#define real_sqrt sqrt /* of tgmath.h */
#include "rules.h"

#define ROW(name) { #name, name##_update },
static const struct Row {
    const char *name;
    UpdateRule *update;
} rules[] = { OPTIMIZER_RULES(ROW) };

static UpdateRule *find_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].name, name) == 0)
            return rules[i].update;
    return NULL;
}

static void start_states(Optimizer *optimizer)
{
    for (int i = 0; i < SETTINGS_STATES; i++) {
        if (!optimizer->state[i])
            continue;
        const real start = (real)settings_state_start(&optimizer->settings, i);
        for (size_t k = 0; k < optimizer->count; k++)
            optimizer->state[i][k] = start;
    }
}

int optimizer_open(Optimizer *optimizer, const ModelOptimizer *settings, size_t count, int exact,
                   Error *error)
{
    void *(*const block)(size_t, Error *) = exact ? memory_exact : memory_block;
    memset(optimizer, 0, sizeof *optimizer);
    if (!find_rule(settings->name))
        return error_set(
            error, EXIT_INPUT,
            "this program does not know the optimizer \"%s\" that its graph asks for; use adam",
            settings->name);
    optimizer->settings = *settings;
    optimizer->count = count;
    for (int i = 0; i < SETTINGS_STATES; i++)
        if (settings_keeps_state(settings, i)
            && !(optimizer->state[i] = block(count * sizeof(real), error))) {
            optimizer_close(optimizer);
            return -1;
        }
    start_states(optimizer);
    return 0;
}

/* Moves the averages of n parameters; `first`: they have none yet. */
static void average_block(double ema, bool first, size_t n, real *restrict average,
                          const real *restrict w)
{
    const real kept = first ? 0 : (real)ema, added = first ? 1 : (real)(1 - ema);
    for (size_t i = 0; i < n; i++)
        average[i] = kept * average[i] + added * w[i];
}

/* The `n` parameters from `from` on; 0 where one of them, or the state of one, is not finite after
   it. */
static int update_block(const Optimizer *optimizer, UpdateRule *rule, const Update *update,
                        size_t from, size_t n, real *parameters, const real *gradient)
{
    real *state[SETTINGS_STATES];
    for (int i = 0; i < SETTINGS_STATES; i++)
        state[i] = optimizer->state[i] ? optimizer->state[i] + from : NULL;
    rule(update, n, parameters + from, state, gradient + from);
    if (state[SETTINGS_AVERAGE])
        average_block(optimizer->settings.ema, optimizer->t == 1, n, state[SETTINGS_AVERAGE],
                      parameters + from);
    int finite = finite_all(parameters + from, n);
    for (int i = 0; i < SETTINGS_STATES && finite; i++)
        finite = !state[i] || finite_all(state[i], n);
    return finite;
}

/* By `t` alone, so that a resumed run has the same. */
static Course course_of(const ModelOptimizer *numbers, double t)
{
    enum { WARM = 1024 }; /* 0.96 to that power is lost beside 1 */
    Course course = course_begin();
    for (int i = 0; i < WARM && i < t; i++)
        course = course_next(course, numbers);
    course.beta1_power = pow(numbers->beta1, t);
    course.beta2_power = pow(numbers->beta2, t);
    return course;
}

/* The update of `count` parameters from `begin` on; 0 as update_block. */
static int update_range(const Optimizer *optimizer, size_t begin, size_t count, real *parameters,
                        const real *gradient, double scale, int threads)
{
    const ModelOptimizer *s = &optimizer->settings;
    const Update update = { s, course_of(s, (double)optimizer->t), scale };
    UpdateRule *const rule = find_rule(s->name);

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
        if (!update_block(optimizer, rule, &update, begin + from, n, parameters, gradient)) {
#pragma omp atomic write
            faulty = 1;
        }
    }
    return !faulty;
}

void optimizer_restart(Optimizer *optimizer, const Model *model, const unsigned char *trains)
{
    start_states(optimizer);
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

real *optimizer_averages(Optimizer *optimizer, const real *parameters)
{
    const Model *model = optimizer->model;
    real *average = optimizer->state[SETTINGS_AVERAGE];
    if (average && optimizer->t == 0)
        memcpy(average, parameters, optimizer->count * sizeof(real));
    for (int i = 0; average && optimizer->trains && i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        if (!optimizer->trains[i])
            memcpy(average + p->offset, parameters + p->offset, p->count * sizeof(real));
    }
    return average;
}

void optimizer_close(Optimizer *optimizer)
{
    for (int i = 0; i < SETTINGS_STATES; i++)
        free(optimizer->state[i]);
    memset(optimizer, 0, sizeof *optimizer);
}
