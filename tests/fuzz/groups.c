#include "groups.h"

#include "compute/groups.h"
#include "cases.h"
#include "parts.h"

#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_IMAGES = 5, CHUNK = 2 };
static const double close_by = 1e-11; /* of the largest */
static const double nothing = 1e-14;  /* what rounding leaves of a mean or variance that is 0 */

static void batch_images(const Net *net, uint8_t *images[BATCH_IMAGES])
{
    for (int i = 0; i < BATCH_IMAGES; i++)
        images[i] = net_image(net, 31 + (unsigned)i);
}

int groups_of(const Net *net)
{
    NetPlace places[NET_PLACES];
    const int count = net_places(net, places);
    for (int i = 0; i < count; i++) {
        const NetLayer *l = places[i].layer;
        if (l->kind == BATCH_NORM && !l->rests)
            return l->over && l->over < BATCH_IMAGES ? l->over : BATCH_IMAGES;
    }
    return 0;
}

bool groups_have_ties(const Net *net, const double *parameters)
{
    uint8_t *images[BATCH_IMAGES];
    const int group = groups_of(net);
    bool ties = false;
    batch_images(net, images);
    for (int at = 0; group && at < BATCH_IMAGES; at += group)
        ties = ties
               || net_group_has_ties(net, parameters, images + at,
                                     BATCH_IMAGES - at < group ? BATCH_IMAGES - at : group, 1e-9);
    for (int i = 0; i < BATCH_IMAGES; i++)
        free(images[i]);
    return ties;
}

/* ---- a batch on its way through the model ---- */

typedef struct Batch {
    Driven *driven;
    const ModelGroups *groups;
    const uint8_t *images[BATCH_IMAGES];
    uint64_t noise[BATCH_IMAGES]; /* zeros: none is drawn */
    double losses[BATCH_IMAGES];
    Guarded shared, gradient;
} Batch;

/* The gradient of the losses' sum, to b->gradient. */
static void run_batch(Batch *b)
{
    double all[BATCH_IMAGES * MODEL_MAX_COLUMNS];
    const size_t places = (size_t)b->groups->loss_places;
    assert_in_range(places, 1, MODEL_MAX_COLUMNS);
    guard_fill(&b->gradient, 0);
    guard_fill(&b->shared, 0xff);
    guard_fill(&b->driven->train, 0xff);
    groups_backward(b->groups, b->driven->prepared.data, b->images, b->noise, BATCH_IMAGES, CHUNK,
                    b->gradient.data, all, b->shared.data, b->driven->train.data, NULL);
    guard_check(&b->gradient);
    guard_check(&b->shared);
    guard_check(&b->driven->train);
    for (size_t i = 0; i < BATCH_IMAGES; i++)
        b->losses[i] = all[i * places];
}

static Batch batch_new(const Net *net, Driven *driven, const ModelGroups *groups)
{
    uint8_t *images[BATCH_IMAGES];
    Batch b = { .driven = driven, .groups = groups };
    batch_images(net, images);
    for (int i = 0; i < BATCH_IMAGES; i++)
        b.images[i] = images[i];
    b.shared = guard_new(groups_bytes(groups, BATCH_IMAGES));
    b.gradient = guard_new(driven->model->parameter_reals * sizeof(real));
    return b;
}

static void batch_free(Batch *b)
{
    for (int i = 0; i < BATCH_IMAGES; i++)
        free((void *)b->images[i]);
    guard_free(&b->shared);
    guard_free(&b->gradient);
}

static double sum_of_batch(void *context)
{
    Batch *b = context;
    double sum = 0;
    run_batch(b);
    for (int i = 0; i < BATCH_IMAGES; i++)
        sum += b->losses[i];
    return sum;
}

/* ---- against the naive operators ---- */

static void want_close(const char *what, const double *got, const double *right, size_t count)
{
    const double difference = relative_difference(got, right, count);
    if (!(difference <= close_by))
        fail_msg("of a batch, %s: differs by %.3g of the largest", what, difference);
}

