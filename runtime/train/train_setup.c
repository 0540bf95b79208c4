#define _POSIX_C_SOURCE 200809L
#include "train_private.h"

#include "images/image.h"
#include "settings.h"
#include "weights/initial.h"
#include "weights/weights.h"
#include "memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REDRAWINGS = 64 };

/* Bytes of files that a new run reads to know them all from its start; of more, each when it is
   learnt from. */
static const int64_t NOTED_AT_ONCE = 512 << 20;

static Run *warned_run; /* for dataset's warnings, which come with a text alone */

void train_warn(const char *text)
{
    char line[2048];
    snprintf(line, sizeof line, "%s-train: warning: %s", warned_run->model->name, text);
    progress_say(&warned_run->progress, stderr, line);
}

/* Appends a word of a shell's, in quotes where it needs them. */
static void append_word(char *text, size_t size, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:@%=";
    size_t used = strlen(text);
    int quote = !*word || word[strspn(word, plain)] != '\0';
    used += (size_t)snprintf(text + used, size - used, "%s", quote ? "'" : "");
    for (const char *c = word; *c && used + 8 < size; c++)
        used += (size_t)snprintf(text + used, size - used, *c == '\'' ? "'\\''" : "%c", *c);
    if (quote && used + 2 < size)
        strcpy(text + used, "'");
}

/* Appends " --name value". */
static void append_option(char *text, size_t size, const char *name, const char *value)
{
    size_t used = strlen(text);
    if (!value)
        return;
    snprintf(text + used, size - used, " --%s ", name);
    append_word(text, size, value);
}

void train_resume_command(const Run *run, const char *out, char *text, size_t size)
{
    char name[300];
    snprintf(name, sizeof name, "%s-train", run->model->name);
    *text = '\0';
    append_word(text, size, run->options->program ? run->options->program : name);
    for (int i = 0; i < run->options->train.count; i++)
        append_option(text, size, "train", run->options->train.paths[i]);
    for (int i = 0; i < run->options->val.count; i++)
        append_option(text, size, "val", run->options->val.paths[i]);
    append_option(text, size, "out", out);
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s --resume",
             run->options->skip_unreadable ? " --skip-unreadable" : "",
             run->options->strict ? " --strict" : "");
}

static int open_folder(Run *run, Error *error)
{
    char out[300];
    snprintf(out, sizeof out, "runs/%s", run->model->name);
    if (run_folder_open(&run->folder, run->options->out ? run->options->out : out, error) != 0)
        return -1;
    return run_folder_lock(&run->folder, error);
}

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

/* The position of the run that is to be resumed, if its seed and batch are not asked to be
   others. */
static int read_position(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    CheckpointState *s = &run->state;

    if (!run_folder_has_last(&run->folder))
        return error_set(
            error, EXIT_FILE,
            "no run to resume in %s: there is no %s; give its --out, or start one without --resume",
            run->folder.path, run->folder.last);
    if (run_folder_check(&run->folder, error) != 0)
        return -1;
    if (checkpoint_load(run->folder.last, run->model, NULL, NULL, s, error) != 0)
        return -1;
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
    if (o->epochs || o->steps) {
        s->epochs = o->epochs;
        s->steps = o->steps;
        train_fit_last_stage(run);
    }
    if (o->optimizer.name && strcmp(o->optimizer.name, s->training.optimizer.name) != 0)
        return error_set(
            error, EXIT_USAGE,
            "--optimizer %s: the run in %s is trained by %s; leave --optimizer out, or start anew "
            "without --resume",
            o->optimizer.name, run->folder.path, s->training.optimizer.name);
    return take_options(run, error);
}

static int fresh_position(Run *run, Error *error)
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
    train_begin_stage(run);
    return take_options(run, error);
}

static int open_set(Run *run, Dataset **set, const PictureFolders *folders,
                    const DatasetRecords *known, const DatasetOptions *options, Error *error)
{
    if (dataset_open_folders(set, folders->paths, folders->count, known, options, train_warn, error)
        != 0)
        return -1;
    return run->options->resume && known->rows ? 0 : dataset_note_bytes(*set, NOTED_AT_ONCE, error);
}

/* The validation set comes first into the memory for decoded pictures: it is the smaller one and
   read again every epoch. */
static int open_pictures(Run *run, const PictureTable *table, Error *error)
{
    const TrainOptions *o = run->options;
    const int *dim = run->model->input.dim;
    size_t cache = o->cache_given ? o->cache_bytes : memory_available() / 4;
    int readers = run->threads < 16 ? run->threads : 16;
    DatasetOptions options = {
        dim[0], dim[1], dim[2], cache, readers, o->strict, o->skip_unreadable
    };

    if (o->val.count && open_set(run, &run->val, &o->val, &table->val, &options, error) != 0)
        return -1;
    if (!o->train.count
        && dataset_open_pictures(&run->val, BUILT_IN_SEED, BUILT_IN_TRAIN, BUILT_IN_VAL, &options,
                                 error)
               != 0)
        return -1;
    size_t taken = run->val ? dataset_count(run->val) * trainer_image_values(run->model) : 0;
    options.cache_bytes = taken < cache ? cache - taken : 0;
    if (o->train.count)
        return open_set(run, &run->train, &o->train, &table->train, &options, error);
    return dataset_open_pictures(&run->train, BUILT_IN_SEED, 0, BUILT_IN_TRAIN, &options, error);
}

