/* batch_norm: training by groups of images against naive loops, its gradient against differences of
   the group's losses, what an update makes of the statistics, and inference by these. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include "compute/groups.h"
#include "drawn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 5, WIDTH = 7, CHANNELS = 2, FEATURES = 5, BYTES = HEIGHT * WIDTH * CHANNELS };
enum { MOST = 7 }; /* images of a batch */

static const double eps[2] = { 0.01, 1e-3 }, momentum[2] = { 0.9, 0.25 };

/* Two convolutions with a batch_norm each; `over`: what stands in the graph. */
static Built build_net(const char *over, const char *target)
{
    char *graph = text_of(
        "return autoencoder \"net\" { input = { %d, %d, %d },\n"
        "encoder = sequential \"encoder\" { conv2d { filters = %d, kernel = 3, use_bias = false }, "
        "batch_norm { eps = 0.01, momentum = 0.9, over = %s }, tanh {} },\n"
        "decoder = sequential \"decoder\" { conv2d { filters = %d, kernel = 3 }, "
        "batch_norm { momentum = 0.25, over = %s } }, training = { batch = %d } }\n",
        HEIGHT, WIDTH, CHANNELS, FEATURES, over, CHANNELS, over, MOST);
    char *options = text_of("--target %s", target);
    Built built = build_model_merged(graph, options);
    assert_true(built.model->groups && !built.model->backward_chunk);
    free(options);
    free(graph);
    return built;
}

typedef struct Setting {
    Built built;
    const Model *model;
    Driven driven;
    double *parameters;
    uint8_t pixels[MOST][BYTES];
    const uint8_t *images[MOST];
} Setting;

static void begin(Setting *s, Built built)
{
    s->built = built;
    s->model = built.model;
    s->parameters = calloc(s->model->parameter_reals, sizeof *s->parameters);
    assert_non_null(s->parameters);
    for (int k = 0; k < s->model->parameter_count; k++) {
        const ModelParameter *p = &s->model->parameters[k];
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            s->parameters[i] = (double)(real)(p->fill + drawn(3, i) - 0.5);
    }
    for (int i = 0; i < MOST; i++) {
        for (size_t k = 0; k < BYTES; k++)
            s->pixels[i][k] = drawn_pixel((unsigned)i, k);
        s->images[i] = s->pixels[i];
    }
    s->driven = drive_new(s->model, s->parameters);
}

static void end(Setting *s)
{
    drive_free(&s->driven);
    free(s->parameters);
    built_free(&s->built);
}

/* In `chunk` images a call; the gradient, to be freed. */
static double *run_groups(Setting *s, const uint8_t *const *images, int n, int chunk,
                          double *losses)
{
    const size_t count = s->model->parameter_reals;
    Guarded gradient = guard_new(count * sizeof(real)),
            shared = guard_new(groups_bytes(s->model->groups, n));
    guard_fill(&gradient, 0);
    guard_fill(&s->driven.train, 0xff);
    groups_backward(s->model->groups, s->driven.prepared.data, images, NULL, n, chunk,
                    gradient.data, losses, shared.data, s->driven.train.data, NULL);
    guard_check(&s->driven.train);
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)((const real *)gradient.data)[i];
    guard_free(&shared);
    guard_free(&gradient);
    return values;
}

/* ---- by naive loops ---- */

static const double *tensor(const Setting *s, const char *name)
{
    for (int k = 0; k < s->model->parameter_count; k++)
        if (strcmp(s->model->parameters[k].name, name) == 0)
            return s->parameters + s->model->parameters[k].offset;
    fail_msg("no parameter is called %s", name);
    return NULL;
}

/* Mean and biased variance of a channel over all pixels of the images. */
static void statistics_of(const Image *images, int n, int channel, double *mean, double *variance)
{
    const double count = n * HEIGHT * WIDTH;
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < HEIGHT * WIDTH; k++)
            sum += images[i].data[k * images[i].channels + channel];
    *mean = sum / count;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < HEIGHT * WIDTH; k++) {
            const double d = images[i].data[k * images[i].channels + channel] - *mean;
            squares += d * d;
        }
    *variance = squares / count;
}

/* What a network's two layers have seen of their channels. */
typedef struct Seen {
    double mean[2][FEATURES], variance[2][FEATURES];
} Seen;

static void normalise(const Setting *s, Image *images, int n, int layer, const Seen *seen)
{
    const double *gamma = tensor(s, layer ? "decoder.bn1.gamma" : "encoder.bn1.gamma"),
                 *beta = tensor(s, layer ? "decoder.bn1.beta" : "encoder.bn1.beta");
    for (int i = 0; i < n; i++)
        for (int k = 0; k < HEIGHT * WIDTH * images[i].channels; k++) {
            const int c = k % images[i].channels;
            double *x = &images[i].data[k];
            *x = gamma[c] * (*x - seen->mean[layer][c])
                     / sqrt(seen->variance[layer][c] + eps[layer])
                 + beta[c];
        }
}

