#define _POSIX_C_SOURCE 200809L
#include "train_run.h"

#include "resume_command.h"
#include "train_private.h"
#include "warmup.h"

#include "images/image.h"
#include "signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

double train_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void train_say(Run *run, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    progress_say(&run->progress, stdout, text);
}

const char *train_score_name(const Run *run)
{
    return run->val ? "val_loss" : "loss";
}

int train_stopped_early(const Run *run)
{
    const CheckpointState *s = &run->state;
    return s->training.patience > 0 && s->early.wait >= (uint64_t)s->training.patience;
}

const ModelStage *train_stage(const Run *run)
{
    return run->model->stage_count > 0 ? &run->model->stages[run->state.stage] : NULL;
}

int train_last_stage(const Run *run)
{
    return run->model->stage_count == 0
           || run->state.stage + 1 == (uint64_t)run->model->stage_count;
}

int train_stage_over(const Run *run)
{
    const CheckpointState *s = &run->state;
    int by_options = train_last_stage(run) && (s->epochs || s->steps);
    return train_stopped_early(run)
           || (!by_options && s->epoch >= s->stage_epoch + s->stage_epochs);
}

int train_steps_done(const Run *run)
{
    return run->state.steps && run->state.step >= run->state.steps;
}

int train_finished(const Run *run)
{
    const CheckpointState *s = &run->state;
    int results_written = s->position == 0 || s->closed == s->step;
    return (train_last_stage(run) && train_stage_over(run)) || (s->epochs && s->epoch >= s->epochs)
           || (train_steps_done(run) && results_written);
}

void train_begin_stage(Run *run)
{
    CheckpointState *s = &run->state;
    const ModelStage *stage = train_stage(run);
    s->stage_step = s->step;
    s->stage_epoch = s->epoch;
    s->stage_epochs = stage ? (uint64_t)stage->epochs : s->epochs;
    train_fit_last_stage(run);
    s->plateau = (Plateau){ { INFINITY, 0 }, 0, 1 };
    s->early = (BestLoss){ INFINITY, 0 };
}

void train_say_stage(Run *run)
{
    const ModelStage *stage = train_stage(run);
    int stages = run->model->stage_count, number = (int)run->state.stage + 1;
    size_t reals = 0;
    if (!stage)
        return;
    for (int i = 0; i < run->model->parameter_count; i++)
        reals += stage->trains[i] ? run->model->parameters[i].count : 0;
    progress_stage(&run->progress, number, stages);
    train_say(run, "stage %d of %d: %s; %zu parameters, %s", number, stages, stage->title, reals,
              stage->loss_name);
}

static int save_is_due(const Run *run)
{
    const TrainOptions *o = run->options;
    if (o->checkpoint_updates)
        return run->state.step % o->checkpoint_updates == 0;
    double minutes = o->checkpoint_minutes > 0 ? o->checkpoint_minutes : 10;
    return train_now() - run->saved_at >= 60 * minutes;
}

static void show_step(Run *run)
{
    double terms[MODEL_MAX_COLUMNS];
    const CheckpointState *s = &run->state;
    double rate = (double)s->images / fmax(s->seconds, 1e-9);
    double left = (double)(dataset_count(run->train) - s->position);
    if (s->steps)
        left = fmin(left, (double)(s->steps - s->step) * run->batch);
    progress_step(&run->progress, train_steps_of((size_t)s->images, run->batch), rate, left / rate,
                  train_mean_loss(run, terms));
}

int train_next_pictures(Run *run, Dataset *set, int want, Error *error)
{
    int n = dataset_next(set, want, run->pixels, run->which, error);
    run->unread |= n < 0;
    return n;
}

/* Draws for the n pictures at hand: the numbers of the layers that draw, and which pictures are
   mirrored. */
