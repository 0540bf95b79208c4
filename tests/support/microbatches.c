/* Microbatches of images against the images one by one. */
#include "drive.h"

#include "cases.h"

#include <math.h>
#include <stdlib.h>

enum { IMAGES = 71 };

static size_t count_of(const ModelShape *shape)
{
    size_t n = 1;
    for (int i = 0; i < shape->rank; i++)
        n *= (size_t)shape->dim[i];
    return n;
}

/* The images, and what the model makes of each alone. */
typedef struct Alone {
    uint8_t *images[IMAGES];
    const uint8_t *list[IMAGES];
    double *latents[IMAGES], *outputs[IMAGES];
} Alone;

static void want(const char *what, const real *got, double *const *right, int n, size_t count,
                 double tolerance)
{
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < count; k++)
            if (!(fabs((double)got[(size_t)i * count + k] - right[i][k]) <= tolerance))
                fail_msg("%s of a microbatch of %d: value %zu of image %d is %.17g, alone %.17g",
                         what, n, k, i, (double)got[(size_t)i * count + k], right[i][k]);
}

static void check_microbatch(Driven *d, const Alone *alone, int n, Guarded *encoded, Guarded *out,
                             double tolerance)
{
    const Model *m = d->model;
    size_t latent = count_of(&m->latent), output = count_of(&m->output);
    const size_t places = drive_loss_places(m);
    double losses[IMAGES * MODEL_MAX_COLUMNS];
    assert_in_range(places, 1, MODEL_MAX_COLUMNS);
    guard_fill(&d->infer, 0xff);
    m->encode_microbatch(d->prepared.data, alone->list, n, encoded->data, d->infer.data, NULL);
    want("a latent", encoded->data, alone->latents, n, latent, tolerance);
    guard_fill(&d->infer, 0xff);
    if (m->decode) {
        m->decode_microbatch(d->prepared.data, encoded->data, n, out->data, d->infer.data, NULL);
        want("a decoded output", out->data, alone->outputs, n, output, tolerance);
    }
    m->reconstruct_microbatch(d->prepared.data, alone->list, n, out->data, d->infer.data, NULL);
    want("an output", out->data, alone->outputs, n, output, tolerance);
    guard_fill(&d->train, 0xff);
    m->loss_microbatch(d->prepared.data, alone->list, n, losses, d->train.data);
    for (int i = 0; i < n; i++)
        if (!(fabs(losses[(size_t)i * places] - drive_loss(d, alone->images[i])) <= tolerance))
            fail_msg("the loss of image %d in a microbatch of %d is %.17g", i, n,
                     losses[(size_t)i * places]);
    guard_check(&d->infer);
    guard_check(&d->train);
}

static double check_chunk(Driven *d, const Alone *alone, double tolerance)
{
    size_t parameters = d->model->parameter_reals;
    double losses[IMAGES], *all = drive_gradient(d, alone->images, IMAGES, NULL, losses),
                           *sum = calloc(parameters, sizeof *sum), largest = 0, most = 0;
    assert_non_null(sum);
    for (int i = 0; i < IMAGES; i++) {
        double loss, *one = drive_gradient(d, &alone->images[i], 1, NULL, &loss);
        assert_true(fabs(loss - losses[i]) <= tolerance);
        for (size_t k = 0; k < parameters; k++)
            sum[k] += one[k];
        free(one);
    }
    for (size_t k = 0; k < parameters; k++) {
        largest = fmax(largest, fabs(sum[k]));
        most = fmax(most, fabs(sum[k] - all[k]));
    }
    if (!(most <= tolerance * largest))
        fail_msg(
            "the gradient of %d images differs from the sum of theirs by %.3g, its largest value "
            "is %.3g",
            IMAGES, most, largest);
    free(all);
    free(sum);
    return largest;
}

double check_microbatches(const Net *net, Driven *d, double tolerance)
{
    const Model *m = d->model;
    Alone alone;
    assert_in_range(m->microbatch, 2, IMAGES - 1);
    assert_null(m->encode_band);
    for (int i = 0; i < IMAGES; i++) {
        alone.list[i] = alone.images[i] = net_image(net, (unsigned)i + 100);
        alone.latents[i] = drive_encode(d, alone.images[i]);
        alone.outputs[i] = drive_reconstruct(d, alone.images[i]);
    }
    Guarded out = guard_new((size_t)m->microbatch * count_of(&m->output) * sizeof(real));
    Guarded encoded = guard_new((size_t)m->microbatch * count_of(&m->latent) * sizeof(real));
    for (int n = m->microbatch; n > 0; n = n / 2 - n % 2)
        check_microbatch(d, &alone, n, &encoded, &out, tolerance);
    double largest = m->backward_chunk ? check_chunk(d, &alone, tolerance) : 0;
    for (int i = 0; i < IMAGES; i++) {
        free(alone.images[i]);
        free(alone.latents[i]);
        free(alone.outputs[i]);
    }
    guard_free(&out);
    guard_free(&encoded);
    return largest;
}
