#define _POSIX_C_SOURCE 200809L
#include "bench_train.h"

#include "data/dataset.h"
#include "weights/initial.h"
#include "memory.h"
#include "compute/peak.h"
#include "images/pictures.h"
#include "trainer.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DISTINCT_PICTURES = 16, CLOCKED_IMAGES = 8, MAX_ROUNDS = 50, SEED = 1 };

static const double PEAK_SECONDS = 0.5;
/* small networks take thousands of updates before threads and clocks are settled */
static const double WARM_UP_SECONDS = 0.3;

typedef struct Bench {
    const Model *model;
    Trainer trainer;
    uint8_t *pictures;
    const uint8_t **images; /* [larger of batch and clocked] */
    uint64_t *noise;        /* beside them */
    int clocked;            /* images of the chunk that is clocked: CLOCKED_IMAGES, or the model's
                               microbatch where that is larger */
    double *seconds;        /* of each update */
    double *layer_seconds;  /* an image, of each train_steps */
    /* step_seconds: the median */
    double step_seconds, mean_seconds, images_per_second, gflops, peak_gflops, peak_mib;
    double thread_gflops;        /* the peak of one thread */
    double taken_mib, limit_mib; /* of a model with a limit of memory */
    int steps;
} Bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int prepare(Bench *b, int batch, int threads, Error *error)
{
    const Model *model = b->model;
    const int *dim = model->input.dim;
    size_t bytes = trainer_image_values(model);
    b->clocked = model->microbatch > CLOCKED_IMAGES ? model->microbatch : CLOCKED_IMAGES;
    if (model->groups && b->clocked > batch)
        b->clocked = batch;
    int images = batch > b->clocked ? batch : b->clocked;
    int distinct = images < DISTINCT_PICTURES ? images : DISTINCT_PICTURES;

    if (trainer_open(&b->trainer, model, &model->training, batch, threads, error) != 0
        || !(b->pictures = memory_block((size_t)distinct * bytes, error))
        || !(b->images = memory_block((size_t)images * sizeof *b->images, error))
        || !(b->noise = memory_block((size_t)images * sizeof *b->noise, error))
        || !(b->seconds = memory_block((size_t)b->steps * sizeof *b->seconds, error))
        || !(b->layer_seconds = memory_block(
                 (size_t)model->train_step_count * sizeof *b->layer_seconds, error)))
        return -1;
    for (int i = 0; i < distinct; i++)
        picture_draw(SEED, (uint64_t)i, dim[0], dim[1], dim[2], b->pictures + (size_t)i * bytes);
    for (int i = 0; i < images; i++)
        b->noise[i] = dataset_number(SEED, 0, (uint32_t)i);
    for (int i = 0; i < images; i++)
        b->images[i] = b->pictures + (size_t)(i % distinct) * bytes;
    b->taken_mib = (double)trainer_bytes(model, &model->training, batch, b->trainer.threads)
                   / (1 << 20);
    b->limit_mib = (double)model->memory_limit / (1 << 20);
    initial_draw(model, SEED, b->trainer.parameters);
    trainer_prepare(&b->trainer);
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void measure_steps(Bench *b)
{
    int batch = b->trainer.batch;
    double start = now();
    do
        trainer_step(&b->trainer, b->images, b->noise, batch);
    while (now() - start < WARM_UP_SECONDS);
    for (int i = 0; i < b->steps; i++) {
        double began = now();
        trainer_step(&b->trainer, b->images, b->noise, batch);
        b->seconds[i] = now() - began;
        b->mean_seconds += b->seconds[i] / b->steps;
    }
    b->step_seconds = median(b->seconds, b->steps);
    b->images_per_second = batch / b->step_seconds;
    b->gflops = 2 * b->model->train_macs * b->images_per_second / 1e9;
    b->peak_mib = memory_peak_mib();
}

/* One chunk on one thread, several times: of each step the quickest, after one round to warm up. */
static int measure_layers(Bench *b, Error *error)
{
    const Model *model = b->model;
    Trainer *t = &b->trainer;
    const int count = model->train_step_count;
    double *losses = memory_block((size_t)b->clocked * sizeof *losses, error);
    double *seconds = losses ? memory_block((size_t)count * sizeof *seconds, error) : NULL;
    double start = now();

    for (int round = 0;
         seconds && round < MAX_ROUNDS && (round < 2 || now() - start < WARM_UP_SECONDS); round++) {
        ModelClock clock = { now, now(), seconds };
        memset(seconds, 0, (size_t)count * sizeof *seconds);
        trainer_backward(t, 0, b->images, b->noise, b->clocked, t->total, losses, &clock);
        for (int i = 0; i < count; i++)
            if (round == 1 || (round > 1 && seconds[i] < b->layer_seconds[i] * b->clocked))
                b->layer_seconds[i] = seconds[i] / b->clocked;
    }
    int result = seconds ? 0 : -1;
    free(seconds);
    free(losses);
    return result;
}

static double step_gflops(const ModelStep *step, double seconds)
{
    return seconds > 0 ? 2 * step->macs / seconds / 1e9 : 0;
}

/* Of what one thread could do at most. */
static double step_percent(const Bench *b, const ModelStep *step, double seconds)
{
    return b->thread_gflops > 0 ? 100 * step_gflops(step, seconds) / b->thread_gflops : 0;
}

static void print_speed(const Bench *b)
{
    const Model *model = b->model;

    printf("%s, %s, batch %d, %d thread%s, median of %d updates\n\n", model->name, model->target,
           b->trainer.batch, b->trainer.threads, b->trainer.threads == 1 ? "" : "s", b->steps);
    if (model->stage_count > 0)
        printf("stage %d of %d: %s\n\n", model->stage_count, model->stage_count,
               model->stages[model->stage_count - 1].title);
    printf("  images/s                %10.1f\n", b->images_per_second);
    printf("  ms per step             %10.2f   (mean %.2f)\n", b->step_seconds * 1e3,
           b->mean_seconds * 1e3);
    printf("  effective GFLOP/s       %10.1f   (operations of direct convolution)\n", b->gflops);
    printf("  FMA peak GFLOP/s        %10.1f   (measured just now, same threads and vectors)\n",
           b->peak_gflops);
    printf("  effective / peak        %10.2f\n",
           b->peak_gflops > 0 ? b->gflops / b->peak_gflops : 0);
    printf("  peak memory MiB         %10.1f\n", b->peak_mib);
    if (model->memory_limit)
        printf("  training takes MiB      %10.2f   (of %.2f; pictures and program apart)\n",
               b->taken_mib, b->limit_mib);
    printf("\n");
}

static int longest_name(const Model *model)
{
    int longest = 5;
    for (int i = 0; i < model->train_step_count; i++)
        if ((int)strlen(model->train_steps[i].layer) > longest)
            longest = (int)strlen(model->train_steps[i].layer);
    return longest;
}

static void print_steps(const Bench *b)
{
    const Model *model = b->model;
    int wide = longest_name(model);
    double sum = 0;

    if (model->microbatch > 1)
        printf("Microbatches of %d images, their mean on one thread:\n", model->microbatch);
    else
        printf("One image on one thread:\n");
    printf("  %-*s  %-10s  %-20s  %9s  %9s  %9s\n", wide, "layer", "direction", "kernel", "ms",
           "GFLOP/s", "% of peak");
    for (int i = 0; i < model->train_step_count; i++) {
        const ModelStep *s = &model->train_steps[i];
        double seconds = b->layer_seconds[i];
        printf("  %-*s  %-10s  %-20s  %9.4f", wide, s->layer, s->direction, s->kernel,
               seconds * 1e3);
        if (s->macs > 0)
            printf("  %9.1f  %9.0f", step_gflops(s, seconds), step_percent(b, s, seconds));
        printf("\n");
        sum += seconds;
    }
    printf("  %-*s  %-10s  %-20s  %9.4f  %9.1f\n", wide, "all", "", "", sum * 1e3,
           sum > 0 ? 2 * model->train_macs / sum / 1e9 : 0);
}

static void print_json(const Bench *b)
{
    const Model *model = b->model;
    json_t *layers = json_array();
    for (int i = 0; i < model->train_step_count; i++) {
        const ModelStep *s = &model->train_steps[i];
        json_t *rate = s->macs > 0 ? json_real(step_gflops(s, b->layer_seconds[i])) : json_null();
        json_t *percent = s->macs > 0 ? json_real(step_percent(b, s, b->layer_seconds[i]))
                                      : json_null();
        json_array_append_new(layers, json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "layer", s->layer,
                                                "pass", s->direction, "kernel", s->kernel, "ms",
                                                b->layer_seconds[i] * 1e3, "effective_gflops", rate,
                                                "percent_of_peak", percent));
    }
    json_t *all = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:o}",
                            "images_per_second", b->images_per_second, "ms_per_step",
                            b->step_seconds * 1e3, "mean_ms_per_step", b->mean_seconds * 1e3,
                            "effective_gflops", b->gflops, "fma_peak_gflops", b->peak_gflops,
                            "ratio", b->peak_gflops > 0 ? b->gflops / b->peak_gflops : 0,
                            "peak_rss_mb", b->peak_mib, "threads", b->trainer.threads, "batch",
                            b->trainer.batch, "steps", b->steps, "layers", layers);
    if (model->stage_count > 0)
        json_object_set_new(all, "stage", json_string(model->stages[model->stage_count - 1].title));
    if (model->memory_limit) {
        json_object_set_new(all, "training_mb", json_real(b->taken_mib));
        json_object_set_new(all, "memory_limit_mb", json_real(b->limit_mib));
    }
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(all);
}

int bench_train(const Model *model, int batch, int steps, int threads, bool json, Error *error)
{
    Bench b = { .model = model, .steps = steps };
    int result = prepare(&b, batch, threads, error);
    if (result == 0) {
        measure_steps(&b);
        b.peak_gflops = peak_fma_gflops(b.trainer.threads, PEAK_SECONDS);
        b.thread_gflops = b.trainer.threads > 1 ? peak_fma_gflops(1, PEAK_SECONDS / 2)
                                                : b.peak_gflops;
        result = measure_layers(&b, error);
    }
    if (result == 0 && json) {
        print_json(&b);
    } else if (result == 0) {
        print_speed(&b);
        print_steps(&b);
    }
    trainer_close(&b.trainer);
    free(b.pictures);
    free(b.images);
    free(b.noise);
    free(b.seconds);
    free(b.layer_seconds);
    return result;
}