static double squared_error(const Image *output, const uint8_t *image)
{
    double sum = 0;
    for (int k = 0; k < BYTES; k++) {
        const double d = output->data[k] - (double)((float)image[k] / 255);
        sum += d * d;
    }
    return sum / BYTES;
}

/* The losses of images; training: by the statistics of the images, which `seen` gets, else by those
   that it has. */
static void naive_losses(const Setting *s, const uint8_t *const *images, int n, bool training,
                         Seen *seen, double *losses)
{
    Image values[MOST];
    for (int i = 0; i < n; i++) {
        values[i] = image_new(HEIGHT, WIDTH, CHANNELS);
        for (int k = 0; k < BYTES; k++)
            values[i].data[k] = (double)((float)images[i][k] / 255);
    }
    for (int layer = 0; layer < 2; layer++) {
        const int filters = layer ? CHANNELS : FEATURES;
        for (int i = 0; i < n; i++) {
            Image x = naive_conv2d(
                &values[i], tensor(s, layer ? "decoder.conv1.kernel" : "encoder.conv1.kernel"),
                layer ? tensor(s, "decoder.conv1.bias") : NULL, filters, 3, 1, true);
            image_free(&values[i]);
            values[i] = x;
        }
        for (int c = 0; training && c < filters; c++)
            statistics_of(values, n, c, &seen->mean[layer][c], &seen->variance[layer][c]);
        normalise(s, values, n, layer, seen);
        for (int i = 0; layer == 0 && i < n; i++)
            naive_activation(&values[i], "tanh", 0);
    }
    for (int i = 0; i < n; i++) {
        losses[i] = squared_error(&values[i], images[i]);
        image_free(&values[i]);
    }
}

/* ---- training ---- */

static void want_equal(const char *what, const double *got, const double *right, size_t count,
                       double tolerance)
{
    const double difference = relative_difference(got, right, count);
    if (!(difference <= tolerance))
        fail_msg("%s: differs by %.3g of the largest", what, difference);
}

static double close_by(void)
{
    return sizeof(real) == sizeof(double) ? 1e-12 : 1e-5;
}

static bool is_statistic(const Model *model, int k)
{
    return model->groups->momenta[k] >= 0;
}

/* The mean of what the groups have seen of a channel. */
static double mean_seen(const Seen *seen, int groups, int layer, int kind, size_t channel)
{
    double sum = 0;
    for (int g = 0; g < groups; g++)
        sum += kind ? seen[g].variance[layer][channel] : seen[g].mean[layer][channel];
    return sum / groups;
}

/* Of one layer, after an update: moved towards what the groups have seen, and nothing of it left in
   the gradient. kind: 0 mean, 1 variance. */
static void check_statistic(const Setting *s, int layer, int kind, const Seen *seen, int groups,
                            const real *left)
{
    char *name = text_of("%s.bn1.moving_%s", layer ? "decoder" : "encoder",
                         kind ? "variance" : "mean");
    const size_t first = (size_t)(tensor(s, name) - s->parameters),
                 channels = layer ? CHANNELS : FEATURES;
    double moved[FEATURES], got[FEATURES];
    for (size_t c = 0; c < channels; c++) {
        moved[c] = momentum[layer] * s->parameters[first + c]
                   + (1 - momentum[layer]) * mean_seen(seen, groups, layer, kind, c);
        got[c] = (double)((const real *)s->driven.parameters.data)[first + c];
        assert_true(left[first + c] == 0);
    }
    want_equal(name, got, moved, channels, close_by());
    free(name);
}

/* `seen` by so many groups of a batch of n; all else, and its gradient, is left alone. */
static void check_update(Setting *s, int n, const double *gradient, const Seen *seen, int groups)
{
    const size_t count = s->model->parameter_reals;
    real *parameters = s->driven.parameters.data, *left = calloc(count, sizeof *left);
    assert_non_null(left);
    for (size_t i = 0; i < count; i++)
        left[i] = (real)gradient[i];
    groups_move_statistics(s->model, s->model->groups, n, parameters, left);
    for (int layer = 0; layer < 2; layer++)
        for (int kind = 0; kind < 2; kind++)
            check_statistic(s, layer, kind, seen, groups, left);
    for (int k = 0; k < s->model->parameter_count; k++) {
        const ModelParameter *p = &s->model->parameters[k];
        for (size_t i = p->offset; !is_statistic(s->model, k) && i < p->offset + p->count; i++)
            assert_true(left[i] == (real)gradient[i] && parameters[i] == (real)s->parameters[i]);
    }
    free(left);
}

