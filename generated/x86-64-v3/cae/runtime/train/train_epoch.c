#include "train_private.h"

#include "images/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void train_mean_terms(const Run *run, const double *sums, double images, double *means)
{
    int count;
    const ModelTerm *terms = trainer_terms(&run->trainer, &count);
    for (int i = 0; i < run->model->column_count; i++)
        means[i] = NAN;
    for (int i = 0; i < count; i++)
        means[terms[i].column] = sums[terms[i].column] / images;
    const int penalties[] = { run->model->l1_column, run->model->l2_column };
    for (int i = 0; run->model->penalty_count > 0 && i < 2; i++)
        if (penalties[i] >= 0)
            means[penalties[i]] = sums[penalties[i]] / images;
}

ProgressLoss train_mean_loss(const Run *run, double *terms)
{
    const CheckpointState *s = &run->state;
    const double images = (double)s->images;
    train_mean_terms(run, s->term_sums, images, terms);
    return (ProgressLoss){ s->loss_sum / images, terms };
}

/* The mean loss over the validation set, and the means of the model's columns; its pictures are
   read in the order of their names. Returns 1 where a signal came first. */
static int validate(Run *run, double *val_loss, double *val_terms, Error *error)
{
    double sum = 0, sums[MODEL_MAX_COLUMNS] = { 0 };
    size_t images = 0, count = run->val ? dataset_count(run->val) : 0;
    int n = 0;

    *val_loss = NAN;
    for (int i = 0; i < run->model->column_count; i++)
        val_terms[i] = NAN;
    if (!run->val)
        return 0;
    progress_validation(&run->progress);
    for (size_t i = 0; i < count; i++)
        run->order[i] = (uint32_t)i;
    if (dataset_start(run->val, run->order, count, (size_t)run->batch, error) != 0)
        return -1;
    while ((n = train_next_pictures(run, run->val, run->batch, error)) > 0) {
        trainer_evaluate(&run->trainer, run->pixels, n);
        sum = trainer_loss_sum(&run->trainer, n, sum);
        trainer_column_sums(&run->trainer, n, sums);
        if (!isfinite(sum))
            return train_diverged(run, "the validation loss", run->val, n, NULL, 1, error);
        images += (size_t)n;
        if (train_stopped())
            return 1;
    }
    if (n < 0)
        return -1;
    if (images == 0)
        return error_set(error, EXIT_INPUT,
                         "%s: none of its pictures could be read, so there is no validation loss",
                         run->options->val.count ? run->options->val.paths[0] : "validation");
    *val_loss = sum / (double)images;
    train_mean_terms(run, sums, (double)images, val_terms);
    return 0;
}

/* `partial`: the best of the whole epochs is kept besides, for it may come to count again. */
static int save_best(Run *run, double score, int partial, Error *error)
{
    CheckpointState state = run->state;
    if (partial && isfinite(state.best) && run_folder_keep_best(&run->folder, error) != 0)
        return -1;
    state.best = score;
    /* the clock is no property of the weights: equal runs write equal files */
    state.seconds = 0;
    return checkpoint_save(run->folder.best, run->model, trainer_shown(&run->trainer), NULL, &state,
                           error);
}

/* Originals above, reconstructions below. */
static int write_samples(Run *run, Error *error)
{
    const ModelShape *shape = &run->model->output;
    size_t bytes = trainer_image_values(run->model);
    int n = run->sample_count;
    const uint8_t *cells[2 * SAMPLES];
    char path[4096];

    if (n == 0)
        return 0;
    if (run_folder_make(&run->folder, error) != 0)
        return -1;
    for (int i = 0; i < n; i++) {
        uint8_t *original = run->samples + (size_t)i * bytes,
                *copy = run->samples + (size_t)(SAMPLES + i) * bytes;
        trainer_reconstruct_bytes(&run->trainer, original, run->scratch, copy);
        cells[i] = original;
        cells[n + i] = copy;
    }
    run_folder_sample(&run->folder, run->state.epoch + 1, path, sizeof path);
    return report_sheet(path, cells, n, 2, shape->dim[0], shape->dim[1], shape->dim[2], error);
}