/* The losses; seen[parameters] gets the sums of what groups have seen of their statistics. */
static void check_losses(const Net *net, Batch *b, const double *parameters, double *seen)
{
    const size_t count = b->driven->model->parameter_reals;
    double losses[BATCH_IMAGES], *of_group = calloc(count, sizeof *of_group);
    assert_non_null(of_group);
    run_batch(b);
    for (int at = 0; at < BATCH_IMAGES; at += groups_size(b->groups, at, BATCH_IMAGES)) {
        net_train_group(net, parameters, (uint8_t *const *)b->images + at,
                        groups_size(b->groups, at, BATCH_IMAGES), losses + at, of_group);
        for (size_t i = 0; i < count; i++)
            seen[i] += of_group[i];
    }
    free(of_group);
    want_close("losses", b->losses, losses, BATCH_IMAGES);
}

static bool all_below(const double *a, const double *b, size_t count, double bound)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs(a[i]) <= bound && fabs(b[i]) <= bound))
            return false;
    return true;
}

/* Of statistics, where a gradient has what the groups have seen: against what they should have. */
static void check_seen(const Batch *b, const double *gradient, const double *seen)
{
    const Model *model = b->driven->model;
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        const bool statistic = b->groups->momenta[i] >= 0;
        if (statistic && !all_below(seen + p->offset, gradient + p->offset, p->count, nothing))
            want_close(p->name, gradient + p->offset, seen + p->offset, p->count);
    }
}

/* ---- updates ---- */

/* A batch's update by the trainer, to be freed; NULL: the model's limit has no room for that. */
static real *update(const Batch *b, const Model *model, const ModelStage *stage,
                    const double *parameters, int threads)
{
    const ModelTraining training = { .loss = model->training.loss,
                                     .optimizer = { .name = "sgd", .lr = 1 },
                                     .schedule.name = "constant",
                                     .batch = BATCH_IMAGES };
    const size_t count = model->parameter_reals;
    Trainer t;
    Error error;
    if (trainer_threads_within(model, &training, BATCH_IMAGES) < threads)
        return NULL;
    assert_int_equal(trainer_open(&t, model, &training, BATCH_IMAGES, threads, &error), 0);
    for (size_t i = 0; i < count; i++)
        t.parameters[i] = (real)parameters[i];
    trainer_begin_stage(&t, stage);
    trainer_prepare(&t);
    assert_int_equal(trainer_step(&t, b->images, NULL, BATCH_IMAGES), TRAINER_FINE);
    real *after = malloc(count * sizeof *after);
    assert_non_null(after);
    memcpy(after, t.parameters, count * sizeof *after);
    trainer_close(&t);
    return after;
}

/* A tensor that took a step of 1 times the mean gradient. */
static void check_step(const ModelParameter *p, const double *before, const real *after,
                       const double *gradient)
{
    double largest = 0;
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        largest = fmax(largest, fmax(fabs(before[i]), fabs(gradient[i])));
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        if (!(fabs(before[i] - gradient[i] / BATCH_IMAGES - after[i]) <= close_by * largest))
            fail_msg("an update takes %s from %.17g by a gradient of %.17g to %.17g", p->name,
                     before[i], gradient[i], after[i]);
}

/* One that moved towards the mean of what the groups have seen. */
static void check_move(const ModelParameter *p, const double *before, const real *after,
                       const double *seen, double momentum, int groups)
{
    double largest = 0;
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        largest = fmax(largest, fmax(fabs(before[i]), fabs(seen[i])));
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        if (!(fabs(momentum * before[i] + (1 - momentum) * seen[i] / groups - after[i])
              <= close_by * largest))
            fail_msg("an update takes %s from %.17g to %.17g, groups have seen %.17g", p->name,
                     before[i], after[i], seen[i]);
}

/* gradient: of what is trained; seen: of statistics. */
static void check_parameters(const Model *model, const ModelGroups *groups,
                             const unsigned char *trains, const double *before, const real *after,
                             const double *gradient, const double *seen)
{
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        if (groups->momenta[i] >= 0)
            check_move(p, before, after, seen, groups->momenta[i],
                       groups_count(groups, BATCH_IMAGES));
        else if (!trains || trains[i])
            check_step(p, before, after, gradient);
        for (size_t k = p->offset; k < p->offset + p->count; k++)
            if (groups->momenta[i] < 0 && trains && !trains[i] && after[k] != before[k])
                fail_msg("an update moves %s, which rests", p->name);
    }
}

