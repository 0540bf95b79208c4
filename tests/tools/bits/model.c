/* What the programs' network makes of pictures, every bit of it: cae-infer writes latents as
 * float32 and outputs as bytes.
 *
 *     bits                            the names of the parameters, in the order of their flat array
 *     bits PARAMETERS PICTURE.png...  writes the files latent, output and, where the model can
 *                                     decode, decoded here: reals, picture after picture
 *
 * PARAMETERS is that array. Exits 0, or 1 where anything goes wrong. */
#include "model.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Model *const m = &caec_model;

static void stop(const char *what)
{
    fprintf(stderr, "bits: %s\n", what);
    exit(1);
}

/* Filled with what is no number, so that a read of what was never written shows. */
static void *block(size_t bytes)
{
    const size_t whole = (bytes + MODEL_ALIGNMENT - 1) / MODEL_ALIGNMENT * MODEL_ALIGNMENT;
    void *p = aligned_alloc(MODEL_ALIGNMENT, whole);
    if (!p)
        stop("there is not enough memory");
    memset(p, 0xff, whole);
    return p;
}

static size_t count(const ModelShape *shape)
{
    size_t n = 1;
    for (int i = 0; i < shape->rank; i++)
        n *= (size_t)shape->dim[i];
    return n;
}

static real *parameters_read(const char *path)
{
    real *parameters = block(m->parameter_reals * sizeof *parameters);
    FILE *file = fopen(path, "rb");
    if (!file
        || fread(parameters, sizeof *parameters, m->parameter_reals, file) != m->parameter_reals)
        stop("the parameters cannot be read");
    fclose(file);
    return parameters;
}

static uint8_t *picture_read(const char *path)
{
    const int height = m->input.dim[0], width = m->input.dim[1], channels = m->input.dim[2];
    png_image png = { .version = PNG_IMAGE_VERSION };
    uint8_t *picture = block(count(&m->input));
    if (!png_image_begin_read_from_file(&png, path))
        stop(png.message);
    if (png.height != (png_uint_32)height || png.width != (png_uint_32)width)
        stop("the picture has not the network's size");
    png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    if (PNG_IMAGE_SIZE(png) != count(&m->input))
        stop("the network's pictures are neither grey nor RGB");
    if (!png_image_finish_read(&png, NULL, picture, 0, NULL))
        stop(png.message);
    return picture;
}

static FILE *file_new(const char *name)
{
    FILE *file = fopen(name, "wb");
    if (!file)
        stop("a result cannot be written");
    return file;
}

static void write_reals(FILE *file, const real *values, size_t n)
{
    if (fwrite(values, sizeof *values, n, file) != n || fflush(file) != 0)
        stop("a result cannot be written");
}

static void infer(const real *parameters, char **pictures, int picture_count)
{
    void *prepared = block(m->prepared_bytes), *workspace = block(m->infer_bytes);
    const size_t latents = count(&m->latent), outputs = count(&m->output);
    real *latent = block(latents * sizeof *latent), *output = block(outputs * sizeof *output);
    FILE *latent_file = file_new("latent"), *output_file = file_new("output");
    FILE *decoded_file = m->decode ? file_new("decoded") : NULL;
    m->prepare(parameters, prepared);
    for (int i = 0; i < picture_count; i++) {
        uint8_t *picture = picture_read(pictures[i]);
        m->reconstruct(prepared, picture, output, workspace, NULL);
        write_reals(output_file, output, outputs);
        m->encode(prepared, picture, latent, workspace, NULL);
        write_reals(latent_file, latent, latents);
        if (decoded_file) {
            m->decode(prepared, latent, output, workspace, NULL);
            write_reals(decoded_file, output, outputs);
        }
        free(picture);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        for (int k = 0; k < m->parameter_count; k++)
            puts(m->parameters[k].name);
        return 0;
    }
    if (!m->supported())
        stop("this processor lacks instructions of the target");
    infer(parameters_read(argv[1]), argv + 2, argc - 2);
    return 0;
}
