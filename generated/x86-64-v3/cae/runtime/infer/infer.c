#define _POSIX_C_SOURCE 200809L /* sched_yield */
#include "infer.h"

#include "compute/finite.h"
#include "memory.h"
#include "threads.h"

#include <float.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

size_t infer_count(const ModelShape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dim[i];
    return count;
}

int infer_open(Infer *infer, const Model *model, const real *parameters, int threads, Error *error)
{
#ifndef _OPENMP
    threads = 1;
#endif
    *infer = (Infer){ .model = model, .threads = threads, .opened_threads = threads };
    infer->prepared = memory_block(model->prepared_bytes, error);
    infer->workspaces = infer->prepared
                            ? memory_block((size_t)threads * sizeof *infer->workspaces, error)
                            : NULL;
    for (int i = 0; infer->workspaces && i < threads; i++)
        if (!(infer->workspaces[i] = memory_block(model->infer_bytes, error))) {
            infer_close(infer);
            return -1;
        }
    if (!infer->workspaces || threads_start(threads, error) != 0) {
        infer_close(infer);
        return -1;
    }
    model->prepare(parameters, infer->prepared);
    return 0;
}

void infer_close(Infer *infer)
{
    for (int i = 0; infer->workspaces && i < infer->opened_threads; i++)
        free(infer->workspaces[i]);
    free(infer->workspaces);
    free(infer->prepared);
    *infer = (Infer){ 0 };
}

/* The workspace of the calling thread. */
static void *workspace(const Infer *infer)
{
#ifdef _OPENMP
    return infer->workspaces[omp_get_thread_num()];
#else
    return infer->workspaces[0];
#endif
}

/* Images that a thread takes at a time, a number that does not depend on the threads. */
static int microbatch_of(const Infer *infer)
{
    return infer->model->microbatch > 1 && !infer->alone ? infer->model->microbatch : 1;
}

/* ---- one image by all threads ---- */

static int by_bands(const Infer *infer, int n, int divided)
{
    return n == 1 && infer->threads > 1 && divided;
}

#ifdef _OPENMP
/* Where the bands meet. The wait is a few microseconds where every band has a processor, so it
   spins; where they have to share one, spinning would only keep the others from coming, so it soon
   lets them run. */
typedef struct Meeting {
    atomic_int here, round;
    int bands;
} Meeting;

enum { SPINS = 20000 };

static void wait_for_all(void *barrier)
{
    Meeting *m = barrier;
    int round = atomic_load_explicit(&m->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&m->here, 1, memory_order_acq_rel) == m->bands - 1) {
        atomic_store_explicit(&m->here, 0, memory_order_relaxed);
        atomic_store_explicit(&m->round, round + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&m->round, memory_order_acquire) == round; spins++)
        if (spins > SPINS)
            sched_yield();
}

static ModelTeam team_of(const Infer *infer, Meeting *meeting)
{
    return (ModelTeam){ omp_get_thread_num(), meeting->bands, workspace(infer), wait_for_all,
                        meeting };
}
#endif

/* image NULL: the latent is given; output NULL: the latent is wanted; latent NULL: from image to
   output. */
static void run_bands(Infer *infer, const uint8_t *image, real *latent, real *output)
{
#ifdef _OPENMP
    Meeting meeting = { 0 };
#pragma omp parallel num_threads(infer->threads)
    {
#pragma omp single
        meeting.bands = omp_get_num_threads();
        const ModelTeam team = team_of(infer, &meeting);
        if (!latent)
            infer->model->reconstruct_band(infer->prepared, image, output, infer->workspaces[0],
                                           &team);
        else if (image)
            infer->model->encode_band(infer->prepared, image, latent, infer->workspaces[0], &team);
        else
            infer->model->decode_band(infer->prepared, latent, output, infer->workspaces[0], &team);
    }
#else
    (void)infer, (void)image, (void)latent, (void)output;
#endif
}

/* ---- many images ---- */

enum { IMAGES_A_THREAD = 8 };

int infer_batch(const Infer *infer)
{
    int microbatch = microbatch_of(infer);
    /* whole microbatches, whose places then do not depend on the threads */
    return infer->threads * ((IMAGES_A_THREAD + microbatch - 1) / microbatch * microbatch);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

void infer_encode(Infer *infer, int n, const uint8_t *const *images, real *latents)
{
    size_t each = infer_count(&infer->model->latent);
    if (by_bands(infer, n, infer->model->encode_band != NULL)) {
        run_bands(infer, images[0], latents, NULL);
        return;
    }
    int microbatch = microbatch_of(infer);
#pragma omp parallel for schedule(dynamic, 1) num_threads(infer->threads)
    for (int i = 0; i < n; i += microbatch) {
        real *latent = latents + (size_t)i * each;
        if (microbatch > 1)
            infer->model->encode_microbatch(infer->prepared, images + i, least(microbatch, n - i),
                                            latent, workspace(infer), NULL);
        else
            infer->model->encode(infer->prepared, images[i], latent, workspace(infer), NULL);
    }
}

void infer_decode(Infer *infer, int n, const real *latents, real *outputs)
{
    size_t from = infer_count(&infer->model->latent), to = infer_count(&infer->model->output);
    if (by_bands(infer, n, infer->model->decode_band != NULL)) {
        run_bands(infer, NULL, (real *)latents, outputs);
        return;
    }
    int microbatch = microbatch_of(infer);
#pragma omp parallel for schedule(dynamic, 1) num_threads(infer->threads)
    for (int i = 0; i < n; i += microbatch) {
        const real *latent = latents + (size_t)i * from;
        real *output = outputs + (size_t)i * to;
        if (microbatch > 1)
            infer->model->decode_microbatch(infer->prepared, latent, least(microbatch, n - i),
                                            output, workspace(infer), NULL);
        else
            infer->model->decode(infer->prepared, latent, output, workspace(infer), NULL);
    }
}

void infer_reconstruct(Infer *infer, int n, const uint8_t *const *images, real *outputs)
{
    size_t each = infer_count(&infer->model->output);
    if (by_bands(infer, n, infer->model->reconstruct_band != NULL)) {
        run_bands(infer, images[0], NULL, outputs);
        return;
    }
    int microbatch = microbatch_of(infer);
#pragma omp parallel for schedule(dynamic, 1) num_threads(infer->threads)
    for (int i = 0; i < n; i += microbatch) {
        real *output = outputs + (size_t)i * each;
        if (microbatch > 1)
            infer->model->reconstruct_microbatch(infer->prepared, images + i,
                                                 least(microbatch, n - i), output, workspace(infer),
                                                 NULL);
        else
            infer->model->reconstruct(infer->prepared, images[i], output, workspace(infer), NULL);
    }
}

/* Only doubles can be finite and too large. */
static int fits_float(const real *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fabs((double)values[i]) > FLT_MAX)
            return 0;
    return 1;
}

int infer_check_finite(const real *values, size_t count, const char *what, const char *of,
                       Error *error)
{
    if (finite_all(values, count) && fits_float(values, count))
        return 0;
    return error_set(
        error, EXIT_INPUT,
        "%s: its %s holds a number that is not finite or too large for float32; the weights are "
        "too "
        "large for this network: give others with --weights, from before the training diverged",
        of, what);
}
