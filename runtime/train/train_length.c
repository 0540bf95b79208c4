#include "train_private.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t train_steps_of(size_t images, int batch)
{
    return (images + (size_t)batch - 1) / (size_t)batch;
}

size_t train_expected_epochs(const Run *run)
{
    size_t steps = train_steps_of(dataset_count(run->train), run->batch);
    size_t by_steps = run->state.steps ? (size_t)((run->state.steps + steps - 1) / steps) : 0;
    size_t epochs = (size_t)run->state.epochs;
    if (!epochs && !by_steps && train_stage(run)) {
        epochs = (size_t)(run->state.stage_epoch + run->state.stage_epochs);
        for (int i = (int)run->state.stage + 1; i < run->model->stage_count; i++)
            epochs += (size_t)run->model->stages[i].epochs;
    }
    return !epochs || (by_steps && by_steps < epochs) ? by_steps : epochs;
}

void train_fit_last_stage(Run *run)
{
    CheckpointState *s = &run->state;
    if (train_stage(run) && train_last_stage(run) && s->epochs > s->stage_epoch)
        s->stage_epochs = s->epochs - s->stage_epoch;
}

static bool is_cosine(const ModelSchedule *schedule)
{
    return strcmp(schedule->name, "cosine") == 0;
}

/* A cosine without `epochs` is as long as the run; each stage, where there are some, has one of its
   own length, and its `epochs` stay 0. Options that bring no epochs leave it as long as it was, so
   that a run in pieces of --steps is one. */
static void measure_schedule(Run *run)
{
    CheckpointState *s = &run->state;
    ModelSchedule *schedule = &s->training.schedule;

    if (!is_cosine(schedule) || run->model->stage_count > 0)
        return;
    if (schedule->epochs == 0 || (s->schedule_follows && run->options->epochs)) {
        schedule->epochs = (double)(s->epochs ? s->epochs : (uint64_t)run->model->training.epochs);
        s->schedule_follows = 1;
    }
}

int train_check_schedule(Run *run, Error *error)
{
    const CheckpointState *s = &run->state;
    const ModelSchedule *schedule = &s->training.schedule;

    measure_schedule(run);
    double epochs = schedule->epochs;
    for (int i = 0; i < run->model->stage_count && schedule->epochs == 0; i++)
        epochs = i == 0 || run->model->stages[i].epochs < epochs ? run->model->stages[i].epochs
                                                                 : epochs;
    if (is_cosine(schedule) && schedule->warmup >= epochs)
        return error_set(
            error, EXIT_USAGE,
            "the schedule's warmup of %g epochs leaves nothing of its %g; give a shorter warmup or "
            "more epochs, as "
            "--schedule cosine,epochs=40,warmup=2",
            schedule->warmup, epochs);
    if (schedule->min_lr > s->training.optimizer.lr)
        return error_set(
            error, EXIT_USAGE,
            "the schedule's min_lr %g is above the learning rate %g; give a lower min_lr with "
            "--schedule or a "
            "higher --lr",
            schedule->min_lr, s->training.optimizer.lr);
    return 0;
}

/* The epoch after which the rate of a stage that begins with epoch `begin` is 0, and the one with
   which the stage, or the run in it, ends. */
static void ends_of_stage(const Run *run, uint64_t stage, double begin, double *schedule,
                          double *end)
{
    const CheckpointState *s = &run->state;
    int last = stage + 1 >= (uint64_t)run->model->stage_count;
    double run_end = (double)train_expected_epochs(run), epochs = s->training.schedule.epochs;
    double own = stage == s->stage ? (double)s->stage_epochs : run->model->stages[stage].epochs;

    if (last && stage != s->stage && (double)s->epochs > begin)
        own = (double)s->epochs - begin;
    *schedule = begin + (epochs > 0 ? epochs : own);
    *end = last || begin + own > run_end ? run_end : begin + own;
}

void train_warn_of_schedule(Run *run)
{
    const CheckpointState *s = &run->state;
    uint64_t stages = run->model->stage_count > 0 ? (uint64_t)run->model->stage_count : 1;
    double begin = (double)s->stage_epoch, schedule, end;
    char text[256];

    if (!is_cosine(&s->training.schedule) || s->training.schedule.min_lr > 0)
        return;
    for (uint64_t i = s->stage; i < stages; i++, begin = end) {
        ends_of_stage(run, i, begin, &schedule, &end);
        if (end <= schedule)
            continue;
        snprintf(
            text, sizeof text,
            "the cosine comes to a learning rate of 0 with the end of epoch %g, and %s goes on to "
            "epoch %g without learning; "
            "give --schedule cosine more epochs or a min_lr",
            schedule, stages > 1 ? "its stage" : "the run", end);
        train_warn(text);
        return;
    }
}
