/* diagnosis.c - what went wrong with the numbers, and which channels have died: images one at a
   time, layer by layer. */
#define _POSIX_C_SOURCE 200809L
#include "resume_command.h"
#include "train_pictures.h"
#include "train_private.h"

#include "compute/finite.h"
#include "formats/printable.h"
#include "formats/whole_file.h"
#include "memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a loss, gradient, parameter or state of the optimizer that is not finite ---- */

/* The picture that brought it and where; tensor NULL: none is known. */
typedef struct Finding {
    int image;
    int alone;                     /* 1: the image's own numbers are not finite; 0: it only has the
                                      largest share */
    const char *layer, *direction; /* the first value on its way that is not finite; NULL: all are
                                      */
    const ModelParameter *tensor;
    const char *of; /* of the tensor: what is not finite, as "the gradient of " */
    double loss;
} Finding;

static const char gradient_of[] = "the gradient of ";

typedef struct FirstFault {
    const ModelStep *steps;
    int step; /* -1: none */
} FirstFault;

static void see_fault(void *context, int step, const real *value)
{
    FirstFault *f = context;
    if (f->step < 0 && value && !finite_all(value, f->steps[step].count))
        f->step = step;
}

/* Where the numbers are that are not finite, and no image alone brought them: after an update in
   the parameters or in what the optimizer keeps of them. */
static const real *faulty_values(const Trainer *t, int before, const char **of)
{
    const real *state = before ? NULL : trainer_optimizer_fault(t);
    int in_state = state && trainer_parameters_finite(t);
    *of = before ? gradient_of : in_state ? "the optimizer's state of " : "";
    return before ? t->total : in_state ? state : t->parameters;
}

/* Backward begins at the output, so the last parameter that is not finite is the first that it came
   to. */
static const ModelParameter *fault_in(const Model *model, const real *values)
{
    for (int i = model->parameter_count - 1; i >= 0; i--)
        if (!finite_all(values + model->parameters[i].offset, model->parameters[i].count))
            return &model->parameters[i];
    return NULL;
}

