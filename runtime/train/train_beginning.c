#include "train_beginning.h"

#include "settings.h"
#include "train_pictures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "adam,lr=0.001,...; cosine,epochs=40,...; clip_norm 1; mirrored at random" */
static void describe_training(const ModelTraining *t, char *text, size_t size)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "ema", t->optimizer.ema },
        { "clip_norm", t->clip_norm },
        { "global_clip_norm", t->global_clip_norm },
        { "clip_value", t->clip_value },
        { "patience", t->patience },
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

static void say_pictures(Run *run)
{
    const TrainOptions *o = run->options;
    char val[512] = "no validation", folders[400];

    if (!o->train.count) {
        train_say(run, "no --train: learning from %zu built-in pictures, validating on %zu others",
                  dataset_count(run->train), dataset_count(run->val));
        return;
    }
    train_name_folders(&o->val, folders, sizeof folders);
    if (run->val)
        snprintf(val, sizeof val, "validating on %zu in %s", dataset_count(run->val), folders);
    train_name_folders(&o->train, folders, sizeof folders);
    train_say(run, "learning from %zu pictures in %s, %s", dataset_count(run->train), folders, val);
}

void train_say_beginning(Run *run)
{
    const CheckpointState *s = &run->state;
    char more[640];

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
    say_pictures(run);
    if (run->options->resume)
        train_say(run, "resuming %s at step %" PRIu64 ", in epoch %" PRIu64, run->folder.path,
                  s->step, s->epoch + 1);
    train_say_stage(run);
    train_warn_of_schedule(run);
}