static void check_update(const Batch *b, const Model *model, const ModelStage *stage,
                         const double *parameters, const double *gradient, const double *seen)
{
    real *one = update(b, model, stage, parameters, 1),
         *three = update(b, model, stage, parameters, 3);
    if (one)
        check_parameters(model, b->groups, stage ? stage->trains : model->trains, parameters, one,
                         gradient, seen);
    if (three && memcmp(one, three, model->parameter_reals * sizeof *one) != 0)
        fail_msg("three threads give other bits than one");
    free(one);
    free(three);
}

/* ---- all of it ---- */

/* The gradient of the batch that was run, without what the groups have seen, which `seen` gets
   (NULL: it is known); what rests has none. To be freed. */
static double *take_gradient(const Batch *b, const Model *model, const unsigned char *trains,
                             double *seen)
{
    const size_t bytes = model->parameter_reals * sizeof(double);
    double *gradient = malloc(bytes);
    assert_non_null(gradient);
    memcpy(gradient, b->gradient.data, bytes);
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        const bool statistic = b->groups->momenta[i] >= 0;
        for (size_t k = p->offset; k < p->offset + p->count; k++) {
            if (!statistic && trains && !trains[i] && gradient[k] != 0)
                fail_msg("%s rests, but has a gradient", p->name);
            if (statistic && seen)
                seen[k] = gradient[k];
            gradient[k] = statistic ? 0 : gradient[k];
        }
    }
    return gradient;
}

static void check_noise(Batch *b, const double *parameters)
{
    GradientCheck check = { .tolerance = 1e-6, .places = 2, .random = true };
    for (int i = 0; i < BATCH_IMAGES; i++)
        b->noise[i] = 77u * (unsigned)i + 1001u;
    run_batch(b);
    double *gradient = take_gradient(b, b->driven->model, b->driven->model->trains, NULL);
    check_slopes(b->driven, parameters, gradient, &(LossSum){ sum_of_batch, b }, &check);
    free(gradient);
}

static void check_network(const Net *net, const Model *model, const double *parameters, bool noisy,
                          GradientCheck *check)
{
    Driven driven = drive_new(model, parameters);
    Batch b = batch_new(net, &driven, model->groups);
    double *seen = calloc(model->parameter_reals, sizeof *seen);
    assert_non_null(seen);
    check_losses(net, &b, parameters, seen);
    check_seen(&b, b.gradient.data, seen);
    double *gradient = take_gradient(&b, model, model->trains, NULL);
    check_slopes(&driven, parameters, gradient, &(LossSum){ sum_of_batch, &b }, check);
    check_update(&b, model, NULL, parameters, gradient, seen);
    if (noisy)
        check_noise(&b, parameters);
    free(gradient);
    free(seen);
    batch_free(&b);
    drive_free(&driven);
}

static void check_stage(const Net *net, const Model *model, int number, const double *parameters,
                        GradientCheck *check)
{
    const ModelStage *stage = &model->stages[number];
    Part part;
    assert_non_null(stage->groups);
    part_of(model, number, &part);
    Driven driven = drive_new(&part.model, parameters);
    Batch b = batch_new(net, &driven, stage->groups);
    double *seen = calloc(model->parameter_reals, sizeof *seen);
    assert_non_null(seen);
    run_batch(&b);
    double *gradient = take_gradient(&b, model, stage->trains, seen);
    check_slopes(&driven, parameters, gradient, &(LossSum){ sum_of_batch, &b }, check);
    check_update(&b, model, stage, parameters, gradient, seen);
    free(gradient);
    free(seen);
    batch_free(&b);
    drive_free(&driven);
}

void check_groups(const Net *net, const Model *model, const double *parameters, bool noisy,
                  GradientCheck *check)
{
    check_network(net, model, parameters, noisy, check);
    for (int s = 0; s + 1 < model->stage_count; s++)
        check_stage(net, model, s, parameters, check);
}
