#include "compare.h"

#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3 };

static Net net_around(const LineCase *line, bool black)
{
    const ConvCase *s = &line->conv;
    /* with vectors, and without */
    static const char *const activations[] = { "relu", "leaky_relu", "elu" };
    Net net = { .height = s->height, .width = s->width, .channels = s->in ? 2 : 3 };
    int n = 0;
    if (s->in)
        net.encoder[n++] = (NetLayer){ CONV, .filters = s->in, .kernel = 1, .activation = "tanh",
                                       .no_bias = black };
    if (s->up > 1)
        net.encoder[n++] = (NetLayer){ UP, .size = s->up };
    net.encoder[n++] = (NetLayer){ CONV,
                                   .filters = s->out,
                                   .kernel = s->kernel,
                                   .stride = s->stride,
                                   .kernel_w = line->kernel_w,
                                   .stride_w = line->stride_w,
                                   .dilation = line->dilation_w > 0,
                                   .dilation_w = line->dilation_w,
                                   .valid = s->valid,
                                   .no_bias = black,
                                   .activation = activations[(s->height + s->width) % 3] };
    if (s->pool)
        net.encoder[n++] = (NetLayer){ POOL, .size = s->pool };
    net_close(&net);
    return net;
}

typedef struct Values {
    double *latent, *output, *gradient, losses[IMAGES];
    size_t latents, outputs, gradients;
} Values;

/* Blackens all but a part in the middle that begins and ends at odd places, and one pixel near a
   corner. */
static void blacken(const Net *net, uint8_t *image)
{
    const int top = net->height / 3 | 1, left = net->width / 3 | 1;
    for (int y = 0; y < net->height; y++)
        for (int x = 0; x < net->width; x++)
            if ((y < top || y > net->height - 4 || x < left || x > net->width - 3)
                && !(y == 1 && x == 2))
                memset(image + (y * net->width + x) * net->channels, 0, (size_t)net->channels);
}

/* One image's work, shared by three threads, leaves the same bits. */
static void want_same_by_bands(Driven *driven, const uint8_t *image, const Values *v)
{
    double *output = drive_reconstruct_by_bands(driven, image, 3);
    assert_memory_equal(output, v->output, v->outputs * sizeof *output);
    free(output);
}

static Values run_model(const Net *net, const char *graph, const char *options, bool black,
                        Built (*build)(const char *graph, const char *options))
{
    int count;
    double *parameters = net_parameters(net, 11, &count), *start = net_parameters(net, 12, &count);
    uint8_t *images[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        images[i] = net_image(net, 40 + (unsigned)i);
    for (int i = 0; i < IMAGES && black; i++)
        blacken(net, images[i]);
    Built built = build(graph, options);
    const ModelShape *latent = &built.model->latent;
    Values v = { .latents = (size_t)(latent->dim[0] * latent->dim[1] * latent->dim[2]),
                 .gradients = (size_t)count,
                 .outputs = (size_t)(net->height * net->width * net->channels) };
    Driven driven = drive_new(built.model, parameters);
    v.latent = drive_encode(&driven, images[0]);
    v.output = drive_reconstruct(&driven, images[0]);
    if (net->height == 1)
        want_same_by_bands(&driven, images[0], &v);
    v.gradient = drive_gradient(&driven, images, IMAGES, start, v.losses);
    for (int i = 0; i < count; i++) /* what was there must still be in it */
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

static void want(const char *what, const double *got, const double *right, size_t count,
                 double tolerance)
{
    double difference = relative_difference(got, right, count);
    if (!(difference <= tolerance))
        fail_msg("%s differs by %.3g of its largest value", what, difference);
}

static void want_zeros(const Values *got, const Values *right)
{
    size_t zeros = 0;
    for (size_t i = 0; i < right->latents; i++) {
        if (right->latent[i] == 0 && got->latent[i] != 0)
            fail_msg("value %zu of the latent is %.3g instead of exactly 0", i, got->latent[i]);
        zeros += right->latent[i] == 0;
    }
    assert_true(zeros * 8 > right->latents);
}

/* `fast` and `plain`: the options of both. */
static void compare_builds(const Net *net, const char *fast, const char *plain, Tolerance tolerance,
                           bool black)
{
    char *graph = net_graph(net);
    print_message("%s: %s", fast, graph);
    Values a = run_model(net, graph, fast, black, build_model_merged),
           b = run_model(net, graph, plain, black, build_model_unoptimized);
    want("the latent", a.latent, b.latent, a.latents, tolerance.forward);
    want("the output", a.output, b.output, a.outputs, tolerance.forward);
    want("the losses", a.losses, b.losses, IMAGES, tolerance.forward);
    want("the gradient", a.gradient, b.gradient, a.gradients, tolerance.backward);
    if (black)
        want_zeros(&a, &b);
    values_free(&a);
    values_free(&b);
    free(graph);
}

static void compare(const LineCase *line, const char *target, const char *kernel,
                    Tolerance tolerance, bool black)
{
    const ConvCase *s = &line->conv;
    Net net = net_around(line, black);
    char *all = net_force(&net, "conv_plain"), *plain = text_of("--target %s%s", target, all);
    const char *others = s->in ? "--kernel encoder.conv1=conv_plain" : "";
    char *fast = text_of(
        "--target %s --kernel encoder.conv%d=%s --kernel decoder.conv1=conv_plain %s", target,
        s->in ? 2 : 1, kernel, others);
    compare_builds(&net, fast, plain, tolerance, black);
    free(all);
    free(fast);
    free(plain);
}

void compare_net_with_plain(const Net *net, const char *target, const char *kernel,
                            Tolerance tolerance)
{
    if (!machine_has(target))
        skip();
    char *forced = net_force(net, kernel), *all = net_force(net, "conv_plain");
    char *fast = text_of("--target %s%s", target, forced),
         *plain = text_of("--target %s%s", target, all);
    compare_builds(net, fast, plain, tolerance, false);
    free(forced);
    free(all);
    free(fast);
    free(plain);
}

static void compare_all(const ConvCase *cases, size_t count, const char *target, const char *kernel,
                        Tolerance tolerance, bool black)
{
    if (!machine_has(target))
        skip();
    /* compiling takes most of the time; the shapes are the same in either type */
    const size_t step = sizeof(real) == 8 ? 1 : 2;
    for (size_t i = 0; i < count; i += step)
        compare(&(LineCase){ .conv = cases[i] }, target, kernel, tolerance, black);
}

void compare_with_plain(const ConvCase *cases, size_t count, const char *target, const char *kernel,
                        Tolerance tolerance)
{
    compare_all(cases, count, target, kernel, tolerance, false);
}

void compare_lines_with_plain(const LineCase *cases, size_t count, const char *target,
                              const char *kernel, Tolerance tolerance)
{
    if (!machine_has(target))
        skip();
    for (size_t i = 0; i < count; i++)
        compare(&cases[i], target, kernel, tolerance, false);
}

void compare_in_black_borders(const ConvCase *cases, size_t count, const char *target,
                              const char *kernel, Tolerance tolerance)
{
    compare_all(cases, count, target, kernel, tolerance, true);
}
