#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "trainer.h"

#include "compute/clip.h"
#include "compute/finite.h"
#include "images/pixels.h"
#include "memory.h"
#include "threads.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Larger chunks mean fewer sums to add; smaller ones keep many threads at work to the end of a
   batch. */
enum { CHUNKS_WANTED = 8, MAX_CHUNK = 8 };

enum { LOOK_STEPS = 4096 }; /* a program with more is looked at without its steps */

int trainer_chunk(const Model *model, int n)
{
    if (model->microbatch > 1) {
        int chunks = (n + model->microbatch - 1) / model->microbatch;
        return (n + chunks - 1) / chunks;
    }
    int chunk = (n + CHUNKS_WANTED - 1) / CHUNKS_WANTED;
    return chunk < MAX_CHUNK ? chunk : MAX_CHUNK;
}

int trainer_default_threads(const Model *model)
{
    int threads = threads_default();
    int within = model ? trainer_threads_within(model, &model->training, model->training.batch)
                       : threads;
    return within < threads ? within > 1 ? within : 1 : threads;
}

static int thread_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

size_t trainer_image_values(const Model *model)
{
    return (size_t)model->output.dim[0] * (size_t)model->output.dim[1]
           * (size_t)model->output.dim[2];
}

size_t trainer_loss_places(const Model *model)
{
    return model->loss_places > 0 ? (size_t)model->loss_places : 1;
}

static size_t workspace_bytes(const Model *model)
{
    return model->train_bytes > model->infer_bytes ? model->train_bytes : model->infer_bytes;
}

static int sums_for(const Model *model, int threads)
{
    return model->accumulates_in_place ? 0 : threads > 1 ? threads + 1 : 1;
}

static size_t rounded(size_t bytes)
{
    return ((bytes ? bytes : 1) + MODEL_ALIGNMENT - 1) / MODEL_ALIGNMENT * MODEL_ALIGNMENT;
}

/* As caec counts for --memory-limit; tests/training/test_limit.c holds the two together. */
size_t trainer_bytes(const Model *model, const ModelTraining *training, int batch, int threads)
{
    int vectors = 2 + settings_states(&training->optimizer) + sums_for(model, threads);
    return (size_t)vectors * rounded(model->parameter_reals * sizeof(real))
           + rounded(model->prepared_bytes)
           + rounded((size_t)batch * trainer_loss_places(model) * sizeof(double))
           + (size_t)threads * rounded(workspace_bytes(model));
}

int trainer_threads_within(const Model *model, const ModelTraining *training, int batch)
{
    int threads = 0;
    if (model->memory_limit == 0)
        return INT_MAX;
    while (trainer_bytes(model, training, batch, threads + 1) <= model->memory_limit
           && !(model->accumulates_in_place && threads == 1))
        threads++;
    return threads;
}

static int check_limit(const Trainer *t, Error *error)
{
    int within = trainer_threads_within(t->model, &t->training, t->batch);
    if (t->threads <= within)
        return 0;
    double limit = (double)t->model->memory_limit / (1 << 20);
    if (within == 0) {
        char optimizer[SETTINGS_TEXT]; /* with its numbers: what it keeps may depend on them */
        settings_optimizer_text(&t->training.optimizer, optimizer);
        return error_set(
            error, EXIT_INPUT,
            "this program was compiled for --memory-limit %zu (%.2f MiB), and with a batch of %d "
            "and the optimizer %s training takes %zu bytes; give a smaller --batch or an "
            "--optimizer that keeps less, or compile it with a higher limit",
            t->model->memory_limit, limit, t->batch, optimizer,
            trainer_bytes(t->model, &t->training, t->batch, 1));
    }
    if (t->model->accumulates_in_place)
        return error_set(
            error, EXIT_INPUT,
            "--threads %d: this program was compiled for --memory-limit %zu (%.2f MiB), which one "
            "thread alone keeps",
            t->threads, t->model->memory_limit, limit);
    return error_set(
        error, EXIT_INPUT,
        "--threads %d take %zu bytes to train; this program was compiled for --memory-limit %zu "
        "(%.2f MiB), and %d %s",
        t->threads, trainer_bytes(t->model, &t->training, t->batch, t->threads),
        t->model->memory_limit, limit, within, within == 1 ? "thread fits" : "threads fit");
}

