/* `NET-train verify` where gradients are 0 by the mathematics: a norm of each channel takes away
 * what the bias before it adds. The reference is made here, by the operators' definitions (naive.h)
 * and differences; its gradients of the bias are what float64 leaves of 0 in other frameworks, and
 * Adam makes steps of them. A wrong gradient, however small, must still be found. */
#define _POSIX_C_SOURCE 200809L
#include "build.h"
#include "cases.h"
#include "files.h"
#include "formats/safetensors.h"
#include "naive.h"
#include "process.h"
#include "rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 6, COLOURS = 2, FEATURES = 4, BATCH = 2, STEPS = 3 };
enum {
    IMAGE = SIDE * SIDE * COLOURS,
    LATENT = SIDE * SIDE * FEATURES,
    KERNEL = 9 * COLOURS * FEATURES
};
enum {
    K1 = 0,
    B1 = K1 + KERNEL,
    GAMMA = B1 + FEATURES,
    BETA = GAMMA + FEATURES,
    K2 = BETA + FEATURES,
    B2 = K2 + KERNEL,
    REALS = B2 + COLOURS
};

static const char graph[] =
    "return autoencoder \"net\" { input = { 6, 6, 2 },\n"
    "  encoder = sequential \"encoder\" { conv2d { filters = 4, kernel = 3 }, group_norm { groups "
    "= 4 }, tanh {} },\n"
    "  decoder = sequential \"decoder\" { conv2d { filters = 2, kernel = 3 } } }\n";

static const struct Parameter {
    const char *name;
    int offset, count, rank, dim[4];
} parameters[] = {
    { "encoder.conv1.kernel", K1, KERNEL, 4, { 3, 3, COLOURS, FEATURES } },
    { "encoder.conv1.bias", B1, FEATURES, 1, { FEATURES } },
    { "encoder.norm1.gamma", GAMMA, FEATURES, 1, { FEATURES } },
    { "encoder.norm1.beta", BETA, FEATURES, 1, { FEATURES } },
    { "decoder.conv1.kernel", K2, KERNEL, 4, { 3, 3, FEATURES, COLOURS } },
    { "decoder.conv1.bias", B2, COLOURS, 1, { COLOURS } },
};
enum {
    PARAMETERS = sizeof parameters / sizeof parameters[0],
    ITEMS = 4 + PARAMETERS * (STEPS + 2)
};

static double input[BATCH * IMAGE], latent[BATCH * LATENT], output[BATCH * IMAGE],
    losses[STEPS + 1], weights[STEPS + 1][REALS], gradient[REALS];

/* The batch's mean squared error; fills latent and output. */
static double forward(const double *w)
{
    double sum = 0;
    for (int b = 0; b < BATCH; b++) {
        const Image x = { SIDE, SIDE, COLOURS, input + b * IMAGE };
        Image conv = naive_conv2d(&x, w + K1, w + B1, FEATURES, 3, 1, true);
        Image norm = naive_group_norm(&conv, w + GAMMA, w + BETA, FEATURES, 1e-3);
        naive_activation(&norm, "tanh", 0);
        Image y = naive_conv2d(&norm, w + K2, w + B2, COLOURS, 3, 1, true);
        sum += naive_loss("mse", &y, &x);
        memcpy(latent + b * LATENT, norm.data, LATENT * sizeof *latent);
        memcpy(output + b * IMAGE, y.data, IMAGE * sizeof *output);
        image_free(&conv);
        image_free(&norm);
        image_free(&y);
    }
    return sum / BATCH;
}

static double loss_at(const double *w, int i, double by)
{
    double moved[REALS];
    memcpy(moved, w, sizeof moved);
    moved[i] += by;
    return forward(moved);
}

/* Differences of fourth order. Of the bias float64 leaves noise about a rounding of the other
   gradients, which no difference shows. */
static void differentiate(const double *w, double *g)
{
    const double h = 1e-3;
    for (int i = 0; i < REALS; i++)
        g[i] = (8 * (loss_at(w, i, h) - loss_at(w, i, -h))
                - (loss_at(w, i, 2 * h) - loss_at(w, i, -2 * h)))
               / (12 * h);
    for (int i = B1; i < B1 + FEATURES; i++) {
        assert_true(fabs(g[i]) < 1e-11);
        g[i] = (i % 2 ? 1 : -1) * 1e-18 * (1 + i - B1);
    }
}

static void train(void)
{
    double m[REALS] = { 0 }, v[REALS] = { 0 }, g[REALS];
    for (int t = 1; t <= STEPS; t++) {
        differentiate(weights[t - 1], g);
        if (t == 1)
            memcpy(gradient, g, sizeof g);
        losses[t - 1] = forward(weights[t - 1]);
        for (int i = 0; i < REALS; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            weights[t][i] = weights[t - 1][i]
                            - 1e-3 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)) * m[i]
                                  / (sqrt(v[i]) + 1e-7);
        }
    }
    losses[STEPS] = forward(weights[STEPS]);
    forward(weights[0]);
}

