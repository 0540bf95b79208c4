/* main_infer.c - <name>-infer: a trained network at work. */
#define _POSIX_C_SOURCE 200809L    /* sigaction */
#include "model.h"

#include "formats/printable.h"
#include "formats/standard_streams.h"
#include "formats/whole_file.h"
#include "infer/bench_infer.h"
#include "infer/commands_infer.h"
#include "infer/infer.h"
#include "infer/infer_options.h"
#include "weights/initial.h"
#include "memory.h"
#include "train/trainer.h"
#include "weights/weights.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAWN_SEED = 1 };      /* of the weights that bench runs with where none are given */

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) return;      /* then nobody listens */
}

/* Ends the program at once: it may be waiting for a pipe that nobody writes to. Nothing half written is left behind. Where all is done but for the names of
   pictures the first signal comes too late. timeout sends the same signal twice, and two threads may get one each. */
static void on_signal(int signal)
{
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    static volatile sig_atomic_t late;

    if (atomic_flag_test_and_set(&ending)) return;
    int nothing = whole_file_discard(), pictures = command_decode_discard();
    if (pictures < 0 && !late) {
        late = 1;
        atomic_flag_clear(&ending);
        return;
    }
    say(caec_model.name);
    say("-infer: stopped by a signal");
    say(pictures > 0 || nothing ? "; nothing was written\n" : "\n");
    _exit(128 + signal);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int run_command(const InferLine *line, Infer *infer, Error *error)
{
    const InferOptions *options = &line->options;

    switch (line->command) {
    case INFER_BENCH: return bench_infer(infer, line->json, error);
    case INFER_ENCODE: return command_encode(infer, options, error);
    case INFER_DECODE: return command_decode(infer, options, error);
    case INFER_RECONSTRUCT: return command_reconstruct(infer, options, error);
    case INFER_INTERPOLATE: return command_interpolate(infer, options, error);
    case INFER_SCORE: return command_score(infer, options, error);
    case INFER_SUMMARY: break;      /* needs no network at work */
    }
    fputs(infer->model->summary, stdout);
    return 0;
}

/* Loads or draws the weights and runs the command. */
static int run(const InferLine *line, const Model *model, Error *error)
{
    real *parameters = memory_block(model->parameter_reals * sizeof(real), error);
    Infer infer = {.model = model};
    int result = parameters ? 0 : -1;

    if (result == 0 && line->weights) result = weights_load(model, line->weights, parameters, error);
    else if (result == 0) initial_draw(model, DRAWN_SEED, parameters);
    if (result == 0 && line->command != INFER_SUMMARY)
        result = infer_open(&infer, model, parameters, line->threads ? line->threads : trainer_default_threads(NULL), error);
    free(parameters);
    if (result == 0) result = run_command(line, &infer, error);
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

    standard_streams_open();
    if (!model->supported()) {
        fprintf(stderr, "%s-infer: this program was built for %s, and this processor lacks instructions of it; build it again with "
                "caec --target native on this machine, or with a smaller --target\n", model->name, model->target);
        return EXIT_INPUT;
    }
    infer_options_read(&line, model, argc, argv);
    catch_signals();
    if (run(&line, model, &error) == 0) return EXIT_DONE;
    fprintf(stderr, "%s-infer: ", model->name);
    printable_put(stderr, error.text);
    fputc('\n', stderr);
    return error.exit_code;
}
