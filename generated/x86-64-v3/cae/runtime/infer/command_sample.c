/* command_sample.c - the command sample of commands_infer.h. */
#include "commands_infer.h"

#include "data/dataset.h"
#include "memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* A standard normal number (Box and Muller 1958) of two uniform ones, 32 bits each, which lie in
   the middle of their steps and so are never 0. */
static double normal(uint64_t bits)
{
    const double u = ((double)(bits >> 32) + 0.5) / 4294967296.0,
                 v = ((double)(bits & UINT32_MAX) + 0.5) / 4294967296.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static int read_count(const char *text, int *count, Error *error)
{
    char *end = NULL;
    errno = 0;
    const long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
    if (!end || *end || errno || n < 1 || n > MAX_SAMPLES)
        return error_set(error, EXIT_USAGE,
                         "sample %s: give the number of pictures, a whole number from 1 to %d",
                         text, MAX_SAMPLES);
    *count = (int)n;
    return 0;
}

static int check_latent(const Model *model, Error *error)
{
    if (model->latent_is_normal)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "the latent of %s is no gaussian_sample, so random numbers are no latents of "
                     "it; interpolate shows what lies between two pictures",
                     model->name);
}

int command_sample(Infer *infer, const InferOptions *options, Error *error)
{
    const size_t latent = infer_count(&infer->model->latent);
    int count = 0;

    if (read_count(options->arguments[0], &count, error) != 0
        || command_check_png_name(options->output, error) != 0
        || check_latent(infer->model, error) != 0
        || command_needs_decoder(infer->model, error) != 0)
        return -1;
    infer->alone = true; /* a picture has the same bits however many are drawn */
    real *latents = memory_block((size_t)count * latent * sizeof(real), error);
    if (!latents)
        return -1;
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < latent; k++)
            latents[(size_t)i * latent + k] = (real)normal(
                dataset_number(options->seed, (uint64_t)i, (uint32_t)k));
    const int columns = count < SHEET_COLUMNS ? count : SHEET_COLUMNS,
              result = command_write_decoded(infer, latents, count, columns, options->output,
                                             error);
    free(latents);
    return result;
}
