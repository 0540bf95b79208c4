/* train_options.h - the command line of <name>-train. */
#ifndef CAEC_TRAIN_OPTIONS_H
#define CAEC_TRAIN_OPTIONS_H

#include "model.h"

#include <stdbool.h>

typedef enum TrainCommand {
    TRAIN_RUN,
    TRAIN_BENCH,
    TRAIN_VERIFY,
    TRAIN_PICTURES,
    TRAIN_SUMMARY
} TrainCommand;

/* Folders in the order given; count 0: none. */
typedef struct PictureFolders {
    const char *const *paths;
    int count;
} PictureFolders;

/* Numbers are 0 where the user did not give them, unless a flag beside them says so. */
typedef struct TrainOptions {
    TrainCommand command;
    const char *program; /* as it was called; NULL: not known */
    PictureFolders train, val;
    const char *out, *init; /* NULL: not given */
    const char *reference;  /* of verify */
    uint64_t epochs, steps;
    int batch, threads;
    int count; /* of pictures */
    double lr, ema;
    ModelOptimizer optimizer; /* name NULL: not given; likewise */
    ModelSchedule schedule;
    double clip_norm, global_clip_norm, clip_value, min_delta;
    int patience, mirror;
    bool ema_given, clip_given, min_delta_given, patience_given, mirror_given; /* clip: any of the
                                                                                  three */
    uint64_t seed;
    bool seed_given;
    bool resume, strict, skip_unreadable, json, anomalies;
    uint64_t checkpoint_updates; /* save after so many updates, */
    double checkpoint_minutes;   /* or minutes */
    size_t cache_bytes;
    bool cache_given;
} TrainOptions;

/* Reads the command line. On bad usage says what is wrong and exits with 2; --help and --version
   print and exit with 0. */
void train_options_read(TrainOptions *options, const Model *model, int argc, char **argv);

#endif