/* Losses of a batch of n images in groups of `over`, and the statistics that they move. */
static void check_batch(const char *over, int group, int n, const char *target)
{
    Setting s;
    double losses[MOST], right[MOST];
    Seen seen[MOST];
    int groups = 0;
    begin(&s, build_net(over, target));
    double *gradient = run_groups(&s, s.images, n, 2, losses);
    for (int at = 0; at < n; at += group, groups++)
        naive_losses(&s, s.images + at, n - at < group ? n - at : group, true, &seen[groups],
                     right + at);
    want_equal("losses", losses, right, (size_t)n, close_by());
    assert_int_equal(groups_count(s.model->groups, n), groups);
    check_update(&s, n, gradient, seen, groups);
    free(gradient);
    end(&s);
}

static void losses_and_statistics(void **state)
{
    (void)state;
    check_batch("\"batch\"", MOST, MOST, "c");
    check_batch("\"batch\"", MOST, 4, "x86-64-v3");
    check_batch("3", 3, MOST, "x86-64-v3"); /* 3, 3, 1 */
    check_batch("3", 3, 2, "c");            /* none is whole */
}

/* One image is a group: its statistics are those of its pixels. */
static void over_one_image(void **state)
{
    (void)state;
    check_batch("1", 1, 3, "c");
}

static double sum_of_losses(Setting *s, int n)
{
    double losses[MOST], sum = 0;
    free(run_groups(s, s->images, n, n, losses));
    for (int i = 0; i < n; i++)
        sum += losses[i];
    return sum;
}

static double difference_at(Setting *s, size_t i, int n)
{
    const double step = 1e-5;
    drive_set(&s->driven, (int)i, s->parameters[i] + step);
    const double above = sum_of_losses(s, n);
    drive_set(&s->driven, (int)i, s->parameters[i] - step);
    const double below = sum_of_losses(s, n);
    drive_set(&s->driven, (int)i, s->parameters[i]);
    return (above - below) / (2 * step);
}

/* Of every number that is trained, or of so many of each tensor. What has no gradient, a bias or a
   beta that the next batch_norm takes away, has next to none here. */
static void check_differences(Setting *s, int n, size_t most)
{
    double losses[MOST], *gradient = run_groups(s, s->images, n, 2, losses), largest = 0;
    int looked = 0;
    for (int k = 0; k < s->model->parameter_count; k++) {
        const ModelParameter *p = &s->model->parameters[k];
        for (size_t i = p->offset; !is_statistic(s->model, k) && i < p->offset + p->count; i++)
            largest = fmax(largest, fabs(gradient[i]));
    }
    assert_true(largest > 0.1);
    for (int k = 0; k < s->model->parameter_count; k++) {
        const ModelParameter *p = &s->model->parameters[k];
        const size_t every = p->count > most ? p->count / most | 1 : 1;
        for (size_t i = p->offset; !is_statistic(s->model, k) && i < p->offset + p->count;
             i += every, looked++) {
            const double slope = difference_at(s, i, n);
            if (!(fabs(slope - gradient[i]) <= 1e-7 * largest))
                fail_msg("%s at %zu: %.12g, by differences %.12g", p->name, i - p->offset,
                         gradient[i], slope);
        }
    }
    assert_true(looked > 50);
    free(gradient);
}

static void gradients_by_differences(void **state)
{
    (void)state;
    if (sizeof(real) == sizeof(float))
        skip();
    const char *const overs[] = { "\"batch\"", "3" };
    for (int i = 0; i < 2; i++) {
        Setting s;
        begin(&s, build_net(overs[i], i ? "x86-64-v3" : "c"));
        check_differences(&s, 5, 25);
        end(&s);
    }
}

/* With other layers between, which a kernel may take in, and with dense ones, which take a group at
   once; by fours. */
static void gradients_among_other_layers(void **state)
{
    (void)state;
    if (sizeof(real) == sizeof(float))
        skip();
    static const char *const layers[] = {
        "encoder = sequential \"encoder\" { batch_norm { over = 4 }, conv2d { filters = 8, kernel "
        "= 3 }, batch_norm { over = 4, name = \"norm\" }, silu {}, dropout { rate = 0.3 }, conv2d "
        "{ filters = 2, kernel = 1 }, add { with = \"input\" }, batch_norm { over = 4 } }, decoder "
        "= sequential \"decoder\" { conv2d { filters = 4, kernel = 3, activation = \"tanh\" }, "
        "batch_norm { over = 4 }, concat { with = \"encoder.norm\" }, conv2d { filters = 2, kernel "
        "= 3 } }",
        "encoder = sequential \"encoder\" { flatten {}, dense { units = 6 }, batch_norm { over = 4 "
        "}, elu {} }, decoder = sequential \"decoder\" { dense { units = 70 }, batch_norm { over = "
        "4 }, reshape { shape = { 5, 7, 2 } }, conv2d { filters = 2, kernel = 3 }, batch_norm { "
        "over = 4 } }",
    };
    for (int i = 0; i < 2; i++) {
        Setting s;
        char *graph = text_of(
            "return autoencoder \"net\" { input = { %d, %d, %d }, %s, training = { batch = %d } }",
            HEIGHT, WIDTH, CHANNELS, layers[i], MOST);
        begin(&s, build_model_merged(graph, i ? "--target x86-64-v3" : "--target c"));
        assert_int_equal(s.model->microbatch > 1, i);
        check_differences(&s, 6, 12);
        end(&s);
        free(graph);
    }
}

