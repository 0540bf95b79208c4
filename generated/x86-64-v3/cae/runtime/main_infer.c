/* main_infer.c - <name>-infer: a trained network at work. */
#define _POSIX_C_SOURCE 200809L /* sigaction, in signals.h */
#include "model.h"

#include "formats/printable.h"
#include "formats/standard_streams.h"
#include "formats/leftovers.h"
#include "infer/commands_infer.h"
#include "infer/infer.h"
#include "infer/infer_options.h"
#include "weights/initial.h"
#include "memory.h"
#include "signals.h"
#include "train/trainer.h"
#include "weights/weights.h"

#include <stdio.h>
#include <stdlib.h>

enum { DRAWN_SEED = 1 }; /* of the weights that bench runs with where none are given */

/* Loads or draws the weights and runs the command. */
static int run(const InferLine *line, const Model *model, Error *error)
{
    real *parameters = memory_block(model->parameter_reals * sizeof(real), error);
    Infer infer = { .model = model };
    int result = parameters ? 0 : -1;

    if (result == 0 && line->weights)
        result = weights_load(model, line->weights, parameters, error);
    else if (result == 0)
        initial_draw(model, DRAWN_SEED, parameters);
    if (result == 0 && !line->idle)
        result = infer_open(&infer, model, parameters,
                            line->threads ? line->threads : trainer_default_threads(NULL, NULL, 0),
                            error);
    free(parameters);
    if (result == 0)
        result = line->run(&infer, &line->options, error);
    if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        result = error_set(error, EXIT_FILE, "standard output cannot be written");
    infer_close(&infer);
    return result;
}

int main(int argc, char **argv)
{
    const Model *model = &caec_model;
    InferLine line;
    Error error;
    char program[100];

    standard_streams_open();
    if (!model->supported()) {
        fprintf(
            stderr,
            "%s-infer: this program was built for %s, and this processor lacks instructions of it; "
            "build it again with "
            "caec --target native on this machine, or with a smaller --target\n",
            model->name, model->target);
        return EXIT_INPUT;
    }
    infer_options_read(&line, model, argc, argv);
    snprintf(program, sizeof program, "%s-infer", model->name);
    signals_end_at_once(program, command_decode_discard);
    if (line.options.output)
        leftovers_remove_beside(line.options.output);
    if (line.options.csv)
        leftovers_remove_beside(line.options.csv);
    if (run(&line, model, &error) == 0)
        return EXIT_DONE;
    fprintf(stderr, "%s-infer: ", model->name);
    printable_put(stderr, error.text);
    fputc('\n', stderr);
    return error.exit_code;
}
