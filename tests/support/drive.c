#define _POSIX_C_SOURCE 200809L
#include "drive.h"

#include "build.h"
#include "cases.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BANDS = 4 };

static size_t shape_count(const ModelShape *shape)
{
    size_t n = 1;
    for (int i = 0; i < shape->rank; i++)
        n *= (size_t)shape->dim[i];
    return n;
}

static void prepare(Driven *d)
{
    guard_fill(&d->prepared, 0xff);
    d->model->prepare(d->parameters.data, d->prepared.data);
    guard_check(&d->prepared);
    guard_check(&d->parameters);
}

Driven drive_new(const Model *model, const double *parameters)
{
    assert_int_equal(model->supported(), 1);
    Driven d = { .model = model,
                 .prepared = guard_new(model->prepared_bytes),
                 .parameters = guard_new(model->parameter_reals * sizeof(real)),
                 .infer = guard_new(model->infer_bytes),
                 .train = guard_new(model->train_bytes),
                 .image = guard_new(shape_count(&model->input)) };
    for (size_t i = 0; i < model->parameter_reals; i++)
        ((real *)d.parameters.data)[i] = (real)parameters[i];
    prepare(&d);
    return d;
}

void drive_set(Driven *d, int index, double value)
{
    ((real *)d->parameters.data)[index] = (real)value;
    prepare(d);
}

void drive_move(Driven *d, size_t first, size_t count, const double *values,
                const double *direction, double step)
{
    for (size_t i = first; i < first + count; i++)
        ((real *)d->parameters.data)[i] = (real)(values[i] + (direction ? direction[i] * step : 0));
    prepare(d);
}

void drive_free(Driven *d)
{
    guard_free(&d->prepared);
    guard_free(&d->parameters);
    guard_free(&d->infer);
    guard_free(&d->train);
    guard_free(&d->image);
}

static double *as_doubles(const Guarded *block)
{
    size_t n = block->bytes / sizeof(real);
    double *values = malloc(sizeof *values * n);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = (double)((const real *)block->data)[i];
    return values;
}

static Guarded guarded_image(const Model *model, const uint8_t *image)
{
    Guarded g = guard_new(shape_count(&model->input));
    memcpy(g.data, image, g.bytes);
    return g;
}

static double *finish(Driven *d, Guarded *in, Guarded *out)
{
    double *values = as_doubles(out);
    guard_free(in);
    guard_free(out);
    guard_check(&d->infer);
    guard_check(&d->prepared);
    return values;
}

double *drive_encode(Driven *d, const uint8_t *image)
{
    Guarded in = guarded_image(d->model, image),
            out = guard_new(shape_count(&d->model->latent) * sizeof(real));
    guard_fill(&d->infer, 0xff);
    d->model->encode(d->prepared.data, in.data, out.data, d->infer.data, NULL);
    return finish(d, &in, &out);
}

double *drive_decode(Driven *d, const double *latent)
{
    Guarded in = guard_new(shape_count(&d->model->latent) * sizeof(real)),
            out = guard_new(shape_count(&d->model->output) * sizeof(real));
    for (size_t i = 0; i < in.bytes / sizeof(real); i++)
        ((real *)in.data)[i] = (real)latent[i];
    guard_fill(&d->infer, 0xff);
    d->model->decode(d->prepared.data, in.data, out.data, d->infer.data, NULL);
    return finish(d, &in, &out);
}

double *drive_reconstruct(Driven *d, const uint8_t *image)
{
    Guarded in = guarded_image(d->model, image),
            out = guard_new(shape_count(&d->model->output) * sizeof(real));
    guard_fill(&d->infer, 0xff);
    d->model->reconstruct(d->prepared.data, in.data, out.data, d->infer.data, NULL);
    return finish(d, &in, &out);
}

typedef struct Band {
    Driven *driven;
    const void *image;
    void *output;
    ModelTeam team;
    Guarded scratch;
} Band;

static void wait_for_all(void *barrier)
{
    pthread_barrier_wait(barrier);
}

static void *run_band(void *argument)
{
    Band *b = argument;
    b->driven->model->reconstruct_band(b->driven->prepared.data, b->image, b->output,
                                       b->driven->infer.data, &b->team);
    return NULL;
}

double *drive_reconstruct_by_bands(Driven *d, const uint8_t *image, int bands)
{
    Guarded in = guarded_image(d->model, image),
            out = guard_new(shape_count(&d->model->output) * sizeof(real));
    Band all[MAX_BANDS];
    pthread_t threads[MAX_BANDS];
    pthread_barrier_t barrier;
    assert_true(bands <= MAX_BANDS);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, (unsigned)bands), 0);
    guard_fill(&d->infer, 0xff);
    for (int i = 0; i < bands; i++) {
        all[i] = (Band){ d,
                         in.data,
                         out.data,
                         { i, bands, NULL, wait_for_all, &barrier },
                         guard_new(d->model->infer_bytes) };
        guard_fill(&all[i].scratch, 0xff);
        all[i].team.scratch = all[i].scratch.data;
    }
    for (int i = 0; i < bands; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_band, &all[i]), 0);
    for (int i = 0; i < bands; i++) {
        pthread_join(threads[i], NULL);
        guard_check(&all[i].scratch);
        guard_free(&all[i].scratch);
    }
    pthread_barrier_destroy(&barrier);
    return finish(d, &in, &out);
}

