/* conv_direct against conv_plain, the loops of the definition: latent, output, loss and every gradient of three images, summed onto numbers that were there
 * before. conv_plain itself is held against an independent sum and finite differences in ops/. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3 };

/* A convolution `in` -> `out` channels of an image height x width, behind a 1x1 convolution that makes its input, and what may stand around it. */
typedef struct Shape {
    int height, width, in, out, kernel, stride, up, pool;
    bool valid;
} Shape;

static Net net_around(const Shape *s)
{
    Net net = { .height = s->height, .width = s->width, .channels = 2 };
    int n = 0;
    net.encoder[n++] = (NetLayer){ CONV, .filters = s->in, .kernel = 1, .activation = "tanh" };
    if (s->up > 1)
        net.encoder[n++] = (NetLayer){ UP, .size = s->up };
    net.encoder[n++] = (NetLayer){ CONV, .filters = s->out, .kernel = s->kernel, .stride = s->stride, .valid = s->valid,
                                   .activation = s->pool % 2 ? "leaky_relu" : "relu" };
    if (s->pool)
        net.encoder[n++] = (NetLayer){ POOL, .size = s->pool };
    net_close(&net);
    return net;
}

typedef struct Values {
    double *latent, *output, *gradient, losses[IMAGES];
    size_t latents, outputs, gradients;
} Values;

static Values run_model(const Net *net, const char *graph, const char *options)
{
    int count;
    double *parameters = net_parameters(net, 11, &count), *start = net_parameters(net, 12, &count);
    uint8_t *images[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        images[i] = net_image(net, 40 + (unsigned)i);
    Built built = build_model(graph, options);
    const ModelShape *latent = &built.model->latent;
    Values v = { .latents = (size_t)(latent->dim[0] * latent->dim[1] * latent->dim[2]), .gradients = (size_t)count,
                 .outputs = (size_t)(net->height * net->width * net->channels) };
    Driven driven = drive_new(built.model, parameters);
    v.latent = drive_encode(&driven, images[0]);
    v.output = drive_reconstruct(&driven, images[0]);
    v.gradient = drive_gradient(&driven, images, IMAGES, start, v.losses);
    for (int i = 0; i < count; i++)             /* what was there must still be in it */
        v.gradient[i] -= (double)(real)start[i];
    drive_free(&driven);
    built_free(&built);
    for (int i = 0; i < IMAGES; i++)
        free(images[i]);
    free(parameters);
    free(start);
    return v;
}

static void values_free(Values *v)
{
    free(v->latent);
    free(v->output);
    free(v->gradient);
}

static void want(const char *what, const double *got, const double *right, size_t count, double tolerance)
{
    double difference = relative_difference(got, right, count);
    if (!(difference <= tolerance))
        fail_msg("%s differs by %.3g of its largest value", what, difference);
}

/* In float a sum of n products differs by about sqrt(n) roundings; a gradient's also by those of `start`. */
static void check_shape(const Shape *s, const char *target)
{
    if (!machine_has(target))
        skip();
    const double forward = sizeof(real) == 8 ? 1e-13 : 1e-5, backward = sizeof(real) == 8 ? 1e-12 : 2e-5;
    Net net = net_around(s);
    char *graph = net_graph(&net), *direct = text_of("--target %s", target);
    char *plain = text_of("--target %s --kernel encoder.conv1=conv_plain --kernel encoder.conv2=conv_plain --kernel decoder.conv1=conv_plain", target);
    print_message("%s: %s", direct, graph);
    Values a = run_model(&net, graph, direct), b = run_model(&net, graph, plain);
    want("the latent", a.latent, b.latent, a.latents, forward);
    want("the output", a.output, b.output, a.outputs, forward);
    want("the losses", a.losses, b.losses, IMAGES, forward);
    want("the gradient", a.gradient, b.gradient, a.gradients, backward);
    values_free(&a);
    values_free(&b);
    free(graph);
    free(direct);
    free(plain);
}

static void check_shapes(const Shape *shapes, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++)
        check_shape(&shapes[i], target);
}

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

