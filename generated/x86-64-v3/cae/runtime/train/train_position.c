#include "train_position.h"

#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A schedule that is given again is the run's own, which goes on: what the run knows of it, a
 * plateau's or the length of a cosine, stays. */
static bool is_the_runs(const CheckpointState *s, const ModelSchedule *given)
{
    char own_text[SETTINGS_TEXT], given_text[SETTINGS_TEXT];
    ModelSchedule own = s->training.schedule;
    if (s->schedule_follows)
        own.epochs = given->epochs;
    settings_schedule_text(&own, own_text);
    settings_schedule_text(given, given_text);
    return strcmp(own_text, given_text) == 0 && (!s->schedule_follows || given->epochs == 0);
}

/* What the command line says about training goes before what the graph, or the run that is resumed,
 * says. Another schedule starts afresh. */
static int take_options(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    CheckpointState *s = &run->state;
    ModelTraining *t = &s->training;
    double lr = t->optimizer.lr;

    if (o->optimizer.name) {
        t->optimizer = o->optimizer;
        lr = t->optimizer.lr;
    }
    t->optimizer.lr = o->lr > 0 ? o->lr : lr;
    if (o->schedule.name && !is_the_runs(s, &o->schedule)) {
        t->schedule = o->schedule;
        s->schedule_follows = 0;
        s->plateau = (Plateau){ { INFINITY, 0 }, 0, 1 };
    }
    if (o->clip_given) {
        t->clip_norm = o->clip_norm;
        t->global_clip_norm = o->global_clip_norm;
        t->clip_value = o->clip_value;
    }
    if (o->patience_given)
        t->patience = o->patience;
    if (o->min_delta_given)
        t->min_delta = o->min_delta;
    if (o->mirror_given)
        t->mirror = o->mirror;
    return train_check_schedule(run, error);
}

/* What a run keeps from its start to its end is not asked to be other. */
static int check_kept(const Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    const CheckpointState *s = &run->state;

    if (o->seed_given && o->seed != s->seed)
        return error_set(error, EXIT_USAGE,
                         "--seed %" PRIu64 ": the run in %s has the seed %" PRIu64
                         "; leave --seed out, or start anew "
                         "without --resume",
                         o->seed, run->folder.path, s->seed);
    if (o->batch && (uint64_t)o->batch != s->batch)
        return error_set(error, EXIT_USAGE,
                         "--batch %d: the run in %s has batches of %" PRIu64
                         "; leave --batch out, or start anew "
                         "without --resume",
                         o->batch, run->folder.path, s->batch);
    if (o->optimizer.name && strcmp(o->optimizer.name, s->training.optimizer.name) != 0)
        return error_set(
            error, EXIT_USAGE,
            "--optimizer %s: the run in %s is trained by %s; leave --optimizer out, or start anew "
            "without --resume",
            o->optimizer.name, run->folder.path, s->training.optimizer.name);
    return 0;
}

int train_read_position(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    CheckpointState *s = &run->state;

    if (!run_folder_has_last(&run->folder))
        return error_set(
            error, EXIT_FILE,
            "no run to resume in %s: there is no %s; give its --out, or start one without --resume",
            run->folder.path, run->folder.last);
    if (run_folder_check(&run->folder, error) != 0
        || checkpoint_load(run->folder.last, run->model, NULL, NULL, s, error) != 0
        || check_kept(run, error) != 0)
        return -1;
    if (o->epochs || o->steps) {
        s->epochs = o->epochs;
        s->steps = o->steps;
        train_fit_last_stage(run);
    }
    return take_options(run, error);
}

/* Groups of a batch are of one size, but for those of an epoch's last batch. */
static int check_batch(const Run *run, Error *error)
{
    const uint64_t batch = run->state.batch,
                   over = run->model->groups ? (uint64_t)run->model->groups->over : 0;
    if (over == 0 || batch <= over || batch % over == 0)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "--batch %" PRIu64 ": layers of this network take statistics over %" PRIu64
                     " images at a time, so a batch is a multiple of that, or smaller; give --batch "
                     "%" PRIu64 " or %" PRIu64,
                     batch, over, batch / over * over, (batch / over + 1) * over);
}

int train_fresh_position(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    const ModelTraining *training = &run->model->training;
    run->state = (CheckpointState){
        .best = INFINITY,
        .seed = o->seed_given ? o->seed : 1,
        .batch = (uint64_t)(o->batch ? o->batch : training->batch),
        .epochs = o->epochs || o->steps || run->model->stage_count ? o->epochs
                                                                   : (uint64_t)training->epochs,
        .steps = o->steps,
        .training = *training,
    };
    if (check_batch(run, error) != 0)
        return -1;
    train_begin_stage(run);
    return take_options(run, error);
}