static int allocate(Trainer *t, Error *error)
{
    const Model *model = t->model;
    void *(*const block)(size_t, Error *) = model->memory_limit ? memory_exact : memory_block;
    size_t gradient_bytes = model->parameter_reals * sizeof(real);

    t->sum_count = sums_for(model, t->threads);
    t->sums = memory_block((size_t)t->sum_count * sizeof *t->sums, error);
    t->workspaces = t->sums ? memory_block((size_t)t->threads * sizeof *t->workspaces, error)
                            : NULL;
    if (!t->workspaces || !(t->parameters = block(gradient_bytes, error))
        || !(t->total = block(gradient_bytes, error))
        || !(t->prepared = block(model->prepared_bytes, error))
        || !(t->losses = memory_block(
                 (size_t)t->batch * trainer_loss_places(model) * sizeof *t->losses, error)))
        return -1;
    for (int i = 0; i < t->sum_count; i++)
        if (!(t->sums[i].gradient = block(gradient_bytes, error)))
            return -1;
    for (int i = 0; i < t->threads; i++)
        if (!(t->workspaces[i] = block(workspace_bytes(model), error)))
            return -1;
    return 0;
}

int trainer_open(Trainer *t, const Model *model, const ModelTraining *training, int batch,
                 int threads, Error *error)
{
    memset(t, 0, sizeof *t);
    t->model = model;
    t->training = *training;
    t->batch = batch;
#ifdef _OPENMP
    t->threads = threads;
#else
    (void)threads;
    t->threads = 1;
#endif
    if (check_limit(t, error) != 0
        || optimizer_open(&t->optimizer, &training->optimizer, model->parameter_reals,
                          model->memory_limit > 0, error)
               != 0
        || allocate(t, error) != 0 || threads_start(t->threads, error) != 0) {
        trainer_close(t);
        return -1;
    }
    trainer_begin_stage(t, NULL);
    trainer_prepare(t);
    return 0;
}

void trainer_close(Trainer *t)
{
    optimizer_close(&t->optimizer);
    for (int i = 0; t->sums && i < t->sum_count; i++)
        free(t->sums[i].gradient);
    for (int i = 0; t->workspaces && i < t->threads; i++)
        free(t->workspaces[i]);
    free(t->sums);
    free(t->workspaces);
    free(t->parameters);
    free(t->total);
    free(t->prepared);
    free(t->losses);
    memset(t, 0, sizeof *t);
}

void trainer_begin_stage(Trainer *t, const ModelStage *stage)
{
    t->stage = stage;
    optimizer_restart(&t->optimizer, t->model, stage ? stage->trains : t->model->trains);
    t->penalty = penalty_of(t->model, stage, t->parameters);
}

void trainer_prepare(Trainer *t)
{
    t->model->prepare(t->parameters, t->prepared);
    t->penalty = penalty_of(t->model, t->stage, t->parameters);
}

static void add(real *restrict total, const real *restrict part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        total[i] += part[i];
}

typedef struct Queue {
    int chunks, taken, added; /* in all, handed out, joined to the total */
} Queue;

/* A free sum for the next chunk; NULL: none is left to do. Whoever works on the oldest chunk has
   one already, so before long one is free again. */
static ChunkSum *take_chunk(const Trainer *t, Queue *q)
{
    for (;;) {
        ChunkSum *sum = NULL;
        int over;
#pragma omp critical(caec_queue)
        {
            over = q->taken == q->chunks;
            for (int i = 0; i < t->sum_count && !sum && !over; i++)
                if (t->sums[i].chunk < 0)
                    sum = &t->sums[i];
            if (sum) {
                sum->chunk = q->taken++;
                sum->done = 0;
            }
        }
        if (sum || over)
            return sum;
        nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
    }
}

