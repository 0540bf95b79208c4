/* bench_infer.h - how fast a model runs on this machine. */
#ifndef CAEC_BENCH_INFER_H
#define CAEC_BENCH_INFER_H

#include "commands_infer.h"

/* bench: reconstructs made-up pictures for a few seconds and prints: milliseconds an image on one
   thread and on all of them, images a second in batches with all threads, effective GFLOP/s (the
   operations of direct convolution, two a multiply-add, whatever algorithm ran), the FMA peak just
   measured with the same threads, the ratio of the two, the most memory that the process had in
   use, and a row per layer: kernel, milliseconds an image on one thread, effective GFLOP/s, percent
   of the FMA peak of one thread. Times are medians. As JSON one object: model, target, real,
   threads, batch, latency_ms_1_thread, latency_ms, images_per_second, effective_gflops,
   fma_peak_gflops, ratio, peak_rss_mb (MiB), layers: [{layer, pass, kernel, ms, effective_gflops,
   percent_of_peak}]. */
int command_bench(Infer *infer, const InferOptions *options, Error *error);

#endif
