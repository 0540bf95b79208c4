/* gaussian_noise and dropout: nothing in inference and without a number; with one, what their
 * formulas say, gradients that are those of the very losses drawn, and the statistics that their
 * names promise. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const Net nets[] = {
    /* first, between convolution and pool, around the latent, before the loss */
    { .height = 8,
      .width = 6,
      .channels = 3,
      .encoder = { { NOISE, .rate = 0.1 },
                   { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                   { POOL, .size = 2 } },
      .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh" }, { UP, .size = 2 } } },
    { .height = 8,
      .width = 6,
      .channels = 3,
      .encoder = { { DROP, .rate = 0.25 },
                   { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                   { DROP, .rate = 0.5 },
                   { POOL, .size = 2 },
                   { NOISE, .rate = 0.2 } },
      .decoder = { { DROP, .rate = 0.1 },
                   { UP, .size = 2 },
                   { CONV, .filters = 3, .kernel = 3 },
                   { NOISE, .rate = 0.3 } } },
    { .height = 6,
      .width = 4,
      .channels = 1, /* after it an operator that takes no pixels */
      .encoder = { { NOISE, .rate = 0.1 },
                   { ACT, .activation = "tanh" },
                   { CONV, .filters = 4, .kernel = 3, .activation = "elu" } },
      .decoder = { { DROP, .rate = 0.3 },
                   { DROP, .rate = 0.3 },
                   { CONV, .filters = 1, .kernel = 3, .activation = "sigmoid" } } },
    /* two readers of an activation: the drawn values and inference */
    { .height = 4,
      .width = 4,
      .channels = 3,
      .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                   { NOISE, .rate = 0.1 },
                   { UP, .size = 2 },
                   { CONV, .filters = 4, .kernel = 3, .stride = 2, .activation = "tanh" } },
      .decoder = { { CONV, .filters = 3, .kernel = 3 } } },
    /* among dense layers, which take several images at once; before and after a view */
    { .height = 6,
      .width = 4,
      .channels = 1,
      .encoder = { { NOISE, .rate = 0.1 },
                   { FLATTEN },
                   { DENSE, .units = 12, .activation = "tanh" },
                   { DROP, .rate = 0.3 } },
      .decoder = { { NOISE, .rate = 0.2 },
                   { DENSE, .units = 24, .activation = "elu" },
                   { DROP, .rate = 0.1 },
                   { RESHAPE, .shape = { 6, 4, 1 } },
                   { NOISE, .rate = 0.1 },
                   { CONV, .filters = 1, .kernel = 3 } } },
    /* read by several, which take no pixels; the latent, and the decoder reads it twice */
    { .height = 6,
      .width = 4,
      .channels = 1,
      .encoder = { { NOISE, .rate = 0.1 },
                   { CONV, .filters = 3, .kernel = 3, .activation = "tanh" },
                   { CONCAT, .with = "encoder.noise1" },
                   { CONV, .filters = 4, .kernel = 3, .activation = "elu" },
                   { DROP, .rate = 0.2 } },
      .decoder = { { ADD, .with = "encoder.dropout1" },
                   { CONV, .filters = 1, .kernel = 3 },
                   { ADD, .with = "encoder.noise1" } } },
    /* the places of a pool after it are others in training */
    { .height = 6,
      .width = 4,
      .channels = 1,
      .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "relu" },
                   { DROP, .rate = 0.3 },
                   { NOISE, .rate = 0.1 },
                   { POOL, .size = 2 },
                   { CONV, .filters = 4, .kernel = 3 } },
      .decoder = { { UNPOOL, .with = "encoder.pool1" }, { CONV, .filters = 1, .kernel = 3 } } },
    /* read by several, through views and among dense layers */
    { .height = 6,
      .width = 4,
      .channels = 1,
      .encoder = { { NOISE, .rate = 0.1 },
                   { FLATTEN },
                   { DENSE, .units = 24, .activation = "tanh" },
                   { ADD, .with = "encoder.flatten1" },
                   { DROP, .rate = 0.2 } },
      .decoder = { { DENSE, .units = 12, .activation = "elu" },
                   { CONCAT, .with = "encoder.flatten1 encoder.dropout1" },
                   { DENSE, .units = 24 },
                   { RESHAPE, .shape = { 6, 4, 1 } },
                   { ADD, .with = "encoder.noise1" } } },
};

static void nothing_without_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nets); i++) {
        check_net(&nets[i], "x86-64-v3", "");
        check_net_by(&nets[i], "c", "conv_plain");
    }
}

/* ---- with numbers ---- */

