/* command_interpolate.c - the command interpolate of commands_infer.h. */
#define _XOPEN_SOURCE 700 /* S_ISDIR */
#include "commands_infer.h"

#include "data/dataset.h"
#include "memory.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The first two readable pictures of the order that the seed makes of a folder's. */
static int pick_two(const Model *model, const InferPaths *list, uint64_t seed, uint8_t *pixels,
                    size_t *which, Error *error)
{
    size_t each = infer_count(&model->input), have = 0;
    uint32_t *order = memory_block(list->count * sizeof *order, error);
    if (!order)
        return -1;

    dataset_shuffle(order, list->count, seed, 0);
    for (size_t i = 0; i < list->count && have < 2; i++) {
        if (infer_read(model, list->paths[order[i]], pixels + have * each, command_warn, error)
            == 0)
            which[have++] = order[i];
        else
            command_warn(error->text);
    }
    free(order);
    if (have == 2)
        return 0;
    return error_set(
        error, EXIT_INPUT,
        "interpolation needs two different pictures; the folder has only %zu that can be read",
        have);
}

static int encode_two(Infer *infer, const InferPaths *list, const size_t *which,
                      const uint8_t *pixels, real *latents, Error *error)
{
    const size_t latent = infer_count(&infer->model->latent);
    const uint8_t *images[2] = { pixels, pixels + infer_count(&infer->model->input) };
    int result = 0;

    infer_encode(infer, 2, images, latents);
    for (size_t i = 0; i < 2 && result == 0; i++)
        result = infer_check_finite(latents + i * latent, latent, "latent", list->paths[which[i]],
                                    error);
    return result;
}

/* Reads the two into pixels and encodes them. */
static int find_two(Infer *infer, const InferOptions *options, uint8_t *pixels, real *latents,
                    Error *error)
{
    const Model *model = infer->model;
    struct stat status;
    size_t each = infer_count(&model->input), which[2] = { 0, 1 };
    int folders = 0, result = 0;
    InferPaths list;

    for (int i = 0; i < options->count; i++)
        folders += stat(options->arguments[i], &status) == 0 && S_ISDIR(status.st_mode);
    if (!(options->count == 2 && folders == 0) && !(options->count == 1 && folders == 1)) {
        /* which says why it cannot be read */
        if (options->count == 1 && stat(options->arguments[0], &status) != 0)
            return infer_read(model, options->arguments[0], pixels, command_warn, error);
        return error_set(error, EXIT_USAGE,
                         "interpolate takes two pictures, or one folder and --seed N");
    }
    if (infer_paths_open(&list, model, options->arguments, options->count, command_warn, error)
        != 0)
        return -1;
    if (folders)
        result = pick_two(model, &list, options->seed, pixels, which, error);
    for (size_t i = 0; !folders && i < 2 && result == 0; i++)
        result = infer_read(model, list.paths[i], pixels + i * each, command_warn, error);
    if (result == 0)
        result = encode_two(infer, &list, which, pixels, latents, error);
    for (int i = 0; i < 2 && result == 0; i++)
        command_print_name(i == 0 ? "from " : "to   ", list.paths[which[i]]);
    infer_paths_close(&list);
    return result;
}

/* The row of pictures: latents[2] at the ends, count = steps + 2 pictures in all. */
static int write_row(Infer *infer, const real *ends, int count, const char *path, Error *error)
{
    const size_t latent = infer_count(&infer->model->latent);
    real *latents = memory_block((size_t)count * latent * sizeof(real), error);
    if (!latents)
        return -1;
    for (int i = 0; i < count; i++) {
        const real t = (real)i / (real)(count - 1);
        for (size_t k = 0; k < latent; k++)
            latents[(size_t)i * latent + k] = (1 - t) * ends[k] + t * ends[latent + k];
    }
    const int result = command_write_decoded(infer, latents, count, count, path, error);
    free(latents);
    return result;
}

int command_interpolate(Infer *infer, const InferOptions *options, Error *error)
{
    const Model *model = infer->model;
    size_t input = infer_count(&model->input), latent = infer_count(&model->latent);

    if (command_check_png_name(options->output, error) != 0
        || command_needs_decoder(model, error) != 0)
        return -1;
    uint8_t *pixels = memory_block(2 * input, error);
    real *latents = pixels ? memory_block(2 * latent * sizeof(real), error) : NULL;
    int result = latents ? find_two(infer, options, pixels, latents, error) : -1;
    if (result == 0)
        result = write_row(infer, latents, options->steps + 2, options->output, error);
    free(pixels);
    free(latents);
    return result;
}
