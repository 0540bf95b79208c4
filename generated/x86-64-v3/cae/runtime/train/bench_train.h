/* bench_train.h - how fast this program trains on this machine. */
#ifndef CAEC_BENCH_TRAIN_H
#define CAEC_BENCH_TRAIN_H

#include "error.h"
#include "model.h"

#include <stdbool.h>

/* Trains on made-up pictures: one update to warm up, then `steps` of `batch` images on `threads`;
   all times are of the median update. Then measures the FMA peak with the same threads and with
   one, and every call of the generated code on one thread. Prints a table, or one JSON object:
       images_per_second, ms_per_step, effective_gflops (2 * multiply-adds of direct convolution),
       fma_peak_gflops, ratio, peak_rss_mb (MiB),
       threads, batch, steps, layers: [{layer, pass, kernel, ms, effective_gflops, percent_of_peak}]
       (ms an image; the peak of one thread; null where a call has no
       multiply-adds) */
int bench_train(const Model *model, int batch, int steps, int threads, bool json, Error *error);

#endif