void train_name_folders(const PictureFolders *folders, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < folders->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i == 0                   ? ""
                                 : i + 1 < folders->count ? ", "
                                                          : " and ",
                                 folders->paths[i]);
    if (used >= size && size > 4)
        strcpy(text + size - 4, "...");
}

static int check_file_lists(Run *run, Error *error)
{
    CheckpointState *s = &run->state;
    uint64_t train_files = dataset_fingerprint(run->train),
             val_files = run->val ? dataset_fingerprint(run->val) : 0;
    char train[300], val[300];

    train_name_folders(&run->options->train, train, sizeof train);
    train_name_folders(&run->options->val, val, sizeof val);
    if (run->options->resume) {
        if (s->train_files != train_files)
            return error_set(error, EXIT_INPUT,
                             "the run in %s was trained on other pictures than %s; give the same "
                             "files as at its start",
                             run->folder.path,
                             *train ? train : "the built-in ones (there is no --train)");
        if (s->val_files != val_files)
            return error_set(error, EXIT_INPUT,
                             "the run in %s was validated on other pictures than %s; give the same "
                             "--val as at its start",
                             run->folder.path,
                             *val       ? val
                             : run->val ? "the built-in ones"
                                        : "none");
        if (s->position > dataset_count(run->train))
            return error_set(error, EXIT_INPUT,
                             "%s: damaged: its position lies after the last picture",
                             run->folder.last);
    }
    s->train_files = train_files;
    s->val_files = val_files;
    return 0;
}

/* With what the run that is resumed knows of its pictures. Runs of older programs have no such
 * table; who removed it wants the pictures as they are. */
static int open_known_pictures(Run *run, Error *error)
{
    PictureTable table = { { 0 }, { 0 } };
    int missing = 0;
    if (run->options->resume
        && picture_table_read(&table, run->folder.pictures, &missing, error) != 0)
        return -1;
    int result = open_pictures(run, &table, error);
    picture_table_free(&table);
    if (result != 0 || check_file_lists(run, error) != 0)
        return -1;
    if (missing && run->options->train.count)
        train_warn("there is no " DATASET_RECORDS
                   " in the run's folder, so it cannot be told whether pictures have changed since "
                   "the run began");
    return 0;
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

int train_first_pictures(Run *run, Dataset *set, int want, Error *error)
{
    size_t count = dataset_count(set);
    size_t n = count < (size_t)want ? count : (size_t)want;
    for (size_t i = 0; i < n; i++)
        run->order[i] = (uint32_t)i;
    if (dataset_start(set, run->order, n, n, error) != 0)
        return -1;
    return train_next_pictures(run, set, (int)n, error);
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

/* A last ReLU can leave an output channel 0 for every picture, and it then has no gradient ever.
   Drawn parameters are drawn again until none is; parameters that came from a file are not ours to
   change. */
static int mend_dead_output(Run *run, int drawn, Error *error)
{
    const Model *model = run->model;
    int n, channel;

    if (model->output_kernel < 0)
        return 0;
    if ((n = train_first_pictures(run, run->train, LOOKED_AT, error)) <= 0)
        return n;
    const char *kernel = model->parameters[model->output_kernel].name;
    for (unsigned drawing = 1;
         (channel = trainer_dead_channel(&run->trainer, run->pixels, n, run->scratch)) >= 0;
         drawing++) {
        if (!drawn || drawing > MAX_REDRAWINGS) {
            char text[512];
            snprintf(
                text, sizeof text,
                "output channel %d is dead: 0 for each of %d pictures, so it will not learn; %s",
                channel, n, drawn ? "try another --seed" : "the weights are taken as they are");
            train_warn(text);
            return 0;
        }
        train_say(
            run,
            "output channel %d is dead from the start (0 for each of %d pictures): %s is drawn "
            "anew",
            channel, n, kernel);
        initial_redraw(model, model->output_kernel, run->state.seed, drawing,
                       run->trainer.parameters);
        trainer_prepare(&run->trainer);
    }
    return 0;
}

static int fill_parameters(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    Trainer *t = &run->trainer;
    int result = 0;

    trainer_begin_stage(t, train_stage(run));
    if (o->resume)
        result = checkpoint_load(run->folder.last, run->model, t->parameters, t->optimizer.state,
                                 &(CheckpointState){ 0 }, error);
    else if (o->init)
        result = weights_load(run->model, o->init, t->parameters, error);
    else
        initial_draw(run->model, run->state.seed, t->parameters);
    t->optimizer.t = run->state.step - run->state.stage_step;
    trainer_prepare(t);
    return result;
}

/* "adam,lr=0.001,...; cosine,epochs=40,...; clip_norm 1; mirrored at random" */
static void describe_training(const ModelTraining *t, char *text, size_t size)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "clip_norm", t->clip_norm },   { "global_clip_norm", t->global_clip_norm },
        { "clip_value", t->clip_value }, { "patience", t->patience },
        { "min_delta", t->min_delta },
    };
    char optimizer[SETTINGS_TEXT], schedule[SETTINGS_TEXT];
    settings_optimizer_text(&t->optimizer, optimizer);
    settings_schedule_text(&t->schedule, schedule);
    snprintf(text, size, "%s; %s", optimizer, schedule);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value > 0)
            snprintf(text + strlen(text), size - strlen(text), "; %s %g", numbers[i].name,
                     numbers[i].value);
    if (t->mirror)
        snprintf(text + strlen(text), size - strlen(text), "; pictures mirrored at random");
}

