#include "trainer.h"

#include "compute/clip.h"
#include "compute/finite.h"
#include "compute/groups.h"
#include "images/pixels.h"
#include "memory.h"
#include "threads.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Once a chunk its sum is cleared and added to another, which takes about as long as 28
   multiply-adds a number: a fiftieth of MACS_A_REAL, which a chunk's images come to, but for
   MAX_CHUNK and for CHUNKS_WANTED, which keep threads at work to the end of a small batch. caec
   has the same numbers, and tests/training/test_limit.c holds the two together. */
enum { MACS_A_REAL = 1400, MAX_CHUNK = 8, CHUNKS_WANTED = 8 };

/* Powers of two, so that nodes of the tree of sums are the same images with larger chunks. */
static int chunk_by_cost(const Model *model, int batch)
{
    const double wanted = MACS_A_REAL * (double)model->parameter_reals;
    int chunk = 1;
    while (chunk < MAX_CHUNK && chunk * model->train_macs < wanted
           && 2 * chunk * CHUNKS_WANTED <= batch)
        chunk *= 2;
    return chunk;
}

int trainer_chunk(const Model *model, int batch, int n)
{
    if (model->accumulates_in_place)
        return n;
    if (model->microbatch <= 1)
        return chunk_by_cost(model, batch);
    int chunks = (n + model->microbatch - 1) / model->microbatch;
    return (n + chunks - 1) / chunks;
}

/* Of a group, whose size is the batch's first's or less: threads share it, so that a microbatch is
   no reason to keep it whole. */
static int chunk_of_group(const Model *model, int largest)
{
    const int chunk = trainer_chunk(model, largest, largest), share = (largest + 3) / 4;
    return model->microbatch > 1 && chunk > share ? share : chunk;
}

static int most_chunks(const Model *model, int batch)
{
    const int images = model->groups ? groups_size(model->groups, 0, batch) : batch,
              chunk = model->groups ? chunk_of_group(model, images)
                                    : trainer_chunk(model, batch, batch);
    return (images + chunk - 1) / chunk;
}

int trainer_default_threads(const Model *model, const ModelTraining *training, int batch)
{
    int threads = threads_default();
    int within = model ? trainer_threads_within(model, training, batch) : threads;
    return within < threads ? within > 1 ? within : 1 : threads;
}