static SafetensorsItem items[ITEMS];
static char names[ITEMS][64];
static int item_count;

static void add(const char *prefix, const char *name, const double *values, int rank,
                const int *dim)
{
    snprintf(names[item_count], sizeof names[0], "%s%s", prefix, name);
    items[item_count] = (SafetensorsItem){
        .name = names[item_count], .type = SAFETENSORS_F64, .rank = rank, .values = values
    };
    for (int i = 0; i < rank; i++)
        items[item_count].shape[i] = dim[i];
    item_count++;
}

static void add_parameters(const char *prefix, const double *values)
{
    for (int i = 0; i < PARAMETERS; i++)
        add(prefix, parameters[i].name, values + parameters[i].offset, parameters[i].rank,
            parameters[i].dim);
}

static char *folder, *program, *reference;

static int make(void **state)
{
    (void)state;
    uint64_t rng = 5;
    for (int i = 0; i < BATCH * IMAGE; i++)
        input[i] = (float)(rng_below(&rng, 256) / 255.0);
    for (int i = 0; i < REALS; i++)
        weights[0][i] = i >= B1 && i < GAMMA     ? 0
                        : i >= GAMMA && i < BETA ? 1
                                                 : (float)(rng_uniform(&rng) / 2);
    train();
    add("", "input", input, 4, (int[]){ BATCH, SIDE, SIDE, COLOURS });
    add("", "latent", latent, 4, (int[]){ BATCH, SIDE, SIDE, FEATURES });
    add("", "output", output, 4, (int[]){ BATCH, SIDE, SIDE, COLOURS });
    add("", "loss", losses, 1, (int[]){ STEPS + 1 });
    add_parameters("grad/", gradient);
    for (int t = 0; t <= STEPS; t++)
        add_parameters((char[]){ 's', 't', 'e', 'p', (char)('0' + t), '/', 0 }, weights[t]);
    folder = folder_new();
    reference = text_of("%s/reference.safetensors", folder);
    char *flags = text_of(
        "-Wno-unknown-pragmas %s/compute/clip.c %s/compute/finite.c %s/compute/groups.c "
        "%s/compute/optimizer.c %s/compute/peak.c %s %s -fopenmp -ljpeg -lpng -lz "
        "-ljansson -lpthread",
        runtime_folder(), runtime_folder(), runtime_folder(), runtime_folder(), runtime_folder(),
        TEST_RUNTIME_LIBRARY, TEST_SANITIZE);
    char *main_source = text_of("%s/main_train.c", runtime_folder());
    program = build_program(graph, "--target c", main_source, flags, folder);
    free(main_source);
    free(flags);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    free(program);
    free(reference);
    folder_remove(folder);
    return 0;
}

static Result verify(int exit_code)
{
    char message[800];
    if (safetensors_write(reference, items, item_count, NULL, NULL, 0, message, sizeof message)
        != 0)
        fail_msg("%s", message);
    Result result = run(NULL, "%s verify %s", program, reference);
    if (result.exit_code != exit_code)
        print_message("%s", result.out);
    want_exit(&result, exit_code);
    return result;
}

static void noise_is_no_mistake(void **state)
{
    (void)state;
    Result result = verify(0);
    assert_non_null(strstr(result.out, "ok: all 27 tensors are within bounds"));
    assert_non_null(
        strstr(result.out, "within what rounding leaves of the network's largest gradient"));
    result_free(&result);
}

static double largest_of(const double *values, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* One value is off; that row alone may fail. */
static void want_found(const char *row, double *value, double by)
{
    const double kept = *value;
    *value += by;
    Result result = verify(1);
    *value = kept;
    const char *line = strstr(result.out, row), *verdict = line ? strstr(line, "FAIL") : NULL;
    if (!verdict || verdict > strchr(line, '\n') || !strstr(result.out, "FAIL: 1 of 27"))
        fail_msg("%s off by %g: %s", row, by, result.out);
    result_free(&result);
}

static void mistakes_are_found(void **state)
{
    (void)state;
    const double largest = largest_of(gradient, REALS),
                 small = largest_of(gradient + BETA, FEATURES);
    /* of the largest gradient there is */
    const double least = sizeof(real) == sizeof(float) ? 1e-4 : 1e-11;
    assert_true(small > 0 && small < largest);
    want_found("grad/encoder.conv1.bias", &gradient[B1 + 1], least * largest);
    want_found("grad/encoder.norm1.beta", &gradient[BETA], 1e-2 * small);
    want_found("grad/decoder.conv1.kernel", &gradient[K2 + 5], 1e-2 * largest);
    want_found("step2/encoder.conv1.bias", &weights[2][B1],
               sizeof(real) == sizeof(float) ? 1e-2 : 1e-8);
    want_found("step1/encoder.norm1.beta", &weights[1][BETA], 1e-3);
    want_found("step3/decoder.conv1.kernel", &weights[3][K2 + 7], 5e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(noise_is_no_mistake),
                                        cmocka_unit_test(mistakes_are_found) };
    return cmocka_run_group_tests_name("reference zero", tests, make, clean);
}