static void draw(Run *run, int n)
{
    const CheckpointState *s = &run->state;
    const int *dim = run->model->input.dim;
    size_t bytes = trainer_image_values(run->model);

    for (int i = 0; i < n; i++)
        run->noise[i] = dataset_number(s->seed, s->epoch, run->which[i]);
    if (!s->training.mirror)
        return;
#pragma omp parallel for num_threads(run->threads) schedule(static)
    for (int i = 0; i < n; i++)
        if (run->noise[i] >> 63) {
            image_mirror(run->pixels[i], dim[1], dim[0], dim[2], run->mirrored + (size_t)i * bytes);
            run->pixels[i] = run->mirrored + (size_t)i * bytes;
        }
}

/* Nobody reads what the run prints, or the disk of its log is full: no reason to lose the training,
   but one to say so. */
static void check_output(Run *run)
{
    if (run->unheard || !ferror(stdout))
        return;
    run->unheard = true;
    train_warn(
        "the output cannot be written any more; training goes on, history.csv tells how far, and "
        "the program will end with 3");
}

static const char *const faults[] = { [TRAINER_LOSS] = "the loss",
                                      [TRAINER_GRADIENT] = "the gradient",
                                      [TRAINER_PARAMETER] = "a parameter",
                                      [TRAINER_OPTIMIZER] = "the optimizer's state" };

/* One update with the n pictures at hand. */
static int step(Run *run, int n, Error *error)
{
    CheckpointState *s = &run->state;
    double count = (double)dataset_count(run->train), epochs = (double)(s->epoch - s->stage_epoch),
           begin = epochs + (double)s->position / count;
    ModelSchedule schedule = s->training.schedule;
    uint64_t position = s->position;

    /* Unreadable pictures were passed over on the way: the position is after the last one learnt
       from. */
    while (run->order[position++] != run->which[n - 1])
        ;
    if (schedule.epochs == 0)
        schedule.epochs = (double)s->stage_epochs;
    s->rate = schedule_rate(&schedule, &s->plateau, s->training.optimizer.lr, begin,
                            epochs + (double)position / count);
    run->trainer.optimizer.settings.lr = s->rate;
    draw(run, n);
    TrainerFault fault = trainer_step(&run->trainer, run->pixels, run->noise, n);
    if (fault != TRAINER_FINE)
        return train_diverged(run, faults[fault], run->train, n, run->noise,
                              fault < TRAINER_PARAMETER, error);
    s->step++;
    s->loss_sum = trainer_loss_sum(&run->trainer, n, s->loss_sum);
    trainer_column_sums(&run->trainer, n, s->term_sums);
    s->images += (uint64_t)n;
    s->position = position;
    return 0;
}

/* Updates to the end of the epoch, or of the run: *partial then. None at all where the run was
   stopped after its last one. Returns 1 where a signal came first. */
static int train_epoch(Run *run, int *partial, Error *error)
{
    CheckpointState *s = &run->state;
    size_t count = dataset_count(run->train);

    *partial = 0;
    if (warmup_set(run->model, (double)(s->epoch - s->stage_epoch), run->trainer.parameters))
        trainer_prepare(&run->trainer);
    dataset_shuffle(run->order, count, s->seed, s->epoch);
    if (dataset_start(run->train, run->order + s->position, count - s->position, (size_t)run->batch,
                      error)
        != 0)
        return -1;
    progress_epoch(&run->progress, s->epoch + 1, train_expected_epochs(run),
                   train_steps_of(count, run->batch));
    while (!train_steps_done(run)) {
        double began = train_now();
        int n = train_next_pictures(run, run->train, run->batch, error);
        if (n <= 0)
            return n;
        if (step(run, n, error) != 0)
            return -1;
        s->seconds += train_now() - began;
        show_step(run);
        check_output(run);
        if (save_is_due(run) && train_save_last(run, error) != 0)
            return -1;
        if (train_stopped())
            return 1;
    }
    *partial = s->position < count;
    return 0;
}

static int save_and_stop(Run *run, Error *error)
{
    char command[1024];
    char name[24];
    int number = train_stopped();
    if (train_save_last(run, error) != 0)
        return -1;
    train_resume_command(run, train_out(run), command, sizeof command);
    train_say(run,
              "stopped by %s after step %" PRIu64 ", in epoch %" PRIu64
              "; saved in %s; to go on: %s",
              signals_name(number, name), run->state.step, run->state.epoch + 1, run->folder.last,
              command);
    return 128 + number;
}

