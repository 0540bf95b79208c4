#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "bench_infer.h"

#include "memory.h"
#include "compute/peak.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MIN_RUNS = 5, MAX_RUNS = 1000 };

static const double latency_seconds = 1, batch_seconds = 2, table_seconds = 1, peak_seconds = 0.5;

typedef struct Bench {
    Infer *infer;
    int batch;
    uint8_t *pixels;
    const uint8_t **images;                                 /* [batch] */
    real *outputs;                                          /* [batch] of them */
    double *layer_seconds;                                  /* [infer_step_count], of one image */
    double latency_1, latency;                              /* seconds an image */
    double images_per_second, effective, peak, thread_peak; /* thread_peak: of one thread */
} Bench;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median time of reconstructing n images at once, measured for about `seconds`. */
static double time_runs(Bench *bench, int n, double seconds)
{
    double times[MAX_RUNS], start = now();
    int runs = 0;

    /* touches all memory, starts the threads */
    infer_reconstruct(bench->infer, n, bench->images, bench->outputs);
    while (runs < MAX_RUNS && (runs < MIN_RUNS || now() - start < seconds)) {
        double before = now();
        infer_reconstruct(bench->infer, n, bench->images, bench->outputs);
        times[runs++] = now() - before;
    }
    qsort(times, (size_t)runs, sizeof *times, by_size);
    return times[runs / 2];
}

/* Where the time goes, an image: the model's own clock on one thread, over a microbatch where the
   model takes several images at once. Its reading costs little, but the sum may exceed the latency
   a bit. */
static void time_layers(Bench *bench)
{
    const Model *model = bench->infer->model;
    ModelClock clock = { .now = now, .seconds = bench->layer_seconds };
    double start = now();
    int runs = 0, microbatch = model->microbatch > 1 ? model->microbatch : 1;

    while (runs < MAX_RUNS && (runs < MIN_RUNS || now() - start < table_seconds)) {
        clock.last = now();
        if (microbatch > 1)
            model->reconstruct_microbatch(bench->infer->prepared, bench->images, microbatch,
                                          bench->outputs, bench->infer->workspaces[0], &clock);
        else
            model->reconstruct(bench->infer->prepared, bench->images[runs % bench->batch],
                               bench->outputs, bench->infer->workspaces[0], &clock);
        runs++;
    }
    for (int i = 0; i < model->infer_step_count; i++)
        bench->layer_seconds[i] /= (double)runs * microbatch;
}

static void measure(Bench *bench)
{
    Infer *infer = bench->infer;
    int threads = infer->threads;

    infer->threads = 1;
    bench->latency_1 = time_runs(bench, 1, latency_seconds);
    infer->threads = threads;
    bench->latency = threads > 1 ? time_runs(bench, 1, latency_seconds) : bench->latency_1;
    bench->images_per_second = bench->batch / time_runs(bench, bench->batch, batch_seconds);
    time_layers(bench);
    bench->effective = 2 * infer->model->forward_macs * bench->images_per_second * 1e-9;
    bench->peak = peak_fma_gflops(threads, peak_seconds);
    bench->thread_peak = threads > 1 ? peak_fma_gflops(1, peak_seconds) : bench->peak;
}

/* Noise of a linear congruential generator (Knuth's MMIX): pictures of every level, the same in
   every run. */
static void make_up(Bench *bench, size_t each)
{
    uint64_t state = 1;

    for (size_t i = 0; i < each * (size_t)bench->batch; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bench->pixels[i] = (uint8_t)(state >> 56);
    }
    for (int i = 0; i < bench->batch; i++)
        bench->images[i] = bench->pixels + (size_t)i * each;
}

static double gflops(double macs, double seconds)
{
    return seconds > 0 ? 2e-9 * macs / seconds : 0;
}

/* Of what one thread could do at most. */
static double percent_of_peak(const Bench *bench, double macs, double seconds)
{
    return bench->thread_peak > 0 ? 100 * gflops(macs, seconds) / bench->thread_peak : 0;
}

static const char *real_name(void)
{
    return sizeof(real) == sizeof(float) ? "float" : "double";
}

