/* What a library makes of a fixed image and drawn weights. Writes the files latent, output and,
 * where it can decode, decoded here; with rows (--stream) rows_latent and rows_output; losses and
 * parameters of two updates by three images each: floats. Exits 0, or 1 where anything goes wrong.
 *
 * names.h, written by ../bits.py, includes the library's header and says what it has:
 *
 *     NET(prepare), SIZE(ALIGN)       its functions and numbers
 *     HAS_DECODE, HAS_ROWS            0 or 1
 *     tensors[]                       where its parameters begin, and how to draw them */
#include <stddef.h>

typedef struct Tensor {
    size_t offset, count;
    float centre, limit;
} Tensor;

#include "names.h"

#include "../../support/drawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, UPDATES = 2 };

static void check(int code, const char *call)
{
    if (code >= 0)
        return;
    fprintf(stderr, "bits: %s gave %d\n", call, code);
    exit(1);
}

#define CALL(name, ...) check(NET(name)(__VA_ARGS__), #name)

/* Filled with what is no number, so that a read of what was never written shows. */
static void *block(size_t bytes)
{
    const size_t whole = (bytes + SIZE(ALIGN) - 1) / SIZE(ALIGN) * SIZE(ALIGN);
    void *p = aligned_alloc(SIZE(ALIGN), whole);
    check(p ? 0 : -1, "aligned_alloc");
    memset(p, 0xff, whole);
    return p;
}

static void write_floats(const char *name, const float *values, size_t n)
{
    FILE *file = fopen(name, "wb");
    check(file && fwrite(values, sizeof *values, n, file) == n && fclose(file) == 0 ? 0 : -1, name);
}

static float *parameters_new(void)
{
    float *parameters = block(SIZE(PARAMETER_FLOATS) * sizeof *parameters);
    for (size_t k = 0; k < sizeof tensors / sizeof *tensors; k++)
        for (size_t i = tensors[k].offset; i < tensors[k].offset + tensors[k].count; i++)
            parameters[i] = drawn_parameter(tensors[k].centre, tensors[k].limit, 5, i);
    return parameters;
}

static uint8_t *image_new(unsigned seed)
{
    uint8_t *image = block(SIZE(IMAGE_BYTES));
    for (size_t i = 0; i < SIZE(IMAGE_BYTES); i++)
        image[i] = drawn_pixel(seed, i);
    return image;
}

static void infer(const void *prepared, const uint8_t *image)
{
    void *workspace = block(SIZE(WORKSPACE_BYTES));
    float *latent = block(SIZE(LATENT_FLOATS) * sizeof *latent),
          *output = block(SIZE(OUTPUT_FLOATS) * sizeof *output);
    CALL(reconstruct, prepared, image, output, workspace, SIZE(WORKSPACE_BYTES));
    write_floats("output", output, SIZE(OUTPUT_FLOATS));
    CALL(encode, prepared, image, latent, workspace, SIZE(WORKSPACE_BYTES));
    write_floats("latent", latent, SIZE(LATENT_FLOATS));
#if HAS_DECODE
    CALL(decode, prepared, latent, output, workspace, SIZE(WORKSPACE_BYTES));
    write_floats("decoded", output, SIZE(OUTPUT_FLOATS));
#endif
    free(workspace);
    free(latent);
    free(output);
}

#if HAS_ROWS
static void rows(const void *prepared, int what, const uint8_t *image, const char *name, int height,
                 size_t row_floats)
{
    void *stream = block(SIZE(STREAM_BYTES));
    float *result = block((size_t)height * row_floats * sizeof *result);
    int pulled = 0;
    CALL(stream_open, prepared, what, stream, SIZE(STREAM_BYTES));
    for (size_t y = 0; y < SIZE(IMAGE_ROWS); y++) {
        CALL(stream_push, stream, image + y * SIZE(IMAGE_ROW_BYTES));
        while (pulled < height
               && NET(stream_pull)(stream, result + (size_t)pulled * row_floats) == 1)
            pulled++;
    }
    check(pulled - height, "stream_pull");
    write_floats(name, result, (size_t)height * row_floats);
    free(stream);
    free(result);
}
#endif

static void train(float *parameters)
{
    void *training = block(SIZE(TRAIN_BYTES));
    float losses[UPDATES * IMAGES];
    CALL(train_open, parameters, training, SIZE(TRAIN_BYTES));
    for (unsigned i = 0; i < UPDATES * IMAGES; i++) {
        uint8_t *image = image_new(i);
        CALL(train_image, training, image, &losses[i]);
        if ((i + 1) % IMAGES == 0)
            CALL(update, training, SIZE(LEARNING_RATE));
        free(image);
    }
    write_floats("losses", losses, UPDATES * IMAGES);
    write_floats("parameters", parameters, SIZE(PARAMETER_FLOATS));
}

int main(void)
{
    float *parameters = parameters_new();
    uint8_t *image = image_new(9);
    void *prepared = block(SIZE(PREPARED_BYTES));
    CALL(prepare, parameters, prepared, SIZE(PREPARED_BYTES));
    infer(prepared, image);
#if HAS_ROWS
    rows(prepared, SIZE(LATENT), image, "rows_latent", SIZE(LATENT_ROWS), SIZE(LATENT_ROW_FLOATS));
    rows(prepared, SIZE(OUTPUT), image, "rows_output", SIZE(OUTPUT_ROWS), SIZE(OUTPUT_ROW_FLOATS));
#endif
    train(parameters);
    return 0;
}
