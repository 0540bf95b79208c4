/* depthwise against conv_plain, at sizes around its blocks: channels around a vector, columns
   around a tile and a group, kernels on both sides of what has a line a tap; and that it is what is
   chosen. */
#include "build.h"
#include "cases.h"
#include "compare.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Running {
    Built built;
    Driven driven;
} Running;

static Running run_by(const Net *net, const char *kernel, const char *target,
                      const double *parameters)
{
    char *graph = net_graph(net), *force = net_force(net, kernel),
         *options = text_of("--target %s %s", target, force);
    Running running = { .built = build_model_merged(graph, options) };
    running.driven = drive_new(running.built.model, parameters);
    free(graph);
    free(force);
    free(options);
    return running;
}

/* Steps of depthwise layers; the convolutions around them may be by conv_plain too. */
static int steps_by(const Model *model, const char *kernel)
{
    int steps = 0;
    for (int i = 0; i < model->train_step_count; i++)
        steps += strstr(model->train_steps[i].layer, ".dwconv") != NULL
                 && strcmp(model->train_steps[i].kernel, kernel) == 0;
    return steps;
}

static void want_same(const char *what, const double *got, const double *wanted, int count)
{
    double difference = relative_difference(got, wanted, (size_t)count);
    if (!(difference <= (sizeof(real) == 8 ? 1e-13 : 2e-5)))
        fail_msg("%s differs by %.3g of its largest value", what, difference);
}

/* Output and gradients of one image. */
static void compare(const Net *net, Running *fast, Running *plain, int parameters)
{
    uint8_t *image = net_image(net, 5);
    double loss;
    double *a = drive_reconstruct(&fast->driven, image),
           *b = drive_reconstruct(&plain->driven, image);
    want_same("the output", a, b, net->height * net->width * net->channels);
    free(a);
    free(b);
    a = drive_gradient(&fast->driven, &image, 1, NULL, &loss);
    b = drive_gradient(&plain->driven, &image, 1, NULL, &loss);
    want_same("the gradient", a, b, parameters);
    free(a);
    free(b);
    free(image);
}

static void check(Net net, const char *target, int steps)
{
    if (!machine_has(target))
        skip();
    int count;
    double *parameters = net_parameters(&net, 3, &count);
    Running plain = run_by(&net, "conv_plain", target, parameters),
            fast = run_by(&net, "depthwise", target, parameters);
    assert_int_equal(steps_by(fast.built.model, "depthwise"), steps);
    assert_int_equal(steps_by(fast.built.model, "conv_plain"), 0);
    assert_int_equal(steps_by(plain.built.model, "depthwise"), 0);
    compare(&net, &fast, &plain, count);
    drive_free(&plain.driven);
    built_free(&plain.built);
    drive_free(&fast.driven);
    built_free(&fast.built);
    free(parameters);
}

/* Two depthwise layers between two convolutions: the pair computes dX and dW in one step each. */
static Net between(int height, int width, int channels, NetLayer first, NetLayer second)
{
    Net net = { .height = height,
                .width = width,
                .channels = 2,
                .encoder = { { CONV, .filters = channels, .kernel = 1 }, first, second } };
    net_close(&net);
    return net;
}

/* Back to the image from whatever size. */
static void close_densely(Net *net)
{
    net->decoder[0] = (NetLayer){ .kind = FLATTEN };
    net->decoder[1] = (NetLayer){ DENSE, .units = net->height * net->width * net->channels };
    net->decoder[2] = (NetLayer){ RESHAPE, .shape = { net->height, net->width, net->channels } };
}

/* The same pair where their padding brings no size that net_close() could double. */
static Net before_dense(int height, int width, int channels, NetLayer first, NetLayer second)
{
    Net net = { .height = height,
                .width = width,
                .channels = 2,
                .encoder = { { CONV, .filters = channels, .kernel = 1 }, first, second } };
    close_densely(&net);
    return net;
}

static NetLayer square(int kernel, int stride, const char *activation)
{
    return (NetLayer){ DEPTHWISE, .kernel = kernel, .stride = stride, .activation = activation };
}