/* Adds to the total, in the order of the chunks, all sums whose turn has come. */
static void hand_in(Trainer *t, Queue *q, ChunkSum *done)
{
#pragma omp critical(caec_queue)
    {
        done->done = 1;
        for (int i = 0; i < t->sum_count; i++)
            if (t->sums[i].chunk == q->added && t->sums[i].done) {
                add(t->total, t->sums[i].gradient, t->model->parameter_reals);
                t->sums[i].chunk = -1;
                q->added++;
                i = -1; /* the next may be any of them */
            }
    }
}

void trainer_gradient(Trainer *t, const uint8_t *const *images, const uint64_t *noise, int n)
{
    const Model *model = t->model;
    size_t bytes = model->parameter_reals * sizeof(real);
    const size_t places = trainer_loss_places(model);
    const int size = trainer_chunk(model, n);
    const ModelBackward backward_chunk = t->stage ? t->stage->backward_chunk
                                                  : model->backward_chunk;
    Queue queue = { .chunks = (n + size - 1) / size };

    memset(t->total, 0, bytes);
    if (model->accumulates_in_place) {
        backward_chunk(t->prepared, images, noise, n, t->total, t->losses, t->workspaces[0], NULL);
        return;
    }
    for (int i = 0; i < t->sum_count; i++)
        t->sums[i].chunk = -1;
#pragma omp parallel num_threads(t->threads)
    for (ChunkSum *sum; (sum = take_chunk(t, &queue)); hand_in(t, &queue, sum)) {
        int first = sum->chunk * size, count = n - first < size ? n - first : size;
        memset(sum->gradient, 0, bytes);
        backward_chunk(t->prepared, images + first, noise ? noise + first : NULL, count,
                       sum->gradient, t->losses + (size_t)first * places,
                       t->workspaces[thread_number()], NULL);
    }
}

TrainerFault trainer_step(Trainer *t, const uint8_t *const *images, const uint64_t *noise, int n)
{
    trainer_gradient(t, images, noise, n);
    penalty_add_gradient(t->model, t->stage, t->parameters, n, t->total);
    if (!isfinite(trainer_loss_sum(t, n, 0)))
        return TRAINER_LOSS;
    if (!finite_all(t->total, t->model->parameter_reals))
        return TRAINER_GRADIENT;
    clip_gradient(t->model, &t->training, t->total, 1.0 / n);
    if (!optimizer_update(&t->optimizer, t->parameters, t->total, 1.0 / n, t->threads))
        return trainer_parameters_finite(t) ? TRAINER_OPTIMIZER : TRAINER_PARAMETER;
    trainer_prepare(t);
    return TRAINER_FINE;
}

real *trainer_spare_gradient(Trainer *t)
{
    return t->sum_count > 0 ? t->sums[0].gradient : t->total;
}

const ModelStep *trainer_steps(const Trainer *t, int *count)
{
    *count = t->stage ? t->stage->step_count : t->model->train_step_count;
    return t->stage ? t->stage->steps : t->model->train_steps;
}

/* A look under way. Generated code asks its clock for the time once at the start and then after
   each step: that is where we come in. */
typedef struct Look {
    TrainerSee see;
    void *context;
    const ModelStep *steps;
    int step, count; /* -1: at the start */
    const real *workspace;
} Look;

static _Thread_local Look *look;

static double see_step(void)
{
    if (look->step >= 0 && look->step < look->count) {
        const ModelStep *s = &look->steps[look->step];
        look->see(look->context, look->step, s->count > 0 ? look->workspace + s->place : NULL);
    }
    look->step++;
    return 0;
}

double trainer_look(Trainer *t, int thread, const uint8_t *image, uint64_t noise, real *gradient,
                    TrainerSee see, void *context)
{
    const ModelBackward backward_chunk = t->stage ? t->stage->backward_chunk
                                                  : t->model->backward_chunk;
    Look here = { .see = see, .context = context, .step = -1, .workspace = t->workspaces[thread] };
    double seconds[LOOK_STEPS];
    ModelClock clock = { .now = see_step, .seconds = seconds };

    here.steps = trainer_steps(t, &here.count);
    memset(gradient, 0, t->model->parameter_reals * sizeof(real));
    memset(seconds, 0, sizeof seconds);
    look = &here;
    backward_chunk(t->prepared, &image, &noise, 1, gradient, t->losses, t->workspaces[thread],
                   here.count <= LOOK_STEPS ? &clock : NULL);
    look = NULL;
    return t->losses[0] + t->penalty.l1 + t->penalty.l2;
}

