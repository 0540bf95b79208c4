/* main_train.c - <name>-train: trains a model, measures it, compares it. */
#include "train/bench_train.h"
#include "train/command_pictures.h"
#include "error.h"
#include "formats/printable.h"
#include "model.h"
#include "train/train_options.h"
#include "train/train_run.h"
#include "train/trainer.h"
#include "check/verify.h"
#include "formats/standard_streams.h"

#include <stdio.h>

enum { BENCH_STEPS = 10, PICTURES = 8 };

static int run_bench(const Model *model, const TrainOptions *options, Error *error)
{
    int batch = options->batch ? options->batch : model->training.batch;
    int steps = options->steps ? (int)options->steps : BENCH_STEPS;
    int threads = options->threads ? options->threads
                                   : trainer_default_threads(model, &model->training, batch);
    return bench_train(model, batch, steps, threads, options->json, error);
}

static int run(const Model *model, const TrainOptions *options, Error *error)
{
    switch (options->command) {
    case TRAIN_RUN: return train_run(model, options, error);
    case TRAIN_BENCH: return run_bench(model, options, error);
    case TRAIN_VERIFY: return verify_run(model, options->reference, options->json, error);
    case TRAIN_PICTURES:
        return command_pictures(model, options->out, options->seed,
                                options->count ? options->count : PICTURES, options->anomalies,
                                error);
    case TRAIN_SUMMARY: return fputs(model->summary, stdout) < 0 ? -1 : 0;
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const Model *model = &caec_model;
    TrainOptions options;
    Error error = { .exit_code = EXIT_FILE, .text = "the output cannot be written" };

    standard_streams_open();
    if (!model->supported()) {
        fprintf(
            stderr,
            "%s-train: built for %s, and this processor lacks instructions of it; compile %s with "
            "caec for another --target\n",
            model->name, model->target, model->graph);
        return EXIT_INPUT;
    }
    train_options_read(&options, model, argc, argv);
    int code = run(model, &options, &error);
    /* A run that a signal ended and that is saved says so, whoever listens. */
    if (code >= 0 && code < 128 && (fflush(stdout) != 0 || ferror(stdout))) {
        error_set(&error, EXIT_FILE, "the output cannot be written");
        code = -1;
    }
    if (code < 0) {
        fprintf(stderr, "%s-train: ", model->name);
        printable_put(stderr, error.text);
        fputc('\n', stderr);
        return error.exit_code;
    }
    return code;
}