const ModelGroups *trainer_groups(const Trainer *t)
{
    return t->stage ? t->stage->groups : t->model->groups;
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

/* What groups of a batch share, of all stages; 0: there are none. */
static size_t shared_bytes(const Model *model, int batch)
{
    size_t most = model->groups ? groups_bytes(model->groups, batch) : 0;
    for (int i = 0; model->groups && i < model->stage_count; i++) {
        const size_t bytes = groups_bytes(model->stages[i].groups, batch);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static size_t rounded(size_t bytes)
{
    return ((bytes ? bytes : 1) + MODEL_ALIGNMENT - 1) / MODEL_ALIGNMENT * MODEL_ALIGNMENT;
}

/* As caec counts for --memory-limit; tests/training/test_limit.c holds the two together. */
size_t trainer_bytes(const Model *model, const ModelTraining *training, int batch, int threads)
{
    int vectors = 1 + (model->groups != NULL) + settings_states(&training->optimizer)
                  + sum_tree_sums(most_chunks(model, batch), threads);
    return (size_t)vectors * rounded(model->parameter_reals * sizeof(real))
           + rounded(model->prepared_bytes)
           + rounded((size_t)batch * trainer_loss_places(model) * sizeof(double))
           + (model->groups ? rounded(shared_bytes(model, batch)) : 0)
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
            "--optimizer that keeps less%s, or compile it with a higher limit",
            t->model->memory_limit, limit, t->batch, optimizer,
            trainer_bytes(t->model, &t->training, t->batch, 1),
            t->training.optimizer.ema > 0 ? ", no averages (--ema 0)" : "");
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
    const size_t parameter_bytes = model->parameter_reals * sizeof(real);

    if (!(t->workspaces = memory_block((size_t)t->threads * sizeof *t->workspaces, error))
        || !(t->parameters = block(parameter_bytes, error))
        || !(t->prepared = block(model->prepared_bytes, error))
        || !(t->losses = memory_block(
                 (size_t)t->batch * trainer_loss_places(model) * sizeof *t->losses, error))
        || sum_tree_open(&t->sums, model->parameter_reals, most_chunks(model, t->batch), t->threads,
                         model->memory_limit > 0, error)
               != 0)
        return -1;
    if (model->groups
        && (!(t->shared = block(shared_bytes(model, t->batch), error))
            || !(t->group_total = block(parameter_bytes, error))))
        return -1;
    t->total = sum_tree_root(&t->sums);
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
    sum_tree_close(&t->sums);
    for (int i = 0; t->workspaces && i < t->threads; i++)
        free(t->workspaces[i]);
    free(t->workspaces);
    free(t->parameters);
    free(t->prepared);
    free(t->losses);
    free(t->shared);
    free(t->group_total);
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
    t->for_training = 0;
    t->penalty = penalty_of(t->model, t->stage, t->parameters);
}

/* After an update: what training reads. The rest waits until somebody asks for it. */
static void prepare_training(Trainer *t)
{
    const Model *m = t->model;
    t->for_training = m->prepare_training != NULL;
    (m->prepare_training ? m->prepare_training : m->prepare)(t->parameters, t->prepared);
    t->penalty = penalty_of(m, t->stage, t->parameters);
}

static void prepare_rest(Trainer *t)
{
    if (t->for_training)
        t->model->prepare(t->parameters, t->prepared);
    t->for_training = 0;
}

const real *trainer_shown(Trainer *t)
{
    const real *averages = optimizer_averages(&t->optimizer, t->parameters);
    return averages ? averages : t->parameters;
}

void trainer_show(Trainer *t)
{
    t->model->prepare(trainer_shown(t), t->prepared);
    t->for_training = 0;
    t->penalty = penalty_of(t->model, t->stage, trainer_shown(t));
}

/* What chunks of images are for: a phase of a group's training, or, without groups, all of it. */
typedef struct Chunks {
    const ModelGroups *groups;
    int phase, size, images; /* size: of a chunk */
    const uint8_t *const *image;
    const uint64_t *noise; /* NULL: none */
    double *losses;
} Chunks;

static void run_chunk(const Trainer *t, const Chunks *c, int number, real *sum)
{
    const int first = number * c->size, rest = c->images - first,
              n = rest < c->size ? rest : c->size;
    void *workspace = t->workspaces[thread_number()];
    if (c->groups) {
        c->groups->run(c->phase, t->prepared, c->image, c->noise, c->images, first, n, sum,
                       c->losses, t->shared, workspace, NULL);
        return;
    }
    const ModelBackward backward = t->stage ? t->stage->backward_chunk : t->model->backward_chunk;
    backward(t->prepared, c->image + first, c->noise ? c->noise + first : NULL, n, sum,
             c->losses + (size_t)first * trainer_loss_places(t->model), workspace, NULL);
}

/* All of them, by all threads: their sums of the reals from <= i < to of the gradient meet in the
   tree's root. */
static void run_chunks(Trainer *t, const Chunks *c, size_t from, size_t to)
{
    sum_tree_begin_part(&t->sums, (c->images + c->size - 1) / c->size, from, to);
#pragma omp parallel num_threads(t->threads)
    {
        int number;
        for (real *sum; (sum = sum_tree_take(&t->sums, &number));
             sum_tree_hand_in(&t->sums, number, sum))
            run_chunk(t, c, number, sum);
    }
}

/* One phase after the other of a group, whose sums meet in the total. */
static void run_phases(Trainer *t, Chunks *c)
{
    for (int i = 0; i < c->groups->phase_count; i++) {
        const ModelPhase *p = &c->groups->phases[i];
        c->phase = i;
        if (p->alone) {
            c->groups->run(i, t->prepared, c->image, c->noise, c->images, 0, c->images, t->total,
                           c->losses, t->shared, t->workspaces[0], NULL);
            continue;
        }
        run_chunks(t, c, p->from, p->to);
        const real *root = sum_tree_root(&t->sums);
        for (size_t k = p->from; k < p->to; k++)
            t->total[k] += root[k];
    }
}

static void gradient_of_groups(Trainer *t, const ModelGroups *groups, const uint8_t *const *images,
                               const uint64_t *noise, int n)
{
    const size_t places = trainer_loss_places(t->model);
    const int chunk = chunk_of_group(t->model, groups_size(groups, 0, t->batch));
    t->total = t->group_total;
    memset(t->total, 0, t->model->parameter_reals * sizeof(real));
    for (int at = 0, size; at < n; at += size) {
        size = groups_size(groups, at, n);
        run_phases(t, &(Chunks){ groups, 0, chunk, size, images + at, noise ? noise + at : NULL,
                                 t->losses + (size_t)at * places });
    }
}

void trainer_gradient(Trainer *t, const uint8_t *const *images, const uint64_t *noise, int n)
{
    const ModelGroups *groups = trainer_groups(t);
    t->counted = t->penalty;
    if (groups) {
        gradient_of_groups(t, groups, images, noise, n);
        return;
    }
    const Chunks chunks = { NULL,  0,        trainer_chunk(t->model, t->batch, n), n, images,
                            noise, t->losses };
    run_chunks(t, &chunks, 0, t->model->parameter_reals);
    t->total = sum_tree_root(&t->sums);
}

TrainerFault trainer_step(Trainer *t, const uint8_t *const *images, const uint64_t *noise, int n)
{
    trainer_gradient(t, images, noise, n);
    penalty_add_gradient(t->model, t->stage, t->parameters, n, t->total);
    if (!isfinite(trainer_loss_sum(t, n, 0)))
        return TRAINER_LOSS;
    if (!finite_all(t->total, t->model->parameter_reals))
        return TRAINER_GRADIENT;
    if (trainer_groups(t))
        groups_move_statistics(t->model, trainer_groups(t), n, t->parameters, t->total);
    clip_gradient(t->model, &t->training, t->total, 1.0 / n);
    if (!optimizer_update(&t->optimizer, t->parameters, t->total, 1.0 / n, t->threads))
        return trainer_parameters_finite(t) ? TRAINER_OPTIMIZER : TRAINER_PARAMETER;
    prepare_training(t);
    return TRAINER_FINE;
}

real *trainer_spare_gradient(Trainer *t)
{
    return sum_tree_spare(&t->sums);
}

const ModelStep *trainer_steps(const Trainer *t, int *count)
{
    *count = t->stage ? t->stage->step_count : t->model->train_step_count;
    return t->stage ? t->stage->steps : t->model->train_steps;
}

void trainer_backward(Trainer *t, int thread, const uint8_t *const *images, const uint64_t *noise,
                      int n, real *gradient, double *losses, ModelClock *clock)
{
    const ModelGroups *groups = trainer_groups(t);
    const ModelBackward backward_chunk = t->stage ? t->stage->backward_chunk
                                                  : t->model->backward_chunk;
    if (groups)
        groups_backward(groups, t->prepared, images, noise, n,
                        chunk_of_group(t->model, groups_size(groups, 0, t->batch)), gradient,
                        losses, t->shared, t->workspaces[thread], clock);
    else
        backward_chunk(t->prepared, images, noise, n, gradient, losses, t->workspaces[thread],
                       clock);
}

void trainer_evaluate(Trainer *t, const uint8_t *const *images, int n)
{
    prepare_rest(t);
    const size_t places = trainer_loss_places(t->model);
    const int together = t->model->microbatch > 1 ? t->model->microbatch : 1;
    const ModelLoss loss = t->stage ? t->stage->loss : t->model->loss;
    const ModelLossMicrobatch loss_microbatch = t->stage ? t->stage->loss_microbatch
                                                         : t->model->loss_microbatch;
    t->counted = t->penalty;
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
        sum += t->losses[(size_t)i * places] + t->counted.l1 + t->counted.l2;
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
        sums[t->model->l1_column] += n * t->counted.l1;
    if (t->model->penalty_count > 0 && t->model->l2_column >= 0)
        sums[t->model->l2_column] += n * t->counted.l2;
}

void trainer_reconstruct(Trainer *t, const uint8_t *image, real *output)
{
    prepare_rest(t);
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