static void print_speed(const Bench *bench)
{
    const Model *model = bench->infer->model;
    int threads = bench->infer->threads;

    printf("%s (%s, %s), %d thread%s\n", model->name, model->target, real_name(), threads,
           threads > 1 ? "s" : "");
    printf("latency, 1 thread   %10.3f ms an image\n", 1e3 * bench->latency_1);
    if (threads > 1)
        printf("latency, %d threads  %10.3f ms an image%s\n", threads, 1e3 * bench->latency,
               model->encode_band ? ", each layer in bands of rows"
                                  : ", on one: this network takes whole images");
    printf("throughput          %10.1f images/s in batches of %d\n", bench->images_per_second,
           bench->batch);
    printf("effective           %10.1f GFLOP/s (direct-convolution operations)\n",
           bench->effective);
    printf("FMA peak            %10.1f GFLOP/s\n", bench->peak);
    printf("ratio               %10.2f\n", bench->effective / bench->peak);
    printf("peak memory         %10.1f MiB\n\n", memory_peak_mib());
}

static void print_steps(const Bench *bench)
{
    const Model *model = bench->infer->model;
    double total = 0;

    if (model->microbatch > 1)
        printf("Layers, per image in a microbatch of %d:\n", model->microbatch);
    printf("%-24s %-10s %-20s %10s %10s %10s\n", "layer", "direction", "kernel", "ms", "GFLOP/s",
           "% of peak");
    for (int i = 0; i < model->infer_step_count; i++) {
        const ModelStep *step = &model->infer_steps[i];
        printf("%-24s %-10s %-20s %10.4f", step->layer, step->direction, step->kernel,
               1e3 * bench->layer_seconds[i]);
        if (step->macs > 0)
            printf(" %10.1f %10.0f", gflops(step->macs, bench->layer_seconds[i]),
                   percent_of_peak(bench, step->macs, bench->layer_seconds[i]));
        putchar('\n');
        total += bench->layer_seconds[i];
    }
    printf("%-24s %-10s %-20s %10.4f %10.1f\n", "together", "", "", 1e3 * total,
           gflops(model->forward_macs, total));
}

static void print_json(const Bench *bench)
{
    const Model *model = bench->infer->model;
    json_t *layers = json_array();

    for (int i = 0; i < model->infer_step_count; i++) {
        const ModelStep *step = &model->infer_steps[i];
        json_array_append_new(
            layers, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "layer", step->layer, "pass",
                              step->direction, "kernel", step->kernel, "ms",
                              1e3 * bench->layer_seconds[i], "effective_gflops",
                              gflops(step->macs, bench->layer_seconds[i]), "percent_of_peak",
                              percent_of_peak(bench, step->macs, bench->layer_seconds[i])));
    }
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "model", model->name,
        "target", model->target, "real", real_name(), "threads", bench->infer->threads, "batch",
        bench->batch, "latency_ms_1_thread", 1e3 * bench->latency_1, "latency_ms",
        1e3 * bench->latency, "images_per_second", bench->images_per_second, "effective_gflops",
        bench->effective, "fma_peak_gflops", bench->peak, "ratio", bench->effective / bench->peak,
        "peak_rss_mb", memory_peak_mib(), "layers", layers);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(all);
}

int command_bench(Infer *infer, const InferOptions *options, Error *error)
{
    const Model *model = infer->model;
    size_t input = infer_count(&model->input), output = infer_count(&model->output);
    Bench bench = { .infer = infer, .batch = infer_batch(infer) };
    size_t batch = (size_t)bench.batch;
    int result = -1;

    if ((bench.pixels = memory_block(batch * input, error))
        && (bench.images = memory_block(batch * sizeof *bench.images, error))
        && (bench.outputs = memory_block(batch * output * sizeof(real), error))
        && (bench.layer_seconds = memory_block(
                (size_t)(model->infer_step_count + 1) * sizeof(double), error))) {
        make_up(&bench, input);
        measure(&bench);
        result = 0;
    }
    if (result == 0 && options->json) {
        print_json(&bench);
    } else if (result == 0) {
        print_speed(&bench);
        print_steps(&bench);
    }
    free(bench.pixels);
    free(bench.images);
    free(bench.outputs);
    free(bench.layer_seconds);
    return result;
}
