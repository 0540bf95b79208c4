#include "first_parameters.h"

#include "train_pictures.h"
#include "weights/initial.h"
#include "weights/weights.h"

#include <stdio.h>
#include <string.h>

enum { MAX_REDRAWINGS = 64 };

int train_mend_dead_output(Run *run, int drawn, Error *error)
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

/* A run that kept no averages until now begins them with its parameters as they are. */
static int resume_parameters(Run *run, Error *error)
{
    Trainer *t = &run->trainer;
    CheckpointState before = { 0 };
    real *averages = t->optimizer.state[SETTINGS_AVERAGE];
    int result = checkpoint_load(run->folder.last, run->model, t->parameters, t->optimizer.state,
                                 &before, error);
    if (result == 0 && averages && before.training.optimizer.ema == 0)
        memcpy(averages, t->parameters, run->model->parameter_reals * sizeof(real));
    return result;
}

int train_fill_parameters(Run *run, Error *error)
{
    const TrainOptions *o = run->options;
    Trainer *t = &run->trainer;
    int result = 0;

    trainer_begin_stage(t, train_stage(run));
    if (o->resume)
        result = resume_parameters(run, error);
    else if (o->init)
        result = weights_load(run->model, o->init, t->parameters, error);
    else
        initial_draw(run->model, run->state.seed, t->parameters);
    t->optimizer.t = run->state.step - run->state.stage_step;
    trainer_prepare(t);
    return result;
}
