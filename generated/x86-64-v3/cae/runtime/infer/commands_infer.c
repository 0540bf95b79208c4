/* commands_infer.c - what the commands of commands_infer.h share. */
#define _XOPEN_SOURCE 700 /* strcasecmp */
#include "commands_infer.h"

#include "formats/printable.h"
#include "images/pixels.h"
#include "images/report.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void command_warn(const char *text)
{
    fputs("warning: ", stderr);
    printable_put(stderr, text);
    fputc('\n', stderr);
}

int command_needs_decoder(const Model *model, Error *error)
{
    if (model->decode)
        return 0;
    return error_set(
        error, EXIT_USAGE,
        "the network %s cannot decode a latent alone: its decoder reads more of the encoder than "
        "the latent; only decode, interpolate and sample need that",
        model->name);
}

int command_check_png_name(const char *path, Error *error)
{
    size_t length = strlen(path);
    if (length > 4 && strcasecmp(path + length - 4, ".png") == 0)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "-o %s: the picture is written as PNG; give it a name that ends in .png",
                     path);
}

void command_print_name(const char *before, const char *name)
{
    fputs(before, stdout);
    printable_put(stdout, name);
    putchar('\n');
}

/* The latents as bytes of pictures, as many at once as keep all threads at work. */
static int decode_all(Infer *infer, const real *latents, size_t count, uint8_t *pixels,
                      const char *path, Error *error)
{
    const size_t latent = infer_count(&infer->model->latent),
                 output = infer_count(&infer->model->output), batch = (size_t)infer_batch(infer);
    real *outputs = memory_block(batch * output * sizeof(real), error);
    int result = outputs ? 0 : -1;
    for (size_t i = 0; i < count && result == 0; i += batch) {
        const size_t n = count - i < batch ? count - i : batch;
        infer_decode(infer, (int)n, latents + i * latent, outputs);
        pixels_from_reals(outputs, n * output, pixels + i * output);
        result = infer_check_finite(outputs, n * output, "sheet of pictures", path, error);
    }
    free(outputs);
    return result;
}

int command_write_decoded(Infer *infer, const real *latents, int count, int columns,
                          const char *path, Error *error)
{
    const ModelShape *shape = &infer->model->output;
    const int rows = (count + columns - 1) / columns;
    const size_t each = infer_count(shape), room = (size_t)columns * (size_t)rows;
    uint8_t *pixels = memory_block((size_t)count * each, error);
    const uint8_t **cells = pixels ? memory_block(room * sizeof *cells, error) : NULL;
    int result = cells ? decode_all(infer, latents, (size_t)count, pixels, path, error) : -1;
    for (size_t i = 0; cells && i < room; i++)
        cells[i] = i < (size_t)count ? pixels + i * each : NULL;
    if (result == 0)
        result = report_sheet(path, cells, columns, rows, shape->dim[0], shape->dim[1],
                              shape->dim[2], error);
    free(pixels);
    free(cells);
    return result;
}
