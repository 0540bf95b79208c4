/* infer_options.h - the command line of <name>-infer. */
#ifndef CAEC_INFER_OPTIONS_H
#define CAEC_INFER_OPTIONS_H

#include "commands_infer.h"
#include "model.h"

#include <stdbool.h>

typedef enum InferCommand {
    INFER_SUMMARY,
    INFER_BENCH,
    INFER_ENCODE,
    INFER_DECODE,
    INFER_RECONSTRUCT,
    INFER_INTERPOLATE,
    INFER_SCORE
} InferCommand;

typedef struct InferLine {
    InferCommand command;
    const char *weights; /* NULL: not given, which summary and bench allow */
    int threads;         /* 0: not given */
    bool json;
    InferOptions options; /* arguments point into argv */
} InferLine;

/* Reads the command line. On bad usage says what is wrong and exits with 2; --help and --version
   print and exit with 0. `argv` must outlive `line`, and its order may change. */
void infer_options_read(InferLine *line, const Model *model, int argc, char **argv);

#endif
