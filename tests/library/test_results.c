/* The library gives what the programs' engine gives for the same network: inference, and three
   updates as the trainer makes them. */
#include "library.h"

#include "compute/clip.h"
#include "compute/groups.h"
#include "compute/optimizer.h"
#include "penalty.h"
#include "drawn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, UPDATES = 3 };

static void want_close(const char *what, const float *got, const float *right, size_t count,
                       double tolerance)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(got[i]) && isfinite(right[i]));
        largest = fmax(largest, fabs((double)right[i]));
        difference = fmax(difference, fabs((double)got[i] - (double)right[i]));
    }
    if (!(difference <= tolerance * largest))
        fail_msg("%s differs by %.3g of its largest value", what, difference / largest);
}

static void compare_inference(const Library *l, const Model *m, const float *parameters,
                              const uint8_t *image, double tolerance)
{
    void *prepared = block_new(l->prepared_bytes), *workspace = block_new(l->workspace_bytes);
    void *right_prepared = block_new(m->prepared_bytes),
         *right_workspace = block_new(m->infer_bytes);
    float *got = block_new(l->output * sizeof *got), *right = block_new(l->output * sizeof *right);
    float *latent = block_new(l->latent * sizeof *latent),
          *right_latent = block_new(l->latent * sizeof *right_latent);
    assert_int_equal(l->prepare(parameters, prepared, l->prepared_bytes), 0);
    m->prepare(parameters, right_prepared);
    assert_int_equal(l->encode(prepared, image, latent, workspace, l->workspace_bytes), 0);
    m->encode(right_prepared, image, right_latent, right_workspace, NULL);
    want_close("latent", latent, right_latent, l->latent, tolerance);
    assert_int_equal(!l->decode, !m->decode);
    if (l->decode) {
        assert_int_equal(l->decode(prepared, right_latent, got, workspace, l->workspace_bytes), 0);
        m->decode(right_prepared, right_latent, right, right_workspace, NULL);
        want_close("output of the latent", got, right, l->output, tolerance);
    }
    assert_int_equal(l->reconstruct(prepared, image, got, workspace, l->workspace_bytes), 0);
    m->reconstruct(right_prepared, image, right, right_workspace, NULL);
    want_close("output", got, right, l->output, tolerance);
    void *const blocks[] = { prepared, workspace, right_prepared, right_workspace,
                             got,      right,     latent,         right_latent };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

typedef struct Reference {
    const Model *model;
    Optimizer optimizer;
    float *parameters, *gradient;
    void *prepared, *workspace, *shared; /* shared: of groups of images */
    uint64_t drawn;
} Reference;

/* Forward and backward of a batch whose layers take statistics of several images. */
static void reference_groups(Reference *r, uint8_t *const *images, double *losses)
{
    const Model *m = r->model;
    const size_t places = (size_t)m->groups->loss_places;
    const Penalty penalty = penalty_of(m, NULL, r->parameters);
    const uint8_t *list[IMAGES];
    uint64_t noise[IMAGES];
    double all[IMAGES * MODEL_MAX_COLUMNS];
    assert_in_range(places, 1, MODEL_MAX_COLUMNS);
    for (int i = 0; i < IMAGES; i++) {
        r->drawn += UINT64_C(0x9e3779b97f4a7c15);
        noise[i] = r->drawn | 1;
        list[i] = images[i];
    }
    groups_backward(m->groups, r->prepared, list, noise, IMAGES, 1, r->gradient, all, r->shared,
                    r->workspace, NULL);
    for (size_t i = 0; i < IMAGES; i++)
        losses[i] = all[i * places] + penalty.l1 + penalty.l2;
    groups_move_statistics(m, m->groups, IMAGES, r->parameters, r->gradient);
}

/* The gradient of the images, one a chunk, and an update by their mean: runtime/train/trainer.c. */
static void reference_update(Reference *r, uint8_t *const *images, double *losses)
{
    const Model *m = r->model;
    memset(r->gradient, 0, m->parameter_reals * sizeof *r->gradient);
    m->prepare(r->parameters, r->prepared);
    const Penalty penalty = penalty_of(m, NULL, r->parameters);
    assert_in_range(m->loss_places, 0, MODEL_MAX_COLUMNS);
    if (m->groups)
        reference_groups(r, images, losses);
    for (int i = 0; !m->groups && i < IMAGES; i++) {
        r->drawn += UINT64_C(0x9e3779b97f4a7c15);
        const uint64_t noise = r->drawn | 1;
        const uint8_t *image = images[i];
        double all[MODEL_MAX_COLUMNS];
        m->backward_chunk(r->prepared, &image, &noise, 1, r->gradient, all, r->workspace, NULL);
        losses[i] = all[0] + penalty.l1 + penalty.l2;
    }
    penalty_add_gradient(m, NULL, r->parameters, IMAGES, r->gradient);
    clip_gradient(m, &m->training, r->gradient, 1.0 / IMAGES);
    optimizer_update(&r->optimizer, r->parameters, r->gradient, 1.0 / IMAGES, 1);
}

/* The losses of the library's way to take the images: one by one, or in groups of `over`, each of
   which has the mean of its images'. */
static void want_losses(const Library *l, const Model *m, void *training, uint8_t *const *images,
                        const double *losses)
{
    const int group = m->groups ? m->groups->over : 1;
    for (int at = 0; at < IMAGES; at += group) {
        const int n = IMAGES - at < group ? IMAGES - at : group;
        const uint8_t *const *list = (const uint8_t *const *)(images + at);
        double mean = 0;
        float loss;
        for (int i = 0; i < n; i++)
            mean += losses[at + i] / n;
        assert_int_equal(l->train_images ? l->train_images(training, list, n, &loss)
                                         : l->train_image(training, images[at], &loss),
                         0);
        if (!(fabs((double)loss / mean - 1) < 1e-5))
            fail_msg("image %d: loss %.9g, not %.9g", at, (double)loss, mean);
    }
}

static void compare_training(const Library *l, const Model *m, const float *start,
                             uint8_t *const *images)
{
    const size_t bytes = l->parameters * sizeof(float);
    float *parameters = block_new(bytes);
    void *training = block_new(l->train_bytes);
    Reference r = { .model = m,
                    .parameters = block_new(bytes),
                    .gradient = block_new(bytes),
                    .prepared = block_new(m->prepared_bytes),
                    .workspace = block_new(m->train_bytes),
                    .shared = block_new(m->groups ? groups_bytes(m->groups, IMAGES) : 1) };
    Error error;
    assert_int_equal(!l->train_images, !m->groups);
    assert_int_equal(optimizer_open(&r.optimizer, &m->training.optimizer, l->parameters, 0, &error),
                     0);
    memcpy(parameters, start, bytes);
    memcpy(r.parameters, start, bytes);
    assert_true(fabs(l->rate / m->training.optimizer.lr - 1) < 1e-6);
    assert_int_equal(l->train_open(parameters, training, l->train_bytes), 0);
    for (int k = 0; k < UPDATES; k++) {
        double losses[IMAGES];
        reference_update(&r, images, losses);
        want_losses(l, m, training, images, losses);
        assert_int_equal(l->update(training, l->rate), 0);
        want_close("parameters", parameters, r.parameters, l->parameters, 2e-5);
    }
    float moved = 0;
    for (size_t i = 0; i < l->parameters; i++)
        moved = fmaxf(moved, fabsf(parameters[i] - start[i]));
    assert_true(moved > 1e-4f);
    optimizer_close(&r.optimizer);
    void *const blocks[] = { parameters, training,    r.parameters, r.gradient,
                             r.prepared, r.workspace, r.shared };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* The engine has the same kernels: `forces` names those that it would not choose by itself. */
static void compare(const char *graph, const char *target, const char *options, const char *forces)
{
    char *own = text_of("--target %s %s", target, options),
         *other = text_of("--target %s %s", target, forces);
    Library l = library_load(graph, own);
    Built built = build_model_merged(graph, other);
    const Model *m = built.model;
    assert_int_equal(l.align, 64);
    assert_int_equal(l.parameters, m->parameter_reals);
    uint8_t *images[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        images[i] = block_new(l.image);
        fill_image(images[i], l.image, (unsigned)i);
    }
    float *parameters = block_new(l.parameters * sizeof *parameters);
    fill_parameters(parameters, m, 5);
    compare_inference(&l, m, parameters, images[0], 2e-6);
    if (l.train_open)
        compare_training(&l, m, parameters, images);
    for (int i = 0; i < IMAGES; i++)
        free(images[i]);
    free(parameters);
    built_free(&built);
    library_free(&l);
    free(own);
    free(other);
}

#define DENSE_PLAIN "--kernel encoder.dense1=dense_plain --kernel decoder.dense1=dense_plain"
#define DIRECT(stage_) " --kernel " stage_ "=conv_direct"

static void of_the_convolutional_one(void **state)
{
    (void)state;
    compare(net_cae, "c", "", "");
    compare(net_cae, "native", "", "");
}

static void of_little_code(void **state)
{
    (void)state;
    static const char direct[] = DIRECT("encoder.conv1") DIRECT("encoder.conv2")
        DIRECT("decoder.conv1") DIRECT("decoder.conv2");
    compare(net_cae, "c", "--optimize size", direct);
    compare(net_cae, "native", "--optimize size", direct);
}

static void of_dense_layers(void **state)
{
    (void)state;
    compare(net_dense, "c", "", DENSE_PLAIN);
    compare(net_dense, "native", "", DENSE_PLAIN);
}

static void of_branches(void **state)
{
    (void)state;
    compare(net_branches, "c", "", "");
    compare(net_branches, "native", "", "");
}

static void of_tied_layers(void **state)
{
    (void)state;
    compare(net_tied, "c", "", DENSE_PLAIN);
    compare(net_tied, "native", "", DENSE_PLAIN);
}

static void of_noise(void **state)
{
    (void)state;
    compare(net_noise, "c", "", "");
    compare(net_noise, "native", "", "");
}

static void of_norms_and_entropy(void **state)
{
    (void)state;
    compare(net_norm, "c", "", "");
    compare(net_norm, "native", "", "");
    compare(net_bce, "native", "", "");
}

/* Groups of 2 and 1 of the three images; what the layers draw, too, is by the image. */
static void of_statistics_of_images(void **state)
{
    (void)state;
    compare(net_grouped, "c", "", "");
    compare(net_grouped, "native", "", "");
}

static void of_curved_activations(void **state)
{
    (void)state;
    compare(net_curved, "c", "", "");
    compare(net_curved, "native", "", "");
}

/* Operators of reals on the image's own pixels: a group_norm, whose gamma and beta learn from them,
   and a pool, which hands no gradient on; after it pools of every kind. */
static void of_layers_that_read_pixels(void **state)
{
    (void)state;
    static const char norm[] = NET(
        12, 16, 4,
        "group_norm { groups = 2 }, conv2d { filters = 8, kernel = 3, activation = \"tanh\" }, "
        "max_pool2d { size = 2 },",
        "upsample2d { size = 2 }, conv2d { filters = 4, kernel = 3 },",
        "loss = \"mse\", optimizer = adam {}");
    static const char pool[] = NET(
        12, 16, 3,
        "max_pool2d { size = 2 }, softplus {}, conv2d { filters = 8, kernel = 3, activation = "
        "\"elu\" }, max_pool2d { size = 3, stride = 1, padding = \"same\" }, avg_pool2d { size = { "
        "2, 3 }, stride = 1, padding = { 0, 1, 1, 1 } }, global_max_pool2d {}, multiply { with = "
        "\"encoder.pool3\" },",
        "upsample2d { size = 2 }, conv2d { filters = 3, kernel = 3 },",
        "loss = \"mse\", optimizer = adam {}");
    compare(norm, "c", "", "");
    compare(pool, "native", "", "");
    compare(pool, "c", "--optimize size", "");
}

/* Trained in stages by the programs: the library trains the whole, and says so. */
static void of_stages(void **state)
{
    (void)state;
    static const char graph[] = NET(
        16, 16, 3,
        "conv2d { filters = 8, kernel = 3, activation = \"elu\" }, max_pool2d { size = 2 }, conv2d "
        "{ filters = 8, kernel = 3, activation = \"elu\" },"
        "max_pool2d { size = 2 },",
        "conv2d { filters = 8, kernel = 3, activation = \"elu\" }, upsample2d { size = 2 }, conv2d "
        "{ filters = 3, kernel = 3 }, upsample2d { size = 2 },",
        "loss = \"mse\", optimizer = adam {} }, stages = { { encoder = \"pool1\", decoder = "
        "\"conv2\", epochs = 1 }, { epochs = 2 }");
    compare(graph, "native", "", "");
    char *folder = library_write(graph, ""), *path = text_of("%s/net/net.h", folder),
         *text = file_read(path, NULL);
    assert_non_null(strstr(text, "the whole network is trained"));
    free(text);
    free(path);
    folder_remove(folder);
}

/* By rows in another order of sums; training has packings of its own then. */
static void with_a_stream(void **state)
{
    (void)state;
    static const char direct[] = DIRECT("encoder.conv1") DIRECT("encoder.conv2")
        DIRECT("decoder.conv1") DIRECT("decoder.conv2"),
                      rows[] = "--stream",
                      tied[] = NET(
                          12, 20, 3,
                          "conv2d { filters = 17, kernel = 3, activation = \"relu\" }, conv2d { "
                          "filters = 6, kernel = { 4, 2 }, stride = 2, activation = \"tanh\" },",
                          "conv2d_transpose { filters = 17, kernel = { 4, 2 }, activation = "
                          "\"elu\", tied = \"encoder.conv2\" }, conv2d_transpose { filters = 3, "
                          "kernel = 3, stride = 1, tied = \"encoder.conv1\" },",
                          "loss = \"mse\"");
    char *options = text_of("%s %s", rows, direct);
    compare(net_cae, "c", options, direct);
    compare(net_cae, "native", options, direct);
    compare(net_noise, "native", rows, "");
    compare(tied, "c", rows, "");
    compare(tied, "native", rows, "");
    free(options);
}

/* The smallest limit that caec names for the library. */
static size_t smallest_limit(const char *graph)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result refused = run_caec(folder, "net.lua -o . --emit library --memory-limit 1K");
    want_exit(&refused, 1);
    const char *number = strstr(refused.err, "works is ");
    assert_non_null(number);
    const size_t limit = strtoul(number + strlen("works is "), NULL, 10);
    result_free(&refused);
    free(path);
    folder_remove(folder);
    return limit;
}

/* Three updates of three images each, in the library's own way. To be freed. */
static float *trained(const Library *l, const float *start, uint8_t *const *images)
{
    float *parameters = block_new(l->parameters * sizeof *parameters), loss;
    void *training = block_new(l->train_bytes);
    memcpy(parameters, start, l->parameters * sizeof *parameters);
    assert_int_equal(l->train_open(parameters, training, l->train_bytes), 0);
    for (int k = 0; k < UPDATES; k++) {
        for (int i = 0; i < IMAGES; i++)
            assert_int_equal(l->train_image(training, images[i], &loss), 0);
        assert_int_equal(l->update(training, l->rate), 0);
    }
    free(training);
    return parameters;
}

/* In the least memory: what was dropped is computed again, and other kernels take less; the updates
   are the ordinary library's. */
static void compare_limited(const char *graph)
{
    const size_t limit = smallest_limit(graph);
    char *options = text_of("--memory-limit %zu", limit);
    Library plain = library_load(graph, ""), limited = library_load(graph, options);
    const size_t taken = limited.train_bytes + limited.parameters * sizeof(float);
    print_message("training takes %zu bytes, %zu without a limit\n", taken,
                  plain.train_bytes + plain.parameters * sizeof(float));
    assert_int_equal(taken, limit);
    assert_true(limited.train_bytes < plain.train_bytes);
    uint8_t *images[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        images[i] = block_new(plain.image);
        fill_image(images[i], plain.image, (unsigned)i);
    }
    float *start = block_new(plain.parameters * sizeof *start);
    for (size_t i = 0; i < plain.parameters; i++)
        start[i] = (float)(0.4 * drawn(3, i) - 0.18);
    float *right = trained(&plain, start, images), *got = trained(&limited, start, images);
    assert_memory_not_equal(right, start, plain.parameters * sizeof *start);
    want_close("parameters", got, right, plain.parameters, 2e-5);
    for (int i = 0; i < IMAGES; i++)
        free(images[i]);
    void *const blocks[] = { options, start, right, got };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    library_free(&plain);
    library_free(&limited);
}

static void within_a_limit(void **state)
{
    (void)state;
    compare_limited(net_cae);
    compare_limited(net_branches);
    compare_limited(net_tied);
    compare_limited(net_noise);
}

static void without_training(void **state)
{
    (void)state;
    compare(net_cae, "native", "--no-training", "");
    compare(net_noise, "native", "--no-training --optimize size",
            DIRECT("encoder.conv1") DIRECT("encoder.conv2") DIRECT("decoder.deconv1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_convolutional_one),
        cmocka_unit_test(of_little_code),
        cmocka_unit_test(of_dense_layers),
        cmocka_unit_test(of_branches),
        cmocka_unit_test(of_tied_layers),
        cmocka_unit_test(of_noise),
        cmocka_unit_test(of_norms_and_entropy),
        cmocka_unit_test(of_statistics_of_images),
        cmocka_unit_test(of_curved_activations),
        cmocka_unit_test(of_layers_that_read_pixels),
        cmocka_unit_test(of_stages),
        cmocka_unit_test(with_a_stream),
        cmocka_unit_test(within_a_limit),
        cmocka_unit_test(without_training),
    };
    return cmocka_run_group_tests_name("library results", tests, NULL, NULL);
}