/* Losses of different stages do not compare: the curve is that of the stage at hand. */
static int write_curve(const Run *run, Error *error)
{
    size_t count = run->history.count, first = 0;
    const ModelStage *stage = train_stage(run);
    char title[192];
    ReportPoint *points = malloc((count + 1) * sizeof *points);
    if (!points)
        return error_set(error, EXIT_INPUT, "out of memory for the loss curve");
    while (stage && first < count && run->history.rows[first].stage != (int)run->state.stage + 1)
        first++;
    for (size_t i = first; i < count; i++) {
        const HistoryRow *row = &run->history.rows[i];
        points[i - first] = (ReportPoint){ (int)row->epoch, row->loss, row->val_loss };
    }
    int used = snprintf(title, sizeof title, "%s: %s loss", run->model->name,
                        stage ? stage->loss_name : run->model->training.loss);
    if (stage)
        snprintf(title + used, sizeof title - (size_t)used, ", stage %d of %d",
                 (int)run->state.stage + 1, run->model->stage_count);
    int result = report_loss_svg(run->folder.loss_curve, title, points, count - first, error);
    free(points);
    return result;
}

static int write_results(Run *run, ProgressLoss loss, ProgressLoss val_loss, Error *error)
{
    const CheckpointState *s = &run->state;
    const size_t bytes = (size_t)run->model->column_count * sizeof *loss.terms;
    HistoryRow row = { .epoch = s->epoch + 1,
                       .loss = loss.loss,
                       .val_loss = val_loss.loss,
                       .seconds = s->seconds,
                       .images_per_second = (double)s->images / fmax(s->seconds, 1e-9),
                       .lr = s->rate,
                       .stage = train_stage(run) ? (int)s->stage + 1 : 0 };
    memcpy(row.terms, loss.terms, bytes);
    memcpy(row.val_terms, val_loss.terms, bytes);
    if (write_samples(run, error) != 0 || history_put(&run->history, &row, error) != 0
        || history_write(&run->history, run->folder.history, error) != 0)
        return -1;
    return write_curve(run, error);
}

/* What waits for the loss to fall: early stopping, and a schedule that goes by it. */
static void count_score(Run *run, double score)
{
    CheckpointState *s = &run->state;
    best_loss_epoch(&s->early, score, s->training.min_delta);
    if (plateau_epoch(&s->plateau, &s->training.schedule, s->training.optimizer.lr, score))
        train_say(run, "no lower %s for %g epochs: the learning rate goes down to %g",
                  train_score_name(run), s->training.schedule.patience,
                  s->training.optimizer.lr * s->plateau.scale);
}

/* What the epoch leaves in the run's folder, of the averages where there are some; *score is what
   it comes to, *better whether that is the lowest so far. Returns as train_end_epoch. */
static int show_epoch(Run *run, int partial, double *score, int *better, Error *error)
{
    const CheckpointState *s = &run->state;
    double terms[MODEL_MAX_COLUMNS], val_terms[MODEL_MAX_COLUMNS], val_loss;
    const ProgressLoss loss = train_mean_loss(run, terms);
    int result = validate(run, &val_loss, val_terms, error);
    if (result != 0)
        return result;
    progress_end(&run->progress,
                 (size_t)((s->images + (uint64_t)run->batch - 1) / (uint64_t)run->batch),
                 (double)s->images / fmax(s->seconds, 1e-9), s->seconds, loss,
                 (ProgressLoss){ val_loss, val_terms });

    *score = isnan(val_loss) ? loss.loss : val_loss;
    *better = train_last_stage(run) && *score < s->best;
    if (train_follow_folder(run, error) != 0
        || (*better && save_best(run, *score, partial, error) != 0)
        || write_results(run, loss, (ProgressLoss){ val_loss, val_terms }, error) != 0)
        return -1;
    return 0;
}

int train_end_epoch(Run *run, int partial, Error *error)
{
    CheckpointState *s = &run->state;
    const int averages = s->training.optimizer.ema > 0;
    double score;
    int better;

    if (s->images == 0)
        return error_set(error, EXIT_INPUT, "%s: none of its pictures could be read",
                         run->options->train.count ? run->options->train.paths[0] : "training");
    if (averages)
        trainer_show(&run->trainer);
    int result = show_epoch(run, partial, &score, &better, error);
    if (averages)
        trainer_prepare(&run->trainer);
    if (result != 0)
        return result;
    if (train_find_dead_channels(run, error) != 0)
        return -1;
    s->closed = partial ? s->step : 0;
    if (!partial) {
        /* The epoch that stays open does not count as best: its whole may still be judged otherwise
           after a resume. */
        if (better)
            s->best = score;
        count_score(run, score);
        s->epoch++;
        s->position = s->images = 0;
        s->loss_sum = s->seconds = 0;
        memset(s->term_sums, 0, sizeof s->term_sums);
    }
    return train_save_last(run, error);
}
