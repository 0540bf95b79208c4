/* formats.c - files between machines of either byte order: a checkpoint of the small model and an
 * array of numpy.
 *
 *     formats write FOLDER        run.safetensors and latent.npy
 *     formats read FOLDER         0: they hold the numbers that were written */
#include "drawn.h"
#include "error.h"
#include "formats/npy.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 512, ROWS = 3, COLUMNS = 5 };

static real parameters[MOST], m[MOST], v[MOST];
static float latents[ROWS * COLUMNS];
static char checkpoint_path[1024], array_path[1024], message[256];
static Error error;

/* Also a zero below zero, and the largest and the smallest of all sizes. */
static void fill(void)
{
    for (size_t i = 0; i < caec_model.parameter_reals; i++) {
        parameters[i] = drawn_parameter(0, 1, 1, i);
        m[i] = drawn_parameter(0, 1e-6, 2, i);
        v[i] = drawn_parameter(1e-30, 1e-30, 3, i);
    }
    parameters[0] = -0.0f;
    parameters[1] = -0x1.fffffep127f;
    parameters[2] = 0x1p-149f;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        latents[i] = drawn_parameter(0, 100, 4, i);
}

static CheckpointState position(void)
{
    CheckpointState s = { .step = 9007199254740991u,
                          .epoch = 3,
                          .position = 640,
                          .images = 639,
                          .loss_sum = 0.1 + 0.2,
                          .seconds = 1e-300,
                          .best = 1.0 / 3,
                          .seed = 9007199254740993u,
                          .batch = 64,
                          .train_files = 0xfedcba9876543210u,
                          .val_files = 1,
                          .epochs = 40,
                          .rate = 1e-3 / 3,
                          .training = caec_model.training };
    return s;
}

static int failed(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return 1;
}

static int write_both(void)
{
    const CheckpointState state = position();
    const int64_t shape[2] = { ROWS, COLUMNS };
    NpyWriter writer;
    fill();
    if (checkpoint_save(checkpoint_path, &caec_model, parameters, (real *[SETTINGS_STATES]){ m, v },
                        &state, &error)
        != 0)
        return failed(error.text);
    if (npy_create(&writer, array_path, 2, shape, message, sizeof message) != 0)
        return failed(message);
    npy_append(&writer, latents, ROWS * COLUMNS);
    return npy_commit(&writer, ROWS, message, sizeof message) != 0 ? failed(message) : 0;
}

static int read_checkpoint(void)
{
    static real read[3][MOST];
    CheckpointState state;
    const CheckpointState right = position();
    const size_t bytes = caec_model.parameter_reals * sizeof(real);
    if (checkpoint_load(checkpoint_path, &caec_model, read[0],
                        (real *[SETTINGS_STATES]){ read[1], read[2] }, &state, &error)
        != 0)
        return failed(error.text);
    if (memcmp(read[0], parameters, bytes) != 0 || memcmp(read[1], m, bytes) != 0
        || memcmp(read[2], v, bytes) != 0)
        return failed("the checkpoint has other numbers");
    if (state.step != right.step || state.seed != right.seed
        || state.train_files != right.train_files || state.loss_sum != right.loss_sum
        || state.seconds != right.seconds || state.rate != right.rate
        || state.training.optimizer.lr != right.training.optimizer.lr)
        return failed("the checkpoint has another position");
    return 0;
}

static int read_array(void)
{
    NpyReader reader;
    double values[ROWS * COLUMNS];
    int io;
    if (npy_open(&reader, array_path, message, sizeof message, &io) != 0)
        return failed(message);
    if (reader.rank != 2 || reader.shape[0] != ROWS || reader.shape[1] != COLUMNS)
        return failed("the array has another shape");
    if (npy_next(&reader, values, ROWS * COLUMNS, message, sizeof message, &io) != 0)
        return failed(message);
    npy_close(&reader);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        if (values[i] != (double)latents[i])
            return failed("the array has other numbers");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 || caec_model.parameter_reals > MOST)
        return failed("usage: formats write|read FOLDER");
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s/run.safetensors", argv[2]);
    snprintf(array_path, sizeof array_path, "%s/latent.npy", argv[2]);
    if (strcmp(argv[1], "write") == 0)
        return write_both();
    fill();
    return read_checkpoint() || read_array();
}