static void next_stage(Run *run)
{
    if (train_stopped_early(run))
        train_say(run, "this stage stopped early: no %s lower than %g for %d epochs",
                  train_score_name(run), run->state.early.best, run->state.training.patience);
    run->state.stage++;
    train_begin_stage(run);
    trainer_begin_stage(&run->trainer, train_stage(run));
    train_reset_dead_channels(run);
    train_say_stage(run);
}

/* A run that ended inside an epoch goes on: nothing is left of that end, first in last.safetensors,
   so that the end is made again if the run does not get far. */
static int reopen(Run *run, Error *error)
{
    /* it does not go on, it was stopped on the way to its end */
    if (train_steps_done(run))
        return 0;
    if (run->state.closed) {
        run->state.closed = 0;
        if (train_save_last(run, error) != 0)
            return -1;
    }
    return run_folder_restore_best(&run->folder, error);
}

static int train_loop(Run *run, Error *error)
{
    if (reopen(run, error) != 0)
        return -1;
    while (!train_finished(run)) {
        if (train_stage_over(run))
            next_stage(run);
        int partial, result = train_epoch(run, &partial, error);
        if (result == 0)
            result = train_end_epoch(run, partial, error);
        check_output(run);
        if (result < 0)
            return -1;
        if (result > 0 || (train_stopped() && !train_finished(run)))
            return save_and_stop(run, error);
    }
    return 0;
}

static void say_end(Run *run)
{
    size_t unreadable = dataset_unreadable(run->train)
                        + (run->val ? dataset_unreadable(run->val) : 0);
    if (unreadable)
        train_say(run, "%zu unreadable picture%s passed over", unreadable,
                  unreadable == 1 ? " was" : "s were");
    if (train_stopped_early(run))
        train_say(run, "stopped early: no %s lower than %g for %d epochs", train_score_name(run),
                  run->state.early.best, run->state.training.patience);
    if (train_last_stage(run) && run->state.step > run->state.stage_step)
        train_say(run,
                  "done: %" PRIu64 " updates, %" PRIu64
                  " whole epoch%s; the lowest %s is in %s, the end of the run in %s",
                  run->state.step, run->state.epoch, run->state.epoch == 1 ? "" : "s",
                  train_score_name(run), run->folder.best, run->folder.last);
    else
        train_say(run,
                  "done: %" PRIu64 " updates, %" PRIu64 " whole epoch%s, in stage %" PRIu64
                  " of %d; the lowest %s counts in the last stage "
                  "alone; the end of the run is in %s",
                  run->state.step, run->state.epoch, run->state.epoch == 1 ? "" : "s",
                  run->state.stage + 1, run->model->stage_count, train_score_name(run),
                  run->folder.last);
}

/* What a run that could not go on leaves behind: where it was a picture's fault, or
   last.safetensors was deleted, all of it. So may its folder have been, in the middle of a save. */
static void add_what_is_left(Run *run, Error *error)
{
    char command[512];
    Error other;
    if (train_follow_folder(run, &other) != 0)
        *error = other;
    else if (run->unread || !run_folder_has_last(&run->folder))
        train_save_last(run, &other);
    size_t used = strlen(error->text);
    train_resume_command(run, train_out(run), command, sizeof command);
    snprintf(error->text + used, sizeof error->text - used,
             "; %s %s step %" PRIu64 ", to go on from there: %s", run->folder.last,
             run->unread ? "holds" : "still holds", run->saved_step, command);
}

int train_run(const Model *model, const TrainOptions *options, Error *error)
{
    SignalsBefore before;
    Run run;
    int finished = 0;

    train_watch_signals(&before);
    int result = train_open(&run, model, options, &finished, error);
    if (result == 0 && !finished) {
        train_allow_stopping(&run);
        result = train_loop(&run, error);
        if (result == 0)
            say_end(&run);
        else if (result < 0)
            progress_close(&run.progress);
        if (result < 0 && !run.diverged)
            add_what_is_left(&run, error);
    }
    train_close(&run);
    signals_restore(&before);
    return result;
}