/* Groups know nothing of each other. */
static void groups_add_up(void **state)
{
    (void)state;
    enum { OVER = 3 };
    Setting s;
    begin(&s, build_net("3", "c"));
    const size_t count = s.model->parameter_reals;
    double losses[MOST], alone[MOST], *gradient = run_groups(&s, s.images, MOST, 2, losses),
                                      *sum = calloc(count, sizeof *sum);
    assert_non_null(sum);
    for (int at = 0; at < MOST; at += OVER) {
        const int n = MOST - at < OVER ? MOST - at : OVER;
        double *part = run_groups(&s, s.images + at, n, n, alone + at);
        for (size_t i = 0; i < count; i++)
            sum[i] += part[i];
        free(part);
    }
    assert_memory_equal(losses, alone, sizeof losses);
    want_equal("gradient", gradient, sum, count, sizeof(real) == sizeof(double) ? 1e-14 : 1e-6);
    free(gradient);
    free(sum);
    end(&s);
}

/* ---- inference ---- */

static void inference_by_moving_statistics(void **state)
{
    (void)state;
    static const char *const targets[] = { "c", "x86-64-v3" };
    for (int t = 0; t < 2; t++) {
        Setting s;
        Seen moving;
        begin(&s, build_net("\"batch\"", targets[t]));
        for (int c = 0; c < FEATURES; c++) {
            moving.mean[0][c] = tensor(&s, "encoder.bn1.moving_mean")[c];
            moving.variance[0][c] = tensor(&s, "encoder.bn1.moving_variance")[c];
        }
        for (int c = 0; c < CHANNELS; c++) {
            moving.mean[1][c] = tensor(&s, "decoder.bn1.moving_mean")[c];
            moving.variance[1][c] = tensor(&s, "decoder.bn1.moving_variance")[c];
        }
        for (int i = 0; i < 2; i++) {
            double right, loss = drive_loss(&s.driven, s.images[i]),
                          *output = drive_reconstruct(&s.driven, s.images[i]);
            const Image image = { HEIGHT, WIDTH, CHANNELS, output };
            naive_losses(&s, s.images + i, 1, false, &moving, &right);
            assert_true(fabs(loss - right) <= close_by() * right);
            assert_true(fabs(squared_error(&image, s.images[i]) - right) <= close_by() * right);
            free(output);
        }
        end(&s);
    }
}

/* gamma and the moving variance start at 1, beta and the moving mean at 0, and updates are for
   gamma and beta alone. */
static void starts_as_the_plain_normalisation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double fill, momentum;
    } right[] = { { "encoder.bn1.gamma", 1, -1 },
                  { "encoder.bn1.beta", 0, -1 },
                  { "encoder.bn1.moving_mean", 0, 0.9 },
                  { "encoder.bn1.moving_variance", 1, 0.9 } };
    Built built = build_net("3", "c");
    const Model *m = built.model;
    assert_int_equal(m->groups->over, 3);
    assert_non_null(m->trains);
    for (int k = 0; k < 4; k++) {
        const ModelParameter *p = &m->parameters[k + 1];
        const double left = m->groups->momenta[k + 1];
        assert_string_equal(p->name, right[k].name);
        assert_true(p->limit == 0 && p->fill == right[k].fill);
        assert_true(right[k].momentum < 0 ? left < 0 : left == right[k].momentum);
        assert_int_equal(m->trains[k + 1], right[k].momentum < 0);
    }
    built_free(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_statistics),
        cmocka_unit_test(over_one_image),
        cmocka_unit_test(gradients_by_differences),
        cmocka_unit_test(gradients_among_other_layers),
        cmocka_unit_test(groups_add_up),
        cmocka_unit_test(inference_by_moving_statistics),
        cmocka_unit_test(starts_as_the_plain_normalisation),
    };
    return cmocka_run_group_tests_name("batch_norm", tests, NULL, NULL);
}