/* Channels that are no multiple of a vector, one that is one, and ones that need several blocks. */
static const Shape channels[] = {
    { 6, 7, 3, 1, 3, 1, 1, 0, false }, { 6, 7, 1, 3, 3, 1, 1, 0, false }, { 6, 7, 2, 5, 3, 1, 1, 0, false },
    { 6, 7, 17, 17, 3, 1, 1, 0, false }, { 6, 7, 33, 16, 3, 1, 1, 0, false }, { 5, 9, 8, 33, 3, 1, 1, 0, false },
    { 4, 5, 20, 70, 2, 1, 1, 0, false },
};

static void any_number_of_channels(void **state)
{
    (void)state;
    check_shapes(channels, COUNT(channels), "x86-64-v3");
}

static void any_number_of_channels_on_avx512(void **state)
{
    (void)state;
    check_shapes(channels, COUNT(channels), "x86-64-v4");
}

/* Widths below, at and above what a tile holds, up to several tiles and a rest. */
static void any_width(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 3, 1, 5, 6, 3, 1, 1, 0, false }, { 3, 4, 5, 6, 3, 1, 1, 0, false }, { 2, 13, 5, 6, 3, 1, 1, 0, false },
        { 3, 23, 3, 8, 5, 1, 1, 0, false }, { 3, 31, 5, 17, 3, 1, 1, 0, false },
    };
    check_shapes(shapes, COUNT(shapes), "x86-64-v3");
}

static void stride_larger_than_the_kernel(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 12, 8, 5, 6, 1, 2, 1, 0, false }, { 12, 18, 5, 9, 2, 3, 1, 0, false }, { 16, 12, 3, 5, 2, 4, 1, 0, false },
        { 13, 13, 3, 5, 2, 3, 1, 0, true },
    };
    check_shapes(shapes, COUNT(shapes), "x86-64-v3");
    check_shape(&shapes[1], "c");
}

static void kernel_larger_than_the_image(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 3, 4, 3, 5, 7, 1, 1, 0, false }, { 2, 1, 3, 17, 5, 1, 1, 0, false }, { 4, 4, 3, 5, 9, 2, 1, 0, false },
    };
    check_shapes(shapes, COUNT(shapes), "x86-64-v3");
    check_shape(&shapes[0], "x86-64-v2");
}

static void upsampled_input(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 5, 4, 6, 5, 3, 1, 2, 2, false }, { 4, 5, 3, 17, 3, 1, 3, 3, false }, { 5, 6, 4, 9, 2, 2, 2, 0, false },
        { 4, 4, 4, 9, 5, 3, 3, 0, false }, { 6, 6, 4, 5, 3, 1, 2, 2, true }, { 4, 4, 4, 5, 4, 2, 3, 0, true },
    };
    check_shapes(shapes, COUNT(shapes), "x86-64-v3");
    check_shape(&shapes[1], "c");
}

/* The pool is taken in; rows and columns that fill no window get no gradient. */
static void pool_with_rows_left_over(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 8, 6, 3, 8, 3, 1, 1, 2, false }, { 9, 9, 3, 5, 3, 1, 1, 2, false }, { 8, 11, 3, 17, 3, 1, 1, 2, false },
        { 7, 11, 3, 6, 3, 1, 1, 3, false }, { 11, 11, 3, 6, 5, 2, 1, 4, false }, { 5, 5, 3, 6, 3, 1, 1, 5, false },
    };
    check_shapes(shapes, COUNT(shapes), "x86-64-v3");
    check_shape(&shapes[3], "x86-64-v2");
    check_shape(&shapes[2], "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_channels), cmocka_unit_test(any_number_of_channels_on_avx512), cmocka_unit_test(any_width),
        cmocka_unit_test(stride_larger_than_the_kernel), cmocka_unit_test(kernel_larger_than_the_image), cmocka_unit_test(upsampled_input),
        cmocka_unit_test(pool_with_rows_left_over),
    };
    return cmocka_run_group_tests_name("conv_direct", tests, NULL, NULL);
}