static void say_beginning(Run *run)
{
    const CheckpointState *s = &run->state;
    const TrainOptions *o = run->options;
    char val[512] = "no validation", more[640], folders[400];

    train_say(run, "%s: %zu parameters, %s, lr %g, batch %d, seed %" PRIu64 ", %d thread%s",
              run->model->name, run->model->parameter_reals, run->model->training.loss,
              s->training.optimizer.lr, run->batch, s->seed, run->threads,
              run->threads == 1 ? "" : "s");
    describe_training(&s->training, more, sizeof more);
    train_say(run, "%s", more);
    if (run->model->memory_limit)
        train_say(run, "training takes %.2f of %.2f MiB, pictures apart",
                  (double)trainer_bytes(run->model, &s->training, run->batch, run->threads)
                      / (1 << 20),
                  (double)run->model->memory_limit / (1 << 20));
    if (!o->train.count)
        train_say(run, "no --train: learning from %zu built-in pictures, validating on %zu others",
                  dataset_count(run->train), dataset_count(run->val));
    train_name_folders(&o->val, folders, sizeof folders);
    if (run->val && o->val.count)
        snprintf(val, sizeof val, "validating on %zu in %s", dataset_count(run->val), folders);
    train_name_folders(&o->train, folders, sizeof folders);
    if (o->train.count)
        train_say(run, "learning from %zu pictures in %s, %s", dataset_count(run->train), folders,
                  val);
    if (o->resume)
        train_say(run, "resuming %s at step %" PRIu64 ", in epoch %" PRIu64, run->folder.path,
                  s->step, s->epoch + 1);
    train_say_stage(run);
    train_warn_of_schedule(run);
}

/* The folder is touched last, when nothing else is left that can be refused. Saving the first
   parameters tells early whether it can be written. */
static int begin_folder(Run *run, Error *error)
{
    char moved[4096];
    if (run->options->resume) {
        run->saved_step = run->state.step;
        run->saved_at = train_now();
        if (history_read(&run->history, run->folder.history, run->state.epoch, error) != 0)
            return -1;
        run->history.staged = run->model->stage_count > 0;
        return run_folder_make(&run->folder, error) != 0
                   ? -1
                   : train_save_pictures(run, &run->folder, 0, error);
    }
    run->history.staged = run->model->stage_count > 0;
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

int train_open(Run *run, const Model *model, const TrainOptions *options, int *finished,
               Error *error)
{
    memset(run, 0, sizeof *run);
    run->model = model;
    run->options = options;
    progress_open(&run->progress, stdout, isatty(STDOUT_FILENO), train_now);
    warned_run = run;
    *finished = 0;

    if (options->train.count && image_check_channels(model->name, model->input.dim[2], error) != 0)
        return -1;
    if (open_folder(run, error) != 0)
        return -1;
    if ((options->resume ? read_position(run, error) : fresh_position(run, error)) != 0)
        return -1;
    run->batch = (int)run->state.batch;
    run->threads = options->threads ? options->threads : trainer_default_threads(model);
    if (trainer_open(&run->trainer, model, &run->state.training, run->batch, run->threads, error)
        != 0)
        return -1;
    if (run->threads != run->trainer.threads)
        train_warn("this program was built without OpenMP: it works on one thread");
    run->threads = run->trainer.threads;
    if (fill_parameters(run, error) != 0)
        return -1;
    if (options->resume && train_finished(run)) {
        train_say(run,
                  "the run in %s is finished: %" PRIu64 " epochs, %" PRIu64
                  " updates; to go on, give more %s",
                  run->folder.path, run->state.epoch, run->state.step,
                  train_stopped_early(run) ? "--patience" : "--epochs or --steps");
        *finished = 1;
        return 0;
    }
    if (open_known_pictures(run, error) != 0 || allocate(run, error) != 0)
        return -1;
    say_beginning(run);
    if (mend_dead_output(run, !options->resume && !options->init, error) != 0
        || keep_samples(run, error) != 0)
        return -1;
    return begin_folder(run, error);
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
