/* reference.c - the numbers that check.c holds a library against: of the same graph, whose model
 * must be called "net", in double by the programs' C for target c, without vectors. A header on
 * standard output.
 *     target_reference GRAPH.lua UPDATES WEIGHTS.safetensors [half]
 * 0 updates: of inference alone.
 *
 * WEIGHTS is written: the parameters at the start. `half`: rounded to what IEEE 754 binary16
 * holds. */
#include "build.h"
#include "cases.h"
#include "drawn.h"
#include "files.h"

#include "compute/clip.h"
#include "compute/optimizer.h"
#include "formats/safetensors.h"

#include <math.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* of an array too long for that each 2nd, 3rd... number is kept */
enum { SEED = 5, IMAGES = 2, MOST_NUMBERS = 4000 };

static void *array(size_t bytes)
{
    void *block = aligned_alloc(MODEL_ALIGNMENT,
                                (bytes + MODEL_ALIGNMENT - 1) / MODEL_ALIGNMENT * MODEL_ALIGNMENT);
    assert_non_null(block);
    return memset(block, 0, bytes);
}

static size_t shape_count(const ModelShape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dim[i];
    return count;
}

/* An odd step: those of channels and rows are even. */
static size_t step_for(size_t count)
{
    size_t step = (count + MOST_NUMBERS - 1) / MOST_NUMBERS;
    return step <= 1 ? 1 : step | 1;
}

static void print_array(const char *name, const real *values, size_t count)
{
    const size_t step = step_for(count);
    printf("\nenum { EACH_%s = %zu };\nstatic const double RIGHT_%s[] = {", name, step, name);
    for (size_t i = 0, n = 0; i < count; i += step, n++)
        printf("%s%.9g,", n % 8 == 0 ? "\n    " : " ", (double)values[i]);
    printf("\n};\n");
}

static void print_start(const Model *m)
{
    printf(
        "/* Numbers of the model in double, of each array every EACH_th. */\n"
        "enum { SEED = %d, IMAGES = %d };\n\n"
        "/* The parameters at the start. */\n"
        "static const struct {\n    size_t offset, count;\n    double fill, limit;\n} starts[] = "
        "{\n",
        SEED, IMAGES);
    for (int k = 0; k < m->parameter_count; k++) {
        const ModelParameter *p = &m->parameters[k];
        printf("    { %zu, %zu, %a, %a },       /* %s */\n", p->offset, p->count, p->fill, p->limit,
               p->name);
    }
    printf("};\n");
}

static void infer(const Model *m, const real *parameters, const uint8_t *image)
{
    const size_t latents = shape_count(&m->latent), outputs = shape_count(&m->output);
    real *latent = array(latents * sizeof *latent), *output = array(outputs * sizeof *output);
    void *prepared = array(m->prepared_bytes), *workspace = array(m->infer_bytes);
    m->prepare(parameters, prepared);
    m->encode(prepared, image, latent, workspace, NULL);
    m->reconstruct(prepared, image, output, workspace, NULL);
    print_array("LATENT", latent, latents);
    print_array("OUTPUT", output, outputs);
    void *const blocks[] = { latent, output, prepared, workspace };
    for (int i = 0; i < 4; i++)
        free(blocks[i]);
}

/* As runtime/train/trainer.c does it, without noise. */
static void train(const Model *m, real *parameters, uint8_t *const *images, int updates)
{
    Error error;
    Optimizer optimizer;
    assert_int_equal(
        optimizer_open(&optimizer, &m->training.optimizer, m->parameter_reals, 0, &error), 0);
    real *gradient = array(m->parameter_reals * sizeof *gradient),
         *losses = array((size_t)(updates * IMAGES) * sizeof *losses);
    void *prepared = array(m->prepared_bytes), *workspace = array(m->train_bytes);
    for (int k = 0; k < updates; k++) {
        memset(gradient, 0, m->parameter_reals * sizeof *gradient);
        m->prepare(parameters, prepared);
        m->backward_chunk(prepared, (const uint8_t *const *)images, NULL, IMAGES, gradient,
                          losses + k * IMAGES, workspace, NULL);
        clip_gradient(m, &m->training, gradient, 1.0 / IMAGES);
        optimizer_update(&optimizer, parameters, gradient, 1.0 / IMAGES, 1);
    }
    printf("\n#define UPDATES %d\n", updates);
    print_array("LOSSES", losses, (size_t)(updates * IMAGES));
    print_array("PARAMETERS", parameters, m->parameter_reals);
    printf("\n/* Optimizers with an eps divide by the gradient's size, so that where it is next to "
           "nothing its rounding counts. */\n"
           "enum { NORMALIZED = %d };\n",
           m->training.optimizer.eps > 0);
    optimizer_close(&optimizer);
    void *const blocks[] = { gradient, losses, prepared, workspace };
    for (int i = 0; i < 4; i++)
        free(blocks[i]);
}

/* The nearest number of 11 bits, or a multiple of 2^-24, which is the least that binary16 has. */
static double rounded_to_half(double x)
{
    int exponent;
    frexp(x, &exponent);
    const double unit = ldexp(1, exponent - 11 > -24 ? exponent - 11 : -24);
    return nearbyint(x / unit) * unit;
}

static void write_weights(const Model *m, const real *parameters, const char *path)
{
    enum { MOST = 40 };
    SafetensorsItem items[MOST];
    char message[800];
    assert_true(m->parameter_count <= MOST);
    for (int k = 0; k < m->parameter_count; k++) {
        const ModelParameter *p = &m->parameters[k];
        items[k] = (SafetensorsItem){ .name = p->name,
                                      .type = SAFETENSORS_F64,
                                      .rank = p->shape.rank,
                                      .values = parameters + p->offset };
        for (int i = 0; i < p->shape.rank; i++)
            items[k].shape[i] = p->shape.dim[i];
    }
    if (safetensors_write(path, items, m->parameter_count, NULL, NULL, 0, message, sizeof message)
        != 0)
        fail_msg("%s", message);
}

int main(int argc, char **argv)
{
    const int half = argc == 5 && strcmp(argv[4], "half") == 0;
    if (argc != 4 + half) {
        fprintf(stderr,
                "usage: target_reference GRAPH.lua UPDATES WEIGHTS.safetensors [half] > HEADER\n");
        return 2;
    }
    char *graph = file_read(argv[1], NULL);
    Built built = build_model(graph, "--target c");
    const Model *m = built.model;
    real *parameters = array(m->parameter_reals * sizeof *parameters);
    const size_t pixels = shape_count(&m->input);
    uint8_t *images[IMAGES];
    for (int k = 0; k < m->parameter_count; k++)
        for (size_t i = m->parameters[k].offset;
             i < m->parameters[k].offset + m->parameters[k].count; i++)
            parameters[i] = drawn_parameter(m->parameters[k].fill, m->parameters[k].limit, SEED, i);
    for (size_t i = 0; half && i < m->parameter_reals; i++)
        parameters[i] = rounded_to_half(parameters[i]);
    write_weights(m, parameters, argv[3]);
    for (unsigned i = 0; i < IMAGES; i++) {
        images[i] = array(pixels);
        for (size_t p = 0; p < pixels; p++)
            images[i][p] = drawn_pixel(i, p);
    }
    print_start(m);
    infer(m, parameters, images[0]);
    if (atoi(argv[2]) > 0)
        train(m, parameters, images, atoi(argv[2]));
    for (int i = 0; i < IMAGES; i++)
        free(images[i]);
    free(parameters);
    free(graph);
    built_free(&built);
    return 0;
}
