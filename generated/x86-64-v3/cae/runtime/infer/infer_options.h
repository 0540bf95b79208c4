/* infer_options.h - the command line of <name>-infer. */
#ifndef CAEC_INFER_OPTIONS_H
#define CAEC_INFER_OPTIONS_H

#include "commands_infer.h"
#include "model.h"

#include <stdbool.h>

typedef struct InferLine {
    int (*run)(Infer *infer, const InferOptions *options, Error *error); /* the command */
    bool idle;            /* it needs the model alone, no network at work */
    const char *weights;  /* NULL: not given, which some commands allow */
    int threads;          /* 0: not given */
    InferOptions options; /* arguments point into argv */
} InferLine;

/* Reads the command line. On bad usage says what is wrong and exits with 2; --help and --version
   print and exit with 0. `argv` must outlive `line`, and its order may change. */
void infer_options_read(InferLine *line, const Model *model, int argc, char **argv);

#endif
