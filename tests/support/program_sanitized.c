/* Runs all functions of a compiled model in heap blocks of exactly the sizes that the model asks
 * for. Compiled with -fsanitize=address,undefined, which ends it at the first access outside and at
 * the first undefined operation. Exits 0. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static void *block(size_t bytes)
{
    void *p = aligned_alloc(MODEL_ALIGNMENT,
                            (bytes + MODEL_ALIGNMENT - 1) / MODEL_ALIGNMENT * MODEL_ALIGNMENT);
    if (!p)
        exit(3);
    memset(p, 0, bytes);
    return p;
}

static size_t count(const ModelShape *shape)
{
    size_t n = 1;
    for (int i = 0; i < shape->rank; i++)
        n *= (size_t)shape->dim[i];
    return n;
}

int main(void)
{
    const Model *m = &caec_model;
    if (!m->supported())
        return 0;
    real *parameters = block(m->parameter_reals * sizeof(real)),
         *gradient = block(m->parameter_reals * sizeof(real));
    real *latent = block(count(&m->latent) * sizeof(real)),
         *output = block(count(&m->output) * sizeof(real));
    void *prepared = block(m->prepared_bytes), *infer = block(m->infer_bytes),
         *train = block(m->train_bytes);
    uint8_t *image = malloc(count(&m->input));
    const uint8_t *images[3] = { image, image, image };
    double losses[3];
    if (!image)
        return 3;
    for (size_t i = 0; i < m->parameter_reals; i++)
        parameters[i] = (real)((double)(i * 7 % 13) / 13 - 0.4);
    for (size_t i = 0; i < count(&m->input); i++)
        image[i] = (uint8_t)(i * 31);
    m->prepare(parameters, prepared);
    m->encode(prepared, image, latent, infer, NULL);
    m->decode(prepared, latent, output, infer, NULL);
    m->reconstruct(prepared, image, output, infer, NULL);
    m->backward_chunk(prepared, images, NULL, 3, gradient, losses, train, NULL);
    double loss = m->loss(prepared, image, train);
    int same = loss == losses[0] && loss == losses[1] && loss == losses[2];
    free(parameters);
    free(gradient);
    free(latent);
    free(output);
    free(prepared);
    free(infer);
    free(train);
    free(image);
    return same ? 0 : 1;
}
