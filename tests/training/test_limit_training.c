/* Training within a --memory-limit gives what the ordinary training of the same network gives. */
#define _POSIX_C_SOURCE 200809L
#include "limit_nets.h"

#include "build.h"
#include "cases.h"
#include "files.h"

#include "check/verify.h"
#include "train/trainer.h"
#include "weights/initial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5, UPDATES = 3 };

typedef struct Pictures {
    uint8_t *pixels;
    const uint8_t *images[IMAGES];
    uint64_t noise[IMAGES];
} Pictures;

static Pictures pictures_new(const Model *model)
{
    const size_t bytes = trainer_image_values(model);
    Pictures p = { .pixels = malloc(IMAGES * bytes) };
    assert_non_null(p.pixels);
    uint32_t x = 4711;
    for (size_t i = 0; i < IMAGES * bytes; i++) {
        x = x * 1664525u + 1013904223u;
        p.pixels[i] = (uint8_t)(x >> 24);
    }
    for (int i = 0; i < IMAGES; i++) {
        p.images[i] = p.pixels + (size_t)i * bytes;
        p.noise[i] = 1000u + 77u * (unsigned)i;
    }
    return p;
}

/* The parameters' way in some updates on one thread; to be freed. */
static double *train(const Model *model)
{
    Trainer t;
    Error error;
    Pictures p = pictures_new(model);
    double *way = malloc(model->parameter_reals * sizeof *way);
    assert_non_null(way);
    assert_int_equal(trainer_open(&t, model, &model->training, IMAGES, 1, &error), 0);
    initial_draw(model, 3, t.parameters);
    trainer_prepare(&t);
    for (size_t i = 0; i < model->parameter_reals; i++)
        way[i] = -(double)t.parameters[i];
    for (int k = 0; k < UPDATES; k++)
        trainer_step(&t, p.images, p.noise, IMAGES);
    for (size_t i = 0; i < model->parameter_reals; i++)
        way[i] += (double)t.parameters[i];
    trainer_close(&t);
    free(p.pixels);
    return way;
}

static bool has_repeats(const Model *model)
{
    for (int i = 0; i < model->train_step_count; i++)
        if (strcmp(model->train_steps[i].direction, "recompute") == 0)
            return true;
    return false;
}

/* Training within `limit` goes the way of the ordinary one. Returns whether it computes anything
   again. */
static bool compare_on(const char *target, const char *graph, size_t limit)
{
    char *options = text_of("%s --memory-limit %zu", target, limit);
    Built ordinary = build_model_merged(graph, target),
          limited = build_model_merged(graph, options);
    assert_int_equal(limited.model->memory_limit, limit);
    assert_int_equal(ordinary.model->memory_limit, 0);
    assert_true(limited.model->train_bytes < ordinary.model->train_bytes);
    const bool repeats = has_repeats(limited.model);
    double *right = train(ordinary.model), *got = train(limited.model), largest = 0, difference = 0;
    for (size_t i = 0; i < ordinary.model->parameter_reals; i++) {
        largest = fmax(largest, fabs(right[i]));
        difference = fmax(difference, fabs(got[i] - right[i]));
    }
    print_message("limit %zu: the ways differ by %.3g of the longest\n", limit,
                  difference / largest);
    assert_true(largest > 1e-3 && difference <= (IS_FLOAT ? 1e-4 : 1e-9) * largest);
    free(right);
    free(got);
    built_free(&ordinary);
    built_free(&limited);
    free(options);
    return repeats;
}

static void compare(const char *graph, size_t limit, bool repeats)
{
    assert_int_equal(compare_on("", graph, limit), repeats);
}

static void a_first_layer_has_its_gradient(void **state)
{
    (void)state;
    static const char *const graphs[] = { net_first_conv, net_first_dense }, *const targets[] = {
        "--target c", ""
    };
    for (int i = 0; i < 4; i++)
        compare_on(targets[i % 2], graphs[i / 2], smallest_limit(graphs[i / 2], targets[i % 2]));
}

static void training_goes_the_same_way(void **state)
{
    (void)state;
    compare(net_convolutions, smallest_limit(net_convolutions, ""), true);
    compare(net_convolutions, smallest_limit(net_convolutions, "") * 5 / 4, false);
    compare(net_noise, smallest_limit(net_noise, ""), true);
    compare(net_branches, smallest_limit(net_branches, ""), true);
    compare_on("", net_signal, smallest_limit(net_signal, ""));
    compare_on("", net_tied, smallest_limit(net_tied, ""));
}

/* PyTorch's numbers hold where everything that can change has changed. */
static void verify_passes(void **state)
{
    (void)state;
    char *path = text_of("%s/tests/reference/nets/small_cae.lua", project_folder()),
         *graph = file_read(path, NULL);
    char *reference = text_of("%s/tests/reference/nets/small_cae.safetensors", project_folder());
    char *options = text_of("--memory-limit %zu", smallest_limit(graph, ""));
    Built built = build_model_merged(graph, options);
    Error error;
    assert_true(has_repeats(built.model));
    assert_int_equal(verify_run(built.model, reference, 0, &error), 0);
    built_free(&built);
    free(options);
    free(reference);
    free(graph);
    free(path);
}

static void microbatches_become_smaller(void **state)
{
    (void)state;
    Built ordinary = build_model_merged(net_microbatches, "");
    size_t limit = smallest_limit(net_microbatches, "");
    char *options = text_of("--memory-limit %zu", limit);
    Built limited = build_model_merged(net_microbatches, options);
    assert_true(limited.model->microbatch >= 2
                && limited.model->microbatch < ordinary.model->microbatch);
    built_free(&ordinary);
    built_free(&limited);
    free(options);
    compare(net_microbatches, limit, true);
}

