/* command_encode.c - the command encode of commands_infer.h. */
#include "commands_infer.h"

#include "formats/npy.h"
#include "memory.h"

#include <stdlib.h>

enum { MESSAGE_SIZE = 800 };

typedef struct Encoding {
    NpyWriter writer;
    float *values; /* one latent */
    size_t count;  /* numbers in it */
    int64_t rows;
} Encoding;

static int take_latent(void *context, size_t picture, const uint8_t *pixels, const real *latent,
                       Error *error)
{
    Encoding *encoding = context;
    (void)picture, (void)pixels, (void)error;
    for (size_t i = 0; i < encoding->count; i++)
        encoding->values[i] = (float)latent[i];
    npy_append(&encoding->writer, encoding->values, encoding->count);
    encoding->rows++;
    return 0;
}

int command_encode(Infer *infer, const InferOptions *options, Error *error)
{
    const ModelShape *latent = &infer->model->latent;
    Encoding encoding = { .count = infer_count(latent) };
    int64_t shape[NPY_MAX_RANK] = { 0 };
    char message[MESSAGE_SIZE];
    InferPaths list;

    if (infer_paths_open(&list, infer->model, options->arguments, options->count, command_warn,
                         error)
        != 0)
        return -1;
    shape[0] = (int64_t)list.count;
    for (int i = 0; i < latent->rank; i++)
        shape[i + 1] = latent->dim[i];

    int result = -1;
    encoding.values = memory_block(encoding.count * sizeof(float), error);
    if (encoding.values
        && npy_create(&encoding.writer, options->output, latent->rank + 1, shape, message,
                      sizeof message)
               != 0)
        error_set(error, EXIT_FILE, "%s", message);
    else if (encoding.values)
        result = infer_files(infer, &list, INFER_LATENT, take_latent, &encoding, error);
    if (result == 0 && npy_commit(&encoding.writer, encoding.rows, message, sizeof message) != 0)
        result = error_set(error, EXIT_FILE, "%s", message);
    npy_abandon(&encoding.writer);
    free(encoding.values);
    infer_paths_close(&list);
    return result;
}
