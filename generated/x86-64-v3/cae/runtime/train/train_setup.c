#define _POSIX_C_SOURCE 200809L
#include "train_private.h"

#include "first_parameters.h"
#include "images/image.h"
#include "memory.h"
#include "train_beginning.h"
#include "train_pictures.h"
#include "train_position.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Run *warned_run; /* for dataset's warnings, which come with a text alone */

void train_warn(const char *text)
{
    char line[2048];
    snprintf(line, sizeof line, "%s-train: warning: %s", warned_run->model->name, text);
    progress_say(&warned_run->progress, stderr, line);
}

static int open_folder(Run *run, Error *error)
{
    char out[300];
    snprintf(out, sizeof out, "runs/%s", run->model->name);
    if (run_folder_open(&run->folder, run->options->out ? run->options->out : out, error) != 0)
        return -1;
    return run_folder_lock(&run->folder, error);
}

static int allocate(Run *run, Error *error)
{
    size_t train = dataset_count(run->train), val = run->val ? dataset_count(run->val) : 0;
    size_t most = run->batch > LOOKED_AT_LATER ? (size_t)run->batch : LOOKED_AT_LATER;
    size_t values = trainer_image_values(run->model);

    if (!(run->order = memory_block((train > val ? train : val) * sizeof *run->order, error))
        || !(run->which = memory_block(most * sizeof *run->which, error))
        || !(run->pixels = memory_block(most * sizeof *run->pixels, error))
        || !(run->noise = memory_block((size_t)run->batch * sizeof *run->noise, error))
        || (run->state.training.mirror
            && !(run->mirrored = memory_block((size_t)run->batch * values, error)))
        || !(run->samples = memory_block(2 * SAMPLES * values, error))
        || !(run->scratch = memory_block(values * sizeof(real), error))
        || train_open_dead_channels(run, error) != 0)
        return -1;
    return 0;
}

static int keep_samples(Run *run, Error *error)
{
    size_t bytes = trainer_image_values(run->model);
    int n = train_first_pictures(run, run->val ? run->val : run->train, SAMPLES, error);
    if (n < 0)
        return -1;
    for (int i = 0; i < n; i++)
        memcpy(run->samples + (size_t)i * bytes, run->pixels[i], bytes);
    run->sample_count = n;
    return 0;
}

static void name_columns(Run *run)
{
    run->history.staged = run->model->stage_count > 0;
    run->history.terms = run->model->columns;
    run->history.term_count = run->model->column_count;
}

/* That of the run that is resumed, with what it has written. */
static int resume_folder(Run *run, Error *error)
{
    run->saved_step = run->state.step;
    run->saved_at = train_now();
    if (history_read(&run->history, run->folder.history, run->state.epoch, error) != 0)
        return -1;
    name_columns(run);
    if (run_folder_make(&run->folder, error) != 0)
        return -1;
    return train_save_pictures(run, &run->folder, 0, error);
}

/* The folder is touched last, when nothing else is left that can be refused. Saving the first
   parameters tells early whether it can be written. */
static int begin_folder(Run *run, Error *error)
{
    char moved[4096];
    name_columns(run);
    /* another run may have made it in the meantime */
    if (!run->folder.locked && run_folder_lock(&run->folder, error) != 0)
        return -1;
    if (run_folder_used(&run->folder)) {
        if (run_folder_move_aside(&run->folder, moved, sizeof moved, error) != 0)
            return -1;
        train_say(run, "%s held an older run, which is now %s", run->folder.path, moved);
    }
    if (run_folder_make(&run->folder, error) != 0
        || (!run->folder.locked && run_folder_lock(&run->folder, error) != 0))
        return -1;
    train_say(run, "writing to %s", run->folder.path);
    return train_save_last(run, error);
}

/* The position, and a trainer with the parameters that belong there. */
static int open_trainer(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    if ((o->resume ? train_read_position(run, error) : train_fresh_position(run, error)) != 0)
        return -1;
    run->batch = (int)run->state.batch;
    run->threads = o->threads
                       ? o->threads
                       : trainer_default_threads(run->model, &run->state.training, run->batch);
    if (trainer_open(&run->trainer, run->model, &run->state.training, run->batch, run->threads,
                     error)
        != 0)
        return -1;
    if (run->threads != run->trainer.threads)
        train_warn("this program was built without OpenMP: it works on one thread");
    run->threads = run->trainer.threads;
    return train_fill_parameters(run, error);
}

static void say_finished(Run *run)
{
    train_say(run,
              "the run in %s is finished: %" PRIu64 " epochs, %" PRIu64
              " updates; to go on, give more %s",
              run->folder.path, run->state.epoch, run->state.step,
              train_stopped_early(run) ? "--patience" : "--epochs or --steps");
}

/* All that is left to do before the first step. */
static int prepare_training(Run *run, Error *error)
{
    int drawn = !run->options->resume && !run->options->init;
    if (train_open_pictures(run, error) != 0 || allocate(run, error) != 0)
        return -1;
    train_say_beginning(run);
    if (train_mend_dead_output(run, drawn, error) != 0 || keep_samples(run, error) != 0)
        return -1;
    return run->options->resume ? resume_folder(run, error) : begin_folder(run, error);
}

int train_open(Run *run, const Model *model, const TrainOptions *options, int *finished,
               Error *error)
{
    memset(run, 0, sizeof *run);
    run->model = model;
    run->options = options;
    progress_open(&run->progress, stdout, isatty(STDOUT_FILENO), train_now);
    run->progress.terms = model->columns;
    run->progress.term_count = model->column_count;
    warned_run = run;
    *finished = 0;

    if (options->train.count && image_check_channels(model->name, model->input.dim[2], error) != 0)
        return -1;
    if (open_folder(run, error) != 0 || open_trainer(run, error) != 0)
        return -1;
    if (options->resume && train_finished(run)) {
        say_finished(run);
        *finished = 1;
        return 0;
    }
    return prepare_training(run, error);
}

void train_close(Run *run)
{
    dataset_close(run->train);
    dataset_close(run->val);
    trainer_close(&run->trainer);
    run_folder_close(&run->folder);
    history_free(&run->history);
    free(run->order);
    free(run->which);
    free(run->pixels);
    free(run->noise);
    free(run->mirrored);
    free(run->samples);
    free(run->scratch);
    train_close_dead_channels(run);
    warned_run = NULL;
}