static Built build_plain(const Net *net, const char *graph)
{
    char *kernels = net_force(net, "conv_plain"), *options = text_of("--target c%s", kernels);
    Built built = build_model_merged(graph, options);
    free(kernels);
    free(options);
    return built;
}

static void gradients_of_what_is_drawn(void **state)
{
    (void)state;
    if (sizeof(real) == 4)
        skip();
    for (size_t i = 0; i < COUNT(nets); i++) {
        int count;
        char *graph = net_graph(&nets[i]);
        Built built = build_plain(&nets[i], graph);
        double *parameters = net_parameters(&nets[i], 5, &count);
        Model drawing = drawing_model(built.model);
        Driven driven = drive_new(&drawing, parameters);
        check_gradient(&nets[i], &driven, parameters, 1e-6);
        uint8_t *image = net_image(&nets[i], 31);
        double drawn = drive_loss(&driven, image);
        driven.model = built.model;
        assert_true(fabs(drawn - drive_loss(&driven, image)) > 1e-3 * drawn);
        drive_free(&driven);
        built_free(&built);
        free(image);
        free(graph);
        free(parameters);
    }
}

/* ---- by formula ---- */

/* A net that gives back its input as the layers leave it: two 1x1 convolutions of weight 1. `side`
   along both sides, one channel. */
static Built echo(const char *layers, int side)
{
    char *graph = text_of(
        "return autoencoder \"net\" { input = { %d, %d, 1 }, encoder = sequential \"encoder\" { %s "
        "conv2d { filters = 1, kernel = 1 } "
        "}, decoder = sequential \"decoder\" { conv2d { filters = 1, kernel = 1 } } }\n",
        side, side, layers);
    Built built = build_model_merged(graph, "--target c");
    free(graph);
    return built;
}

typedef struct Drawn {
    double loss, mean; /* mean squared difference from the image; mean difference */
} Drawn;

static Drawn draw(const Model *model, void *workspace, const uint8_t *image, uint64_t number)
{
    static const real parameters[] = { 1, 0, 1, 0 };
    _Alignas(64) static real prepared[256];
    real gradient[4] = { 0 };
    Drawn drawn;
    assert_true(model->prepared_bytes <= sizeof prepared && model->parameter_reals == 4);
    model->prepare(parameters, prepared);
    model->backward_chunk(prepared, &image, &number, 1, gradient, &drawn.loss, workspace, NULL);
    drawn.mean = (double)gradient[3] / 2; /* of the last bias: the mean of 2 (y - target) */
    return drawn;
}