void trainer_evaluate(Trainer *t, const uint8_t *const *images, int n)
{
    const size_t places = trainer_loss_places(t->model);
    const int together = t->model->microbatch > 1 ? t->model->microbatch : 1;
    const ModelLoss loss = t->stage ? t->stage->loss : t->model->loss;
    const ModelLossMicrobatch loss_microbatch = t->stage ? t->stage->loss_microbatch
                                                         : t->model->loss_microbatch;
    if (together > 1 || places > 1) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(t->threads)
        for (int i = 0; i < n; i += together)
            loss_microbatch(t->prepared, images + i, n - i < together ? n - i : together,
                            t->losses + (size_t)i * places, t->workspaces[thread_number()]);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(t->threads)
    for (int i = 0; i < n; i++)
        t->losses[i] = loss(t->prepared, images[i], t->workspaces[thread_number()]);
}

double trainer_loss_sum(const Trainer *t, int n, double sum)
{
    const size_t places = trainer_loss_places(t->model);
    for (int i = 0; i < n; i++)
        sum += t->losses[(size_t)i * places] + t->penalty.l1 + t->penalty.l2;
    return sum;
}

const ModelTerm *trainer_terms(const Trainer *t, int *count)
{
    *count = t->stage ? t->stage->term_count : t->model->term_count;
    return t->stage ? t->stage->terms : t->model->terms;
}

void trainer_column_sums(const Trainer *t, int n, double *sums)
{
    const size_t places = trainer_loss_places(t->model);
    int count;
    const ModelTerm *terms = trainer_terms(t, &count);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < count; k++)
            sums[terms[k].column] += t->losses[(size_t)i * places + (size_t)terms[k].place];
    if (t->model->penalty_count > 0 && t->model->l1_column >= 0)
        sums[t->model->l1_column] += n * t->penalty.l1;
    if (t->model->penalty_count > 0 && t->model->l2_column >= 0)
        sums[t->model->l2_column] += n * t->penalty.l2;
}

void trainer_reconstruct(Trainer *t, const uint8_t *image, real *output)
{
    const ModelReconstruct reconstruct = t->stage ? t->stage->reconstruct : t->model->reconstruct;
    reconstruct(t->prepared, image, output, t->workspaces[0], NULL);
}

void trainer_reconstruct_bytes(Trainer *t, const uint8_t *image, real *scratch, uint8_t *bytes)
{
    trainer_reconstruct(t, image, scratch);
    pixels_from_reals(scratch, trainer_image_values(t->model), bytes);
}

int trainer_parameters_finite(const Trainer *t)
{
    return finite_all(t->parameters, t->model->parameter_reals);
}

const real *trainer_optimizer_fault(const Trainer *t)
{
    const Optimizer *o = &t->optimizer;
    for (int i = 0; i < SETTINGS_STATES; i++)
        if (o->state[i] && !finite_all(o->state[i], o->count))
            return o->state[i];
    return NULL;
}

static int channel_is_zero(const real *output, size_t values, size_t channel, size_t channels)
{
    for (size_t i = channel; i < values; i += channels)
        if (output[i] != 0)
            return 0;
    return 1;
}

int trainer_dead_channel(Trainer *t, const uint8_t *const *images, int n, real *scratch)
{
    enum { MAX_CHANNELS = 16 };
    size_t values = trainer_image_values(t->model), channels = (size_t)t->model->output.dim[2];
    int alive[MAX_CHANNELS] = { 0 };

    if (channels > MAX_CHANNELS)
        channels = MAX_CHANNELS; /* of pictures there are 1 or 3 */
    for (int i = 0; i < n; i++) {
        trainer_reconstruct(t, images[i], scratch);
        for (size_t c = 0; c < channels; c++)
            if (!alive[c] && !channel_is_zero(scratch, values, c, (size_t)t->model->output.dim[2]))
                alive[c] = 1;
    }
    for (size_t c = 0; c < channels; c++)
        if (!alive[c])
            return (int)c;
    return -1;
}