static void channels_around_a_vector(void **state)
{
    (void)state;
    static const int channels[] = { 1, 7, 8, 17 };
    for (int i = 0; i < 4; i += sizeof(real) == 8 ? 1 : 3)
        check(between(6, 10, channels[i], square(3, 1, "relu"), square(5, 2, "tanh")), "x86-64-v3",
              4);
}

/* Columns below, at and above a tile, and of several. */
static void widths_around_a_tile(void **state)
{
    (void)state;
    static const int widths[] = { 3, 8, 9, 27 };
    for (int i = 0; i < 4; i += sizeof(real) == 8 ? 1 : 2)
        check(between(5, widths[i], 5, square(5, 1, "relu6"), square(3, 1, NULL)), "x86-64-v3", 4);
}

static void with_avx512(void **state)
{
    (void)state;
    check(between(9, 20, 19, square(3, 2, "relu"), square(5, 1, "hard_swish")), "x86-64-v4", 4);
    /* two rows of dX at once, from the gradient as it lies and from a ring, the last row alone */
    check(between(7, 18, 35, square(3, 1, NULL), square(5, 1, "relu")), "x86-64-v4", 4);
    check(between(6, 9, 5, square(3, 1, "relu6"), square(3, 1, NULL)), "x86-64-v4", 4);
}

static void long_kernels_and_many_filters(void **state)
{
    (void)state;
    NetLayer wide = { DEPTHWISE, .kernel = 2, .kernel_w = 23, .activation = "tanh" },
             many = { DEPTHWISE, .kernel = 3, .multiplier = 3, .dilation = 2, .stride = 2 };
    check(between(8, 14, 3, wide, many), "x86-64-v3", 4);
    check(between(8, 14, 3, many, wide), "c", 4);
}

/* Strides, where dW takes the rows of the input one by one: rows of the kernel that are a multiple
   of the stride, one more and one fewer; strides that differ; padding on all sides, on two, on
   none; images whose last rows no window sees; a vector's lanes filled and not. */
static void strides_and_padding(void **state)
{
    (void)state;
    NetLayer valid = { DEPTHWISE, .kernel = 5, .stride = 3, .valid = true, .activation = "relu" },
             flat = { DEPTHWISE, .kernel = 4, .kernel_w = 3, .stride = 2, .stride_w = 1 },
             above = { DEPTHWISE, .kernel = 4, .stride = 2, .padded = true, .pad = { 3, 0, 0, 2 } },
             below = { DEPTHWISE, .kernel = 3, .stride = 2, .padded = true, .pad = { 0, 2, 2, 0 } },
             tall = { DEPTHWISE, .kernel = 7, .kernel_w = 1, .stride = 3, .activation = "tanh" };
    check(before_dense(15, 38, 11, valid, flat), "x86-64-v3", 4);
    check(before_dense(11, 19, 8, above, below), "x86-64-v3", 4);
    check(before_dense(13, 9, 17, below, tall), "x86-64-v3", 4);
    check(before_dense(14, 21, 3, tall, square(3, 2, NULL)), "c", 4);
}

/* The same where a pool leaves rows out, where rows of the gradient come through an activation,
   and where no dX is asked for: of the image itself. */
static void strides_and_pools(void **state)
{
    (void)state;
    Net net = { .height = 17,
                .width = 35,
                .channels = 3,
                .encoder = { { DEPTHWISE, .kernel = 5, .stride = 2, .activation = "relu" },
                             { POOL, .size = 2 },
                             { CONV, .filters = 9, .kernel = 1 },
                             { DEPTHWISE, .kernel = 3, .stride = 2, .multiplier = 2 } } };
    close_densely(&net);
    check(net, "x86-64-v3", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_around_a_vector),
        cmocka_unit_test(widths_around_a_tile),
        cmocka_unit_test(with_avx512),
        cmocka_unit_test(long_kernels_and_many_filters),
        cmocka_unit_test(strides_and_padding),
        cmocka_unit_test(strides_and_pools),
    };
    return cmocka_run_group_tests_name("depthwise", tests, NULL, NULL);
}
