#include "libraries.h"

#include "../library/library.h"
#include "groups.h"
#include "limits.h"
#include "rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 2 };
static const float rate = 1048576; /* an update's step is then longer than the parameters by far */
static const double tolerance =
    1e-3; /* of float against double, where group_norm may divide by next to nothing */

/* ---- options ---- */

static bool compiles(const char *graph, const char *options)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --emit library --stop-after plan %s", options);
    bool refused = result.exit_code == 1
                   || (result.exit_code == 2 && strstr(result.err, " does not compute "));
    if (!refused)
        want_exit(&result, 0);
    result_free(&result);
    free(path);
    folder_remove(folder);
    return !refused;
}

/* The convolutions of a depthwise or separable layer likewise; both fit. */
static char *force_depthwise(char *options, const NetPlace *place, uint64_t *state)
{
    const bool separable = place->layer->kind == SEPARABLE, plain = rng_chance(state, 50);
    char *depthwise = text_of("%s --kernel %s%s=%s", options, place->name,
                              separable ? ".depthwise" : "", plain ? "conv_plain" : "depthwise"),
         *all = text_of("%s%s%s%s", depthwise, separable ? " --kernel " : "",
                        separable ? place->name : "", separable ? ".pointwise=conv_direct" : "");
    free(options);
    free(depthwise);
    return all;
}

/* Every convolution and dense layer by a kernel drawn among those that fit it. */
static char *force_all(const Net *net, const char *graph, const char *target, uint64_t *state)
{
    static const char *const kernels[] = { "conv_plain", "conv_direct", "conv_winograd",
                                           "conv_thin" };
    NetPlace places[NET_PLACES];
    int count = net_places(net, places);
    char *options = text_of("--target %s", target);
    for (int i = 0; i < count; i++) {
        LayerKind kind = places[i].layer->kind;
        if (kind == DEPTHWISE || kind == SEPARABLE)
            options = force_depthwise(options, &places[i], state);
        for (int tries = 0; kind == CONV || kind == DECONV || kind == DENSE; tries++) {
            const char *kernel = kind == DENSE ? "dense_plain"
                                               : kernels[tries < 4 ? rng_below(state, 4) : 0];
            char *more = text_of("%s --kernel %s=%s", options, places[i].name, kernel);
            bool fits = compiles(graph, more);
            free(fits ? options : more);
            options = fits ? more : options;
            if (fits)
                break;
            assert_true(tries < 4);
        }
    }
    return options;
}

/* ---- what a library computes ---- */

static float *parameters_of(const Library *l, const double *values)
{
    float *parameters = block_new(l->parameters * sizeof *parameters);
    for (size_t i = 0; i < l->parameters; i++)
        parameters[i] = (float)values[i];
    return parameters;
}

static void want_near(const char *what, const float *got, const Image *right)
{
    double largest = 0, difference = 0;
    const size_t count = (size_t)right->height * (size_t)right->width * (size_t)right->channels;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(right->data[i]));
        difference = fmax(difference, isfinite(got[i]) ? fabs(got[i] - right->data[i]) : HUGE_VAL);
    }
    if (!(difference <= tolerance * largest))
        fail_msg("the library's %s differs by %.3g of its largest value", what,
                 difference / largest);
}