/* What a look at training sees after each step (runtime/train/trainer.h). */
typedef struct Seen {
    const ModelStep *steps;
    real *values[64];
    int again;
} Seen;

/* After a recomputed step there is what stood after the step that it repeats. */
static void see(void *context, int step, const real *value)
{
    Seen *seen = context;
    const ModelStep *s = &seen->steps[step];
    if (!value || strcmp(s->direction, "recompute") != 0) {
        assert_true(step < 64);
        seen->values[step] = value ? memcpy(malloc(s->count * sizeof *value), value,
                                            s->count * sizeof *value)
                                   : NULL;
        return;
    }
    const ModelStep *first = seen->steps;
    while (strcmp(first->layer, s->layer) != 0 || strcmp(first->kernel, s->kernel) != 0
           || first->count != s->count)
        first++;
    assert_memory_equal(value, seen->values[first - seen->steps], s->count * sizeof *value);
    seen->again++;
}

static void check_look(Trainer *t, const Pictures *p, real *gradient)
{
    int count;
    Seen seen = { .steps = trainer_steps(t, &count) };
    trainer_look(t, 0, p->images[0], p->noise[0], gradient, see, &seen);
    assert_int_equal(seen.again > 0, has_repeats(t->model));
    for (int i = 0; i < 64; i++)
        free(seen.values[i]);
}

static bool packs_on_use(const Built *built)
{
    char *path = text_of("%s/net/net_prepare.c", built->folder), *text = file_read(path, NULL);
    bool on_use = strstr(text, "void make_") != NULL;
    free(text);
    free(path);
    return on_use;
}

/* With all kernels forced, a limit only changes the order of steps, when weights are turned and
   what is computed again: the gradient has the same bits. */
static void compare_bits(const char *graph)
{
    char *options = text_of(DIRECT "--memory-limit %zu", smallest_limit(graph, DIRECT));
    Built built[2] = { build_model_merged(graph, DIRECT), build_model_merged(graph, options) };
    const size_t bytes = built[0].model->parameter_reals * sizeof(real);
    real *gradient[2];
    assert_true(has_repeats(built[1].model) && !has_repeats(built[0].model));
    assert_true(packs_on_use(&built[1]) && !packs_on_use(&built[0]));
    for (int i = 0; i < 2; i++) {
        const Model *model = built[i].model;
        Pictures p = pictures_new(model);
        Trainer t;
        Error error;
        assert_int_equal(trainer_open(&t, model, &model->training, IMAGES, 1, &error), 0);
        initial_draw(model, 3, t.parameters);
        trainer_prepare(&t);
        gradient[i] = calloc(1, bytes);
        assert_non_null(gradient[i]);
        check_look(&t, &p, gradient[i]);
        memset(gradient[i], 0, bytes);
        model->backward_chunk(t.prepared, p.images, p.noise, IMAGES, gradient[i], t.losses,
                              t.workspaces[0], NULL);
        trainer_close(&t);
        free(p.pixels);
    }
    assert_memory_equal(gradient[0], gradient[1], bytes);
    for (int i = 0; i < 2; i++) {
        free(gradient[i]);
        built_free(&built[i]);
    }
    free(options);
}

static void what_is_computed_again_is_the_same(void **state)
{
    (void)state;
    compare_bits(net_noise);
    compare_bits(net_channels);
}

static void threads_are_bounded(void **state)
{
    (void)state;
    Error error;
    Trainer t;
    size_t smallest = smallest_limit(net_convolutions, "");
    for (int k = 1; k <= 64; k *= 64) {
        size_t limit = smallest * (size_t)k;
        char *options = text_of("--memory-limit %zu", limit);
        Built built = build_model_merged(net_convolutions, options);
        const Model *model = built.model;
        int within = trainer_threads_within(model, &model->training, model->training.batch);
        assert_int_equal(trainer_bytes(model, &model->training, model->training.batch, 1),
                         taken(net_convolutions, "", limit));
        assert_int_equal(model->accumulates_in_place, k == 1);
        assert_true(k == 1 ? within == 1 : within > 2);
        assert_true(model->accumulates_in_place
                    || trainer_bytes(model, &model->training, model->training.batch, within + 1)
                           > limit);
        assert_true(trainer_default_threads(model, &model->training, model->training.batch)
                    <= within);
        assert_int_equal(
            trainer_open(&t, model, &model->training, model->training.batch, within, &error), 0);
        trainer_close(&t);
        assert_int_equal(
            trainer_open(&t, model, &model->training, model->training.batch, within + 1, &error),
            -1);
        assert_non_null(strstr(error.text, "--memory-limit"));
        ModelTraining adam = model->training;
        adam.optimizer = (ModelOptimizer){
            .name = "adam", .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7
        };
        assert_int_equal(trainer_open(&t, model, &adam, model->training.batch, 1, &error),
                         k == 1 ? -1 : 0);
        if (k > 1)
            trainer_close(&t);
        else
            assert_non_null(strstr(error.text, "the optimizer adam"));
        built_free(&built);
        free(options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_goes_the_same_way),
        cmocka_unit_test(a_first_layer_has_its_gradient),
        cmocka_unit_test(verify_passes),
        cmocka_unit_test(microbatches_become_smaller),
        cmocka_unit_test(what_is_computed_again_is_the_same),
        cmocka_unit_test(threads_are_bounded),
    };
    return cmocka_run_group_tests_name("limit_training", tests, NULL, NULL);
}
