/* Models whose noise can be differentiated: what is drawn for an image follows from its bytes. */
#include "drive.h"

#include "cases.h"

#include <stdlib.h>

static const Model *inner;

static uint64_t number_of(const uint8_t *image)
{
    size_t bytes = (size_t)inner->input.dim[0] * (size_t)inner->input.dim[1]
                   * (size_t)inner->input.dim[2];
    uint64_t number = 1;
    for (size_t i = 0; i < bytes; i++)
        number = number * 6364136223846793005u + image[i];
    return number | 1;
}

static void drawing_chunk(const void *prepared, const uint8_t *const *images, const uint64_t *noise,
                          int n, real *gradient, double *losses, void *workspace, ModelClock *clock)
{
    uint64_t numbers[DRAWING_IMAGES];
    (void)noise;
    assert_true(n <= DRAWING_IMAGES);
    for (int i = 0; i < n; i++)
        numbers[i] = number_of(images[i]);
    inner->backward_chunk(prepared, images, numbers, n, gradient, losses, workspace, clock);
}

static double drawing_loss(const void *prepared, const uint8_t *image, void *workspace)
{
    real *gradient = calloc(inner->parameter_reals, sizeof *gradient);
    double *losses = calloc(drive_loss_places(inner), sizeof *losses);
    assert_non_null(gradient);
    assert_non_null(losses);
    drawing_chunk(prepared, &image, NULL, 1, gradient, losses, workspace, NULL);
    const double loss = losses[0];
    free(gradient);
    free(losses);
    return loss;
}

Model drawing_model(const Model *model)
{
    Model drawing = *model;
    inner = model;
    drawing.loss = drawing_loss;
    drawing.backward_chunk = drawing_chunk;
    return drawing;
}
