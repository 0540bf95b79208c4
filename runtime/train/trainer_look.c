/* trainer_look.c - looks at single images: trainer_look and trainer_dead_channel of trainer.h. */
#include "trainer.h"

#include <stdbool.h>
#include <string.h>

enum { LOOK_STEPS = 4096 }; /* a program with more is looked at without its steps */

/* A look under way. Generated code asks its clock for the time once at the start and then after
   each step: that is where we come in. */
typedef struct Look {
    TrainerSee see;
    void *context;
    const ModelStep *steps;
    int step, count; /* -1: at the start */
    const real *workspace, *shared;
    size_t shared_at; /* places from here on are in what groups share */
} Look;

static _Thread_local Look *look;

static double see_step(void)
{
    if (look->step >= 0 && look->step < look->count) {
        const ModelStep *s = &look->steps[look->step];
        const real *value = s->place < look->shared_at ? look->workspace + s->place
                                                       : look->shared + s->place - look->shared_at;
        look->see(look->context, look->step, s->count > 0 ? value : NULL);
    }
    look->step++;
    return 0;
}

double trainer_look(Trainer *t, int thread, const uint8_t *image, uint64_t noise, real *gradient,
                    TrainerSee see, void *context)
{
    const ModelGroups *groups = trainer_groups(t);
    Look here = { .see = see,
                  .context = context,
                  .step = -1,
                  .workspace = t->workspaces[thread],
                  .shared = t->shared,
                  .shared_at = groups ? groups->shared_at : SIZE_MAX };
    double seconds[LOOK_STEPS];
    ModelClock clock = { .now = see_step, .seconds = seconds };

    here.steps = trainer_steps(t, &here.count);
    memset(gradient, 0, t->model->parameter_reals * sizeof(real));
    memset(seconds, 0, sizeof seconds);
    look = &here;
    trainer_backward(t, thread, &image, &noise, 1, gradient, t->losses,
                     here.count <= LOOK_STEPS ? &clock : NULL);
    look = NULL;
    return t->losses[0] + t->penalty.l1 + t->penalty.l2;
}

/* More channels are not looked at: of the output, and of the layer that makes it. */
enum { MAX_OUTPUT_CHANNELS = 16, MAX_CHANNELS = 4096 };

typedef struct OutputChannels {
    const Model *model;
    size_t channels, block; /* of a pixel; pixels */
    bool begun;
    real rest[MAX_CHANNELS];                       /* what a dead one is */
    bool shown[MAX_CHANNELS], alive[MAX_CHANNELS]; /* shown: a crop leaves pixels of it */
} OutputChannels;

/* The channel of a value of the output: that of the pixel, or of the pixel's place in its block. */
static size_t channel_of(const OutputChannels *o, size_t value)
{
    size_t width = (size_t)o->model->output.dim[1], pixel = value / o->channels;
    size_t place = pixel / width % o->block * o->block + pixel % width % o->block;
    return place * o->channels + value % o->channels;
}

static void see_output(OutputChannels *o, const real *output, size_t values)
{
    for (size_t i = values; !o->begun && o->model->output_moved && i-- > 0;)
        if (channel_of(o, i) < MAX_CHANNELS)
            o->rest[channel_of(o, i)] = output[i];
    o->begun = true;
    for (size_t i = 0; i < values; i++) {
        size_t c = channel_of(o, i);
        if (c < MAX_CHANNELS)
            o->shown[c] = true;
        if (c < MAX_CHANNELS && output[i] != o->rest[c])
            o->alive[c] = true;
    }
}

int trainer_dead_channel(Trainer *t, const uint8_t *const *images, int n, real *scratch)
{
    const Model *model = t->model;
    OutputChannels o = { .model = model,
                         .channels = (size_t)model->output.dim[2],
                         .block = model->output_block > 1 ? (size_t)model->output_block : 1 };

    for (int i = 0; i < n; i++) {
        trainer_reconstruct(t, images[i], scratch);
        see_output(&o, scratch, trainer_image_values(model));
    }
    for (size_t c = 0; c < o.channels * o.block * o.block && c < MAX_CHANNELS; c++)
        if (o.shown[c] && !o.alive[c] && c % o.channels < MAX_OUTPUT_CHANNELS)
            return (int)c;
    return -1;
}