static double largest(const real *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* One image of the batch; 1 where it is the one. */
static int look_at(Run *run, int i, const uint64_t *noise, Finding *found)
{
    Trainer *t = &run->trainer;
    int count;
    FirstFault fault = { trainer_steps(t, &count), -1 };
    real *gradient = trainer_spare_gradient(t);
    double loss = trainer_look(t, 0, run->pixels[i], noise ? noise[i] : 0, gradient, see_fault,
                               &fault);
    const ModelParameter *tensor = fault_in(run->model, gradient);

    if (isfinite(loss) && !tensor && fault.step < 0)
        return 0;
    *found = (Finding){ .image = i, .alone = 1, .tensor = tensor, .of = gradient_of, .loss = loss };
    /* else the loss came before it */
    if (fault.step >= 0
        && (isfinite(loss) || strcmp(fault.steps[fault.step].direction, "forward") == 0)) {
        found->layer = fault.steps[fault.step].layer;
        found->direction = fault.steps[fault.step].direction;
    }
    return 1;
}

static void see_nothing(void *context, int step, const real *value)
{
    (void)context, (void)step, (void)value;
}

/* Every image alone is finite, only their sum or the update is not: the one that pulls hardest at
   the tensor. */
static void look_for_the_largest(Run *run, int n, const uint64_t *noise,
                                 const ModelParameter *tensor, const char *of, Finding *found)
{
    Trainer *t = &run->trainer;
    double most = -1;
    *found = (Finding){ .tensor = tensor, .of = of };
    for (int i = 0; i < n && tensor; i++) {
        real *gradient = trainer_spare_gradient(t);
        double loss = trainer_look(t, 0, run->pixels[i], noise ? noise[i] : 0, gradient,
                                   see_nothing, NULL);
        double share = largest(gradient + tensor->offset, tensor->count);
        if (share > most) {
            most = share;
            found->image = i;
            found->loss = loss;
        }
    }
}

/* "decoder.conv2 (forward)", "encoder.conv1.kernel" or "the loss" */
static void name_place(const Finding *found, char *text, size_t size)
{
    if (found->layer)
        snprintf(text, size, "%s (%s)", found->layer, found->direction);
    else
        snprintf(text, size, "%s",
                 found->tensor && isfinite(found->loss) ? found->tensor->name : "the loss");
}

/* The state before the step, as a folder that --resume goes on from: the first thing it does is to
   come to the same step. */
static int save_state(Run *run, char *command, size_t size)
{
    const Trainer *t = &run->trainer;
    char out[4096], path[4200];
    RunFolder folder;
    Error error;
    *command = '\0';
    snprintf(out, sizeof out, "%s/diagnosis", run->folder.path);
    if (run_folder_open(&folder, out, &error) != 0)
        return 0;
    snprintf(path, sizeof path, "%s", folder.last);
    int result = run_folder_make(&folder, &error) == 0
                 && train_save_pictures(run, &folder, 1, &error) == 0
                 && checkpoint_save(path, run->model, t->parameters, t->optimizer.state,
                                    &run->state, &error)
                        == 0;
    run_folder_close(&folder);
    if (result)
        train_resume_command(run, out, command, size);
    return result;
}

/* DIR/diagnosis.txt; whether it could be written. */
static int write_text(const Run *run, const char *path, const char *what, const char *picture,
                      const char *place, const Finding *found, const char *again)
{
    const CheckpointState *s = &run->state;
    WholeFile file;
    char message[800];
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return 0;
    fprintf(file.stream, "%s: %s is not a finite number\n\n", run->model->name, what);
    fprintf(file.stream, "step      %" PRIu64 ", in epoch %" PRIu64 ", learning rate %g\n",
            s->step + 1, s->epoch + 1, s->rate);
    fprintf(file.stream, "layer     %s\n", place);
    fputs("picture   ", file.stream);
    printable_put(file.stream, picture);
    fprintf(file.stream, ", number %d of its batch, its loss %g%s\n", found->image + 1, found->loss,
            found->alone ? "" : "; it alone is finite, but has the largest share in the gradient");
    if (found->tensor)
        fprintf(file.stream, "tensor    %s%s\n", found->of, found->tensor->name);
    fprintf(file.stream, "weights   ");
    for (int i = 0; i < run->model->parameter_count; i++) {
        const ModelParameter *p = &run->model->parameters[i];
        fprintf(file.stream, "%s%s: largest %g\n", i ? "          " : "", p->name,
                largest(run->trainer.parameters + p->offset, p->count));
    }
    fputs("good      ", file.stream);
    printable_put(file.stream, run->folder.last);
    fprintf(file.stream, " holds step %" PRIu64 "\nagain     ", run->saved_step);
    printable_put(file.stream, again);
    fputc('\n', file.stream);
    return whole_file_commit(&file, message, sizeof message) == 0;
}

/* No update has been made yet, so it is the weights that are to blame, and no learning rate. */
static int without_an_update(const Run *run, const char *what, const char *place,
                             const char *picture, const char *path, Error *error)
{
    const char *init = run->options->init;
    char advice[600];
    if (init)
        snprintf(advice, sizeof advice,
                 "the weights of %.400s do not work; give others with --init, or none", init);
    else
        snprintf(
            advice, sizeof advice,
            "the weights that it began with do not work; start anew with another --seed or --init");
    return error_set(
        error, EXIT_INPUT,
        "%s is not a finite number at step 1, in %s, with %.200s, before any update: %s%s%s%s",
        what, place, picture, advice, path ? "; " : "", path ? path : "", path ? " says more" : "");
}

int train_diverged(Run *run, const char *what, const Dataset *set, int n, const uint64_t *noise,
                   int before, Error *error)
{
    Trainer *t = &run->trainer;
    Finding found = { 0 };
    char place[256], again[1024], path[4200];
    int i = 0;
    const char *of;
    /* now: a look may take the total's place */
    const ModelParameter *tensor = fault_in(run->model, faulty_values(t, before, &of));
    HeldFolder where;

    run->diverged = true;
    if (run_folder_follow(&run->folder, &where, error) != 0)
        return -1;
    while (i < n && !look_at(run, i, noise, &found))
        i++;
    if (i == n)
        look_for_the_largest(run, n, noise, tensor, of, &found);
    name_place(&found, place, sizeof place);
    const char *picture = dataset_name(set, run->which[found.image]);
    if (!before || !save_state(run, again, sizeof again))
        train_resume_command(run, run->folder.path, again, sizeof again);
    snprintf(path, sizeof path, "%s/diagnosis.txt", run->folder.path);
    int written = write_text(run, path, what, picture, place, &found, again);
    if (before && run->state.step == 0)
        return without_an_update(run, what, place, picture, written ? path : NULL, error);
    return error_set(error, EXIT_INPUT,
                     "%s is not a finite number at step %" PRIu64 " (epoch %" PRIu64
                     "), in %s, with %.200s: the training has diverged; "
                     "%s%s%s still holds step %" PRIu64
                     "; try a lower --lr than %g, from the start or with --resume",
                     what, run->state.step + 1, run->state.epoch + 1, place, picture,
                     written ? path : "", written ? " says more; " : "", run->folder.last,
                     run->saved_step, run->state.training.optimizer.lr);
}

/* ---- channels that have died ---- */

int train_open_dead_channels(Run *run, Error *error)
{
    const Model *model = run->model;
    size_t most = 1;
    for (int s = model->stage_count ? 0 : -1; s < model->stage_count; s++) {
        const ModelStep *steps = s < 0 ? model->train_steps : model->stages[s].steps;
        int count = s < 0 ? model->train_step_count : model->stages[s].step_count;
        size_t channels = 0;
        for (int i = 0; i < count; i++)
            channels += (size_t)steps[i].channels;
        most = channels > most ? channels : most;
    }
    run->dead_channels = (DeadChannels){ .room = most, .seen = memory_block(most, error) };
    if (run->dead_channels.seen)
        run->dead_channels.dead = memory_block(most, error);
    return run->dead_channels.dead ? 0 : -1;
}

void train_reset_dead_channels(Run *run)
{
    if (run->dead_channels.dead)
        memset(run->dead_channels.dead, 0, run->dead_channels.room);
}

typedef struct Alive {
    const ModelStep *steps;
    unsigned char *at; /* of the step that comes next, one a channel */
} Alive;

static void see_channels(void *context, int step, const real *value)
{
    Alive *a = context;
    int channels = a->steps[step].channels;
    if (channels == 0)
        return;
    for (size_t i = 0; value && i < a->steps[step].count; i += (size_t)channels)
        for (int c = 0; c < channels; c++)
            a->at[c] |= value[i + (size_t)c] != 0;
    a->at += channels;
}

/* Whether all channels but those that are known to be dead have been seen alive. */
static bool nothing_new(const DeadChannels *w)
{
    for (size_t i = 0; i < w->room; i++)
        if (!w->seen[i] && !w->dead[i])
            return false;
    return true;
}

static void say_dead(Run *run, const ModelStep *step, const unsigned char *dead, int count,
                     int pictures)
{
    enum { NAMED = 8 };
    char list[NAMED * 12 + 8] = "";
    int named = 0;
    for (int c = 0; c < step->channels && named <= NAMED; c++)
        if (dead[c]) {
            size_t used = strlen(list);
            if (named++ < NAMED)
                snprintf(list + used, sizeof list - used, "%s%d", used ? ", " : "", c);
            else
                snprintf(list + used, sizeof list - used, ", ...");
        }
    if (count == step->channels)
        train_say(
            run,
            "%s is dead: all its %d channels are 0 for each of %d pictures, nothing gets past it; "
            "start anew with a lower --lr or another --seed",
            step->layer, count, pictures);
    else
        train_say(
            run,
            "%s: %d of %d channels %s dead, 0 for each of %d pictures (%s); a lower --lr keeps "
            "more alive",
            step->layer, count, step->channels, count == 1 ? "is" : "are", pictures, list);
}

/* Says of each layer that has more dead channels than the last time how many. */
static void tell(Run *run, const ModelStep *steps, int count, int pictures)
{
    DeadChannels *w = &run->dead_channels;
    size_t at = 0;
    for (int s = 0; s < count; s++) {
        int before = 0, now = 0;
        for (int c = 0; c < steps[s].channels; c++) {
            before += w->dead[at + (size_t)c];
            w->dead[at + (size_t)c] = !w->seen[at + (size_t)c];
            now += w->dead[at + (size_t)c];
        }
        if (now > before)
            say_dead(run, &steps[s], w->dead + at, now, pictures);
        at += (size_t)steps[s].channels;
    }
}

int train_find_dead_channels(Run *run, Error *error)
{
    Trainer *t = &run->trainer;
    DeadChannels *w = &run->dead_channels;
    int count,
        n = train_first_pictures(run, run->val ? run->val : run->train, LOOKED_AT_LATER, error),
        looked = 0;
    const ModelStep *steps = trainer_steps(t, &count);
    size_t channels = 0;

    if (n <= 0 || run->model->groups) /* an image by itself has other statistics than its group */
        return n < 0 ? n : 0;
    for (int s = 0; s < count; s++)
        channels += (size_t)steps[s].channels;
    memset(w->seen, 0, channels);
    memset(w->seen + channels, 1, w->room - channels); /* room that this stage does not need */
    while (looked < n && !nothing_new(w)) {
        Alive alive = { steps, w->seen };
        trainer_look(t, 0, run->pixels[looked++], 0, trainer_spare_gradient(t), see_channels,
                     &alive);
    }
    if (looked == n)
        tell(run, steps, count, n);
    return 0;
}

void train_close_dead_channels(Run *run)
{
    free(run->dead_channels.seen);
    free(run->dead_channels.dead);
}