static uint32_t finalise(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint32_t bits_at(uint32_t i, uint64_t number, uint32_t layer)
{
    uint32_t once = finalise(i * 0x9e3779b9u + (uint32_t)number);
    return finalise(once + (uint32_t)(number >> 32) + layer * 0xc2b2ae3du);
}

static double normal_of(uint32_t bits)
{
    double share = ((bits >> 8) + 0.5) / 16777216, low = -8, high = 8;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / sqrt(2)) / 2 < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static void noise_by_its_formula(void **state)
{
    (void)state;
    enum { SIDE = 6 };
    static const uint64_t numbers[] = { 1, 0x0123456789abcdefu, 0xffffffffffffffffu,
                                        (uint64_t)1 << 63 };
    uint8_t image[SIDE * SIDE] = { 0 };
    Built built = echo("gaussian_noise { stddev = 0.5 }, gaussian_noise { stddev = 0.25 },", SIDE);
    void *workspace = aligned_alloc(64, (built.model->train_bytes + 63) / 64 * 64);
    for (size_t k = 0; k < COUNT(numbers); k++) {
        double sum = 0, squares = 0;
        for (uint32_t i = 0; i < SIDE * SIDE; i++) {
            double v = 0.5 * normal_of(bits_at(i, numbers[k], 1))
                       + 0.25 * normal_of(bits_at(i, numbers[k], 2));
            sum += v;
            squares += v * v;
        }
        Drawn drawn = draw(built.model, workspace, image, numbers[k]);
        assert_true(fabs(drawn.mean - sum / (SIDE * SIDE)) < 2e-6);
        assert_true(fabs(drawn.loss - squares / (SIDE * SIDE)) < 4e-6);
    }
    free(workspace);
    built_free(&built);
}

/* Single values for many numbers, and many values for few: mean, variance, fourth moment and median
   of the magnitude within five deviations. */
static void noise_is_normal(void **state)
{
    (void)state;
    enum { NUMBERS = 40000 };
    const uint8_t image = 128;
    double sum = 0, squares = 0, fourth = 0, below = 0;
    Built built = echo("gaussian_noise { stddev = 1 },", 1);
    void *workspace = aligned_alloc(64, (built.model->train_bytes + 63) / 64 * 64);
    for (uint64_t k = 1; k <= NUMBERS; k++) {
        Drawn drawn = draw(built.model, workspace, &image, k);
        sum += drawn.mean;
        squares += drawn.loss;
        fourth += drawn.loss * drawn.loss;
        below += drawn.loss < 0.6744897501960817 * 0.6744897501960817;
    }
    assert_true(fabs(sum / NUMBERS) < 5 / sqrt(NUMBERS));
    assert_true(fabs(squares / NUMBERS - 1) < 5 * sqrt(2.0 / NUMBERS));
    assert_true(fabs(fourth / NUMBERS - 3) < 5 * sqrt(96.0 / NUMBERS));
    assert_true(fabs(below / NUMBERS - 0.5) < 2.5 / sqrt(NUMBERS));
    free(workspace);
    built_free(&built);

    enum { SIDE = 200, FEW = 5 };
    static uint8_t large[SIDE * SIDE];
    built = echo("gaussian_noise { stddev = 0.25 },", SIDE);
    workspace = aligned_alloc(64, (built.model->train_bytes + 63) / 64 * 64);
    sum = squares = 0;
    for (uint64_t k = 1; k <= FEW; k++) {
        Drawn drawn = draw(built.model, workspace, large, k << 32);
        sum += drawn.mean / FEW;
        squares += drawn.loss / FEW;
    }
    const double n = FEW * SIDE * SIDE;
    assert_true(fabs(sum) < 5 * 0.25 / sqrt(n));
    assert_true(fabs(squares / (0.25 * 0.25) - 1) < 5 * sqrt(2 / n));
    free(workspace);
    built_free(&built);
}

/* White pictures: what is dropped differs by 1, what is kept by 1 / (1 - rate) - 1. */
static void dropout_by_its_formula(void **state)
{
    (void)state;
    enum { SIDE = 12, N = SIDE * SIDE, NUMBERS = 400 };
    const double rate = 0.3, kept = 1 / (1 - rate) - 1;
    uint8_t image[N];
    double all = 0;
    memset(image, 255, sizeof image);
    Built built = echo("dropout { rate = 0.3 },", SIDE);
    void *workspace = aligned_alloc(64, (built.model->train_bytes + 63) / 64 * 64);
    for (uint64_t k = 1; k <= NUMBERS; k++) {
        uint64_t number = k * 0x9e3779b97f4a7c15u | 1;
        int dropped = 0;
        for (uint32_t i = 0; i < N; i++)
            dropped += bits_at(i, number, 1) < (uint32_t)(rate * 4294967296.0);
        Drawn drawn = draw(built.model, workspace, image, number);
        assert_true(fabs(drawn.loss - (dropped + (N - dropped) * kept * kept) / N) < 1e-5);
        assert_true(fabs(drawn.mean - ((N - dropped) * kept - dropped) / N) < 1e-5);
        all += dropped;
    }
    assert_true(fabs(all / (N * NUMBERS) - rate) < 5 * sqrt(rate * (1 - rate) / (N * NUMBERS)));
    free(workspace);
    built_free(&built);
}

static void check_places(const Net *net, int n)
{
    int count;
    char *graph = net_graph(net);
    double *parameters = net_parameters(net, 5, &count), forth[DRAWING_IMAGES],
           back[DRAWING_IMAGES];
    uint8_t *images[DRAWING_IMAGES], *reversed[DRAWING_IMAGES];
    for (int i = 0; i < n; i++)
        images[i] = reversed[n - 1 - i] = net_image(net, (unsigned)i + 1);
    Built built = build_plain(net, graph);
    Model drawing = drawing_model(built.model);
    Driven driven = drive_new(&drawing, parameters);
    free(drive_gradient(&driven, images, n, NULL, forth));
    free(drive_gradient(&driven, reversed, n, NULL, back));
    for (int i = 0; i < n; i++) {
        assert_true(forth[i] == back[n - 1 - i]);
        free(images[i]);
    }
    drive_free(&driven);
    built_free(&built);
    free(parameters);
    free(graph);
}

/* An image's loss depends on its number, not on its place in a chunk. */
static void the_place_in_a_chunk_does_not_matter(void **state)
{
    (void)state;
    check_places(&nets[1], 3);
    check_places(&nets[COUNT(nets) - 1], DRAWING_IMAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_without_a_number),
        cmocka_unit_test(gradients_of_what_is_drawn),
        cmocka_unit_test(noise_by_its_formula),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(dropout_by_its_formula),
        cmocka_unit_test(the_place_in_a_chunk_does_not_matter),
    };
    return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