double drive_loss(Driven *d, const uint8_t *image)
{
    memcpy(d->image.data, image, d->image.bytes);
    guard_fill(&d->train, 0xff);
    double loss = d->model->loss(d->prepared.data, d->image.data, d->train.data);
    guard_check(&d->train);
    guard_check(&d->image);
    return loss;
}

size_t drive_loss_places(const Model *model)
{
    return model->loss_places > 0 ? (size_t)model->loss_places : 1;
}

/* Of images that have several numbers each, the first. */
static void take_losses(const Model *model, const double *all, int n, double *losses)
{
    for (int i = 0; i < n; i++)
        losses[i] = all[(size_t)i * drive_loss_places(model)];
}

double *drive_gradient(Driven *d, uint8_t *const *images, int n, const double *start,
                       double *losses)
{
    size_t count = d->model->parameter_reals;
    Guarded gradient = guard_new(count * sizeof(real)), *blocks = calloc((size_t)n, sizeof *blocks);
    const uint8_t **list = calloc((size_t)n, sizeof *list);
    Guarded all = guard_new((size_t)n * drive_loss_places(d->model) * sizeof *losses);
    assert_non_null(blocks);
    assert_non_null(list);
    for (int i = 0; i < n; i++) {
        blocks[i] = guarded_image(d->model, images[i]);
        list[i] = blocks[i].data;
    }
    for (size_t i = 0; i < count; i++)
        ((real *)gradient.data)[i] = start ? (real)start[i] : 0;
    guard_fill(&d->train, 0xff);
    d->model->backward_chunk(d->prepared.data, list, NULL, n, gradient.data, all.data,
                             d->train.data, NULL);
    take_losses(d->model, all.data, n, losses);
    guard_check(&all);
    guard_free(&all);
    double *values = as_doubles(&gradient);
    guard_check(&d->train);
    guard_check(&d->prepared);
    guard_free(&gradient);
    for (int i = 0; i < n; i++)
        guard_free(&blocks[i]);
    free(blocks);
    free(list);
    return values;
}

double relative_difference(const double *got, const double *right, size_t count)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(right[i]));
        if (!isfinite(got[i]) || !isfinite(right[i]))
            return INFINITY;
        difference = fmax(difference, fabs(got[i] - right[i]));
    }
    return difference == 0 ? 0 : difference / largest;
}

static void want_close(const char *what, double *got, const double *right, size_t count,
                       double tolerance)
{
    double difference = relative_difference(got, right, count);
    if (!(difference <= tolerance))
        fail_msg("%s differs by %.3g of its largest value", what, difference);
    free(got);
}

void check_forward(const Net *net, Driven *d, const double *parameters, const uint8_t *image,
                   double tolerance)
{
    NetValues right = net_forward(net, parameters, image);
    size_t latent = shape_count(&d->model->latent), output = shape_count(&d->model->output);
    want_close("encode", drive_encode(d, image), right.latent.data, latent, tolerance);
    if (d->model->decode)
        want_close("decode", drive_decode(d, right.latent.data), right.output.data, output,
                   tolerance);
    double *whole = drive_reconstruct(d, image);
    if (d->model->reconstruct_band) {
        double *bands = drive_reconstruct_by_bands(d, image, 3);
        if (memcmp(whole, bands, output * sizeof *whole) != 0)
            fail_msg("three bands give other bits than one");
        free(bands);
    }
    want_close("reconstruct", whole, right.output.data, output, tolerance);
    double loss = drive_loss(d, image);
    if (!(fabs(loss - right.loss) <= tolerance * right.loss))
        fail_msg("the loss is %.17g instead of %.17g", loss, right.loss);
    net_values_free(&right);
}

void check_net(const Net *net, const char *target, const char *options)
{
    if (!machine_has(target))
        skip();
    char *graph = net_graph(net), *kernels = net_options(net, options),
         *all = text_of("--target %s %s", target, kernels);
    print_message("caec %s, of %s", all, graph);
    Built built = build_model_merged(graph, all);
    int count;
    double *parameters = net_parameters(net, 7, &count);
    uint8_t *image = net_image(net, 20);
    net_check(net, built.model);
    assert_int_equal(count, built.model->parameter_reals);
    Driven driven = drive_new(built.model, parameters);
    check_forward(net, &driven, parameters, image, sizeof(real) == 8 ? 1e-12 : 1e-5);
    if (sizeof(real) == 8)
        check_gradient(net, &driven, parameters, 1e-6);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(kernels);
    free(all);
    free(parameters);
    free(image);
}

void check_net_by(const Net *net, const char *target, const char *kernel)
{
    char *options = net_force(net, kernel);
    check_net(net, target, options);
    free(options);
}