static void check_inference(const Net *net, const Library *l, const double *values,
                            const uint8_t *pixels)
{
    float *parameters = parameters_of(l, values), *latent = block_new(l->latent * sizeof *latent),
          *output = block_new(l->output * sizeof *output);
    void *prepared = block_new(l->prepared_bytes), *workspace = block_new(l->workspace_bytes);
    uint8_t *image = block_new(l->image);
    memcpy(image, pixels, l->image);
    NetValues right = net_forward(net, values, image);
    assert_int_equal(l->prepare(parameters, prepared, l->prepared_bytes), 0);
    assert_int_equal(l->encode(prepared, image, latent, workspace, l->workspace_bytes), 0);
    want_near("latent", latent, &right.latent);
    memset(workspace, 0xff, l->workspace_bytes);
    assert_int_equal(l->reconstruct(prepared, image, output, workspace, l->workspace_bytes), 0);
    want_near("output", output, &right.output);
    net_values_free(&right);
    void *const blocks[] = { parameters, latent, output, prepared, workspace, image };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

static bool draws_noise(const Net *net)
{
    NetPlace places[NET_PLACES];
    const int count = net_places(net, places);
    for (int i = 0; i < count; i++)
        if (places[i].layer->kind == SAMPLE
            || ((places[i].layer->kind == NOISE || places[i].layer->kind == DROP)
                && places[i].layer->rate > 0))
            return true;
    return false;
}

/* What training by n images that are a group, or one that is none, says of their losses; what the
   group has seen of statistics is added to `seen`. */
static void want_loss(const Net *net, const double *values, uint8_t *const *images, int n,
                      double loss, double *seen)
{
    int count;
    double losses[IMAGES], mean = 0, *of_group = net_parameters(net, 1, &count);
    net_train_group(net, values, images, n, losses, of_group);
    for (int i = 0; i < count; i++)
        seen[i] += of_group[i];
    free(of_group);
    for (int i = 0; i < n; i++)
        mean += losses[i] / n;
    if (!(fabs(loss - mean) <= tolerance * mean))
        fail_msg("the library's loss is %.9g instead of %.9g", loss, mean);
}

/* After an update: statistics moved towards the mean of what so many groups have seen. */
static void want_statistics(const Net *net, const Library *l, const double *values,
                            const float *after, const double *seen, int groups)
{
    double *momenta = net_momenta(net);
    for (size_t i = 0; i < l->parameters; i++) {
        const double right = momenta[i] * values[i] + (1 - momenta[i]) * seen[i] / groups;
        if (momenta[i] >= 0 && !(fabs(after[i] - right) <= tolerance * fmax(1, fabs(right))))
            fail_msg("the library takes statistic %zu to %.9g instead of %.9g", i, (double)after[i],
                     right);
    }
    free(momenta);
}

/* The parameters after an update by the images; to be freed. */
static float *train(const Net *net, const Library *l, const double *values, uint8_t *const *images)
{
    const int group = l->train_images && groups_of(net) != 1 ? IMAGES : 1;
    const bool noisy = draws_noise(net); /* which the naive operators do not */
    assert_int_equal(!l->train_images, !groups_of(net));
    float *parameters = parameters_of(l, values), loss;
    double *seen = calloc(l->parameters, sizeof *seen);
    void *training = block_new(l->train_bytes);
    assert_non_null(seen);
    assert_int_equal(l->train_open(parameters, training, l->train_bytes), 0);
    for (int at = 0; at < IMAGES; at += group) {
        const uint8_t *const *list = (const uint8_t *const *)images + at;
        assert_int_equal(l->train_images ? l->train_images(training, list, group, &loss)
                                         : l->train_image(training, images[at], &loss),
                         0);
        if (!noisy)
            want_loss(net, values, images + at, group, (double)loss, seen);
    }
    assert_int_equal(l->update(training, rate), 0);
    if (!noisy)
        want_statistics(net, l, values, parameters, seen, IMAGES / group);
    free(training);
    free(seen);
    return parameters;
}

static void compare(const Net *net, const Library *ordinary, const Library *limited)
{
    int count;
    double *values = net_parameters(net, 7, &count);
    uint8_t *images[IMAGES] = { net_image(net, 20), net_image(net, 31) };
    assert_int_equal(ordinary->parameters, count);
    assert_int_equal(limited->parameters, count);
    for (int i = 0; i < count; i++)
        values[i] = (float)values[i];
    check_inference(net, ordinary, values, images[0]);
    check_inference(net, limited, values, images[0]);
    float *right = train(net, ordinary, values, images), *got = train(net, limited, values, images);
    for (int i = 0; i < count; i++)
        if (!isfinite(got[i]) || got[i] != right[i])
            fail_msg("within the limit, parameter %d becomes %.9g, not %.9g", i, (double)got[i],
                     (double)right[i]);
    free(right);
    free(got);
    free(values);
    free(images[0]);
    free(images[1]);
}

bool check_libraries(const Net *net, const char *target, uint64_t *state, char **text,
                     char **options)
{
    Net plain = *net;
    plain.training = "optimizer = sgd { lr = 1 }";
    char *graph = net_graph(&plain), *forced = force_all(&plain, graph, target, state);
    char *rows = text_of("--emit library %s --stream", forced),
         *whole = text_of("--emit library %s", forced);
    bool stream = compiles(graph, rows) && rng_chance(state, 60);
    size_t limit = draw_limit(graph, stream ? rows : whole, state);
    free(*text);
    free(*options);
    *text = graph;
    *options = text_of("%s --memory-limit %zu", stream ? rows : whole, limit);
    Library ordinary = library_load(graph, forced), limited = library_load(graph, *options);
    compare(&plain, &ordinary, &limited);
    library_free(&ordinary);
    library_free(&limited);
    free(forced);
    free(rows);
    free(whole);
    return stream;
}
