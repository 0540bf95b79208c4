/* --memory-limit: what it plans fits by count, the smallest limit that a refusal names works, and
   training within a limit gives what the ordinary training of the same network gives. */
#define _POSIX_C_SOURCE 200809L
#include "build.h"
#include "cases.h"
#include "files.h"
#include "process.h"

#include "check/verify.h"
#include "settings.h"
#include "train/trainer.h"
#include "weights/initial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5, UPDATES = 3, IS_FLOAT = sizeof(real) == sizeof(float) };

#define ENCODER                                                                   \
    "conv2d { filters = 16, kernel = 3, activation = \"relu\" }, max_pool2d {}, " \
    "conv2d { filters = 24, kernel = 3, activation = \"relu\" }, max_pool2d {}, "
#define DECODER                                                                                    \
    "conv2d { filters = 24, kernel = 3, activation = \"relu\" }, upsample2d {}, conv2d { filters " \
    "= 3, kernel = 3 }, upsample2d {} "
#define NET(encoder_, decoder_, more_)                                                            \
    "return autoencoder \"net\" {\n  input = { 48, 48, 3 },\n  encoder = sequential \"encoder\" " \
    "{ " encoder_ "},\n"                                                                          \
    "  decoder = sequential \"decoder\" { " decoder_ "},\n" more_ "}\n"
#define SGD "  training = { loss = \"mse\", optimizer = sgd { lr = 0.5 }, batch = 5 },\n"
#define DIRECT                                                                        \
    "--kernel encoder.conv1=conv_direct --kernel encoder.conv2=conv_direct --kernel " \
    "decoder.conv1=conv_direct --kernel decoder.conv2=conv_direct "

static const char net_convolutions[] = NET(ENCODER, DECODER, SGD);
static const char net_adam[] = NET(ENCODER, DECODER, "");
static const char net_microbatches[] = NET(
    ENCODER "flatten {}, dense { units = 40, activation = \"tanh\" }, ",
    "dense { units = 3456 }, reshape { shape = { 12, 12, 24 } }, " DECODER, SGD);
static const char net_noise[] = NET("gaussian_noise { stddev = 0.1 }, " ENCODER,
                                    "dropout { rate = 0.3 }, " DECODER, SGD);
/* Of channels that fill no whole number of blocks. */
static const char net_channels[] = NET(
    "conv2d { filters = 21, kernel = 3, activation = \"relu\" }, max_pool2d {}, "
    "conv2d { filters = 90, kernel = 3, activation = \"relu\" }, max_pool2d {}, ",
    "conv2d { filters = 70, kernel = 5, activation = \"relu\" }, upsample2d {}, conv2d { filters = "
    "3, kernel = 1 }, upsample2d {} ",
    SGD);
/* Nobody wants the gradient by the image: in front of dW of the first layer stands no dX of its
   own, but that of its pool or activation, which dW reads. */
#define FIRST(encoder_, decoder_)                                                                 \
    "return autoencoder \"net\" {\n  input = { 16, 16, 3 },\n  encoder = sequential \"encoder\" " \
    "{ " encoder_ " },\n"                                                                         \
    "  decoder = sequential \"decoder\" { " decoder_ " },\n" SGD "}\n"
static const char net_first_conv[] = FIRST(
    "conv2d { filters = 8, kernel = 3, use_bias = false, activation = \"relu\" }, max_pool2d {}, "
    "conv2d { filters = 4, kernel = 3 }",
    "upsample2d {}, conv2d { filters = 3, kernel = 3 }");
static const char net_first_dense[] = FIRST(
    "flatten {}, dense { units = 30, use_bias = false, activation = \"relu\" }",
    "dense { units = 768 }, reshape { shape = { 16, 16, 3 } }");
static const char net_branches[] = NET(
    ENCODER,
    "conv2d { filters = 24, kernel = 3 }, upsample2d {}, concat { with = \"encoder.pool1\" }, "
    "conv2d { filters = 3, kernel = 3 }, upsample2d {} ",
    SGD);

/* ---- what caec says ---- */

static Result plan(const char *graph, const char *options)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --real %s %s --memory", IS_FLOAT ? "float" : "double",
                             options);
    free(path);
    folder_remove(folder);
    return result;
}

/* The number after `before`; 0 where there is none. */
static size_t number_behind(const char *text, const char *before)
{
    const char *at = strstr(text, before);
    return at ? strtoull(at + strlen(before), NULL, 10) : 0;
}

static size_t smallest_limit(const char *graph, const char *options)
{
    char *all = text_of("%s --memory-limit 1K", options);
    Result result = plan(graph, all);
    want_exit(&result, 1);
    assert_string_equal(result.out, "");
    size_t smallest = number_behind(result.err, "the smallest limit that works is ");
    assert_true(smallest > 1024);
    result_free(&result);
    free(all);
    return smallest;
}

/* What training takes, by the plan for that limit; 0: it was refused. */
static size_t taken(const char *graph, const char *options, size_t limit)
{
    char *all = text_of("%s --memory-limit %zu", options, limit);
    Result result = plan(graph, all);
    size_t bytes = result.exit_code ? 0 : number_behind(result.out, "training takes ");
    result_free(&result);
    free(all);
    return bytes;
}

static char *graph_text(const char *name)
{
    char *path = text_of("%s/graphs/%s", project_folder(), name), *text = file_read(path, NULL);
    free(path);
    return text;
}

/* The limit that a refusal names is taken to the byte, one less is refused with the same words, and
   whatever is more is kept. */
static void check_limits(const char *graph, const char *options)
{
    static const double above[] = { 1.06, 1.5 };
    size_t smallest = smallest_limit(graph, options);
    assert_int_equal(taken(graph, options, smallest), smallest);
    char *less = text_of("%s --memory-limit %zu", options, smallest - 1);
    Result refused = plan(graph, less);
    want_exit(&refused, 1);
    assert_int_equal(number_behind(refused.err, "the smallest limit that works is "), smallest);
    for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
        size_t limit = (size_t)(above[i] * (double)smallest) + 1,
               bytes = taken(graph, options, limit);
        assert_true(bytes > 0 && bytes <= limit);
    }
    result_free(&refused);
    free(less);
}

static void the_smallest_limit_is_the_smallest(void **state)
{
    (void)state;
    static const char *const graphs[] = { net_convolutions, net_microbatches, net_noise,
                                          net_branches };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        check_limits(graphs[i], "--target x86-64-v3");
        check_limits(graphs[i], "--target c");
    }
}

/* Planning is the work of one thread: ThreadSanitizer, under which it takes minutes, sees one of
   the graphs. */
static bool is_planned_here(const char *graph)
{
#if defined __SANITIZE_THREAD__
    return strstr(graph, "cae_avgpool") != NULL;
#else
    return strstr(graph, ".lua") != NULL;
#endif
}

/* In particular where the way down ends in a plan that is not the smallest on it, as of
   cae_avgpool. */
static void the_smallest_limit_of_every_graph_is_the_smallest(void **state)
{
    (void)state;
    char *folder = text_of("%s/graphs", project_folder());
    FileList list = files_below(folder);
    int graphs = 0, planned = 0;
    for (int i = 0; i < list.count; i++) {
        graphs += strstr(list.path[i], ".lua") != NULL;
        if (!is_planned_here(list.path[i]))
            continue;
        char *graph = graph_text(list.path[i]);
        check_limits(graph, "--target x86-64-v3");
        if (IS_FLOAT) {
            check_limits(graph, "--target x86-64-v3 --emit library");
            check_limits(graph, "--target c --emit library --optimize size");
        }
        free(graph);
        planned++;
    }
    assert_true(graphs >= 10 && planned > 0);
    file_list_free(&list);
    free(folder);
}

/* A limit that the ordinary plan keeps changes nothing of it. */
static void a_wide_limit_changes_nothing(void **state)
{
    (void)state;
    Result ordinary = plan(net_microbatches, "--target x86-64-v3"),
           limited = plan(net_microbatches, "--target x86-64-v3 --memory-limit 1G");
    want_exit(&ordinary, 0);
    want_exit(&limited, 0);
    const char *rest = strchr(limited.out, '\n');
    assert_non_null(rest);
    assert_string_equal(rest + 1, ordinary.out);
    assert_true(number_behind(limited.out, "threads that fit: ") > 1);
    result_free(&ordinary);
    result_free(&limited);
}

/* The promise: batches of any size, pictures apart. */
static void cae_trains_in_9_mib(void **state)
{
    (void)state;
    static const char *const targets[] = { "x86-64-v4", "x86-64-v3", "x86-64-v2", "aarch64", "c" };
    char *cae = graph_text("cae.lua");
    for (size_t i = 0; i < sizeof targets / sizeof *targets && IS_FLOAT; i++) {
        char *program = text_of("--target %s", targets[i]),
             *library = text_of("--target %s --emit library", targets[i]);
        assert_true(taken(cae, program, 9u << 20) > 0);
        assert_true(taken(cae, library, 9u << 20) > 0);
        free(program);
        free(library);
    }
    free(cae);
}

/* A library's user hands over the parameters and <NAME>_TRAIN_BYTES. */
static void check_library(const char *graph, size_t limit)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *header = text_of("%s/net/net.h", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --target c --emit library --memory-limit %zu",
                             limit);
    want_exit(&result, 0);
    char *text = file_read(header, NULL);
    size_t floats = number_behind(text, "#define NET_PARAMETER_FLOATS"),
           train = number_behind(text, "#define NET_TRAIN_BYTES");
    assert_true(floats > 0 && train > 0);
    assert_int_equal(4 * floats + train, number_behind(result.out, "training takes "));
    assert_true(4 * floats + train <= limit);
    free(text);
    result_free(&result);
    free(header);
    free(path);
    folder_remove(folder);
}

/* A graph trained by an optimizer with its defaults, or, `all`, with all that it may keep of a
   parameter. *training is what its programs then train by. */
static char *graph_trained_by(const SettingsWord *word, bool all, ModelTraining *training)
{
    Error error;
    assert_int_equal(settings_read_optimizer(&training->optimizer, word->name, &error), 0);
    char *numbers = text_of("%s", "");
    for (const SettingsNumber *n = word->numbers; all && n->name; n++)
        for (const SettingsState *s = word->states; s->name; s++)
            if (s->offset == n->offset) {
                const bool flag = n->kind == SETTINGS_FLAG;
                char *more = text_of("%s%s = %s, ", numbers, n->name, flag ? "true" : "0.5");
                *(double *)((char *)&training->optimizer + n->offset) = flag ? 1 : 0.5;
                free(numbers);
                numbers = more;
            }
    char *graph = text_of(NET("%s", "%s", "  training = { optimizer = %s { %s}, batch = 5 },\n"),
                          ENCODER, DECODER, word->name, numbers);
    free(numbers);
    return graph;
}

static void a_library_is_counted(void **state)
{
    (void)state;
    if (!IS_FLOAT)
        return;
    check_library(net_adam, smallest_limit(net_adam, "--target c --emit library"));
    for (const SettingsWord *word = settings_optimizers; word->name; word++)
        for (int all = 0; all < 2; all++) {
            ModelTraining training;
            char *graph = graph_trained_by(word, all, &training);
            check_library(graph, 1 << 30);
            free(graph);
        }
}

/* What caec counts for a limit is what the trainer takes, by any optimizer. */
static void every_optimizer_is_counted(void **state)
{
    (void)state;
    enum { LIMIT = 1 << 30 };
    Built built = build_model_optimized(net_convolutions, "--memory-limit 1073741824");
    for (const SettingsWord *word = settings_optimizers; word->name; word++)
        for (int all = 0; all < 2; all++) {
            ModelTraining training = built.model->training;
            char *graph = graph_trained_by(word, all, &training);
            assert_int_equal(trainer_bytes(built.model, &training, training.batch, 1),
                             taken(graph, "", LIMIT));
            free(graph);
        }
    built_free(&built);
}

static void mistakes_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "0", "M", "12X", "-1", "12MM", "1e300" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *options = text_of("--memory-limit %s", wrong[i]);
        Result result = plan(net_adam, options);
        want_exit(&result, 2);
        assert_non_null(strstr(result.err, "--memory-limit"));
        result_free(&result);
        free(options);
    }
    Result result = plan(net_adam, "--emit library --no-training --memory-limit 12M");
    want_exit(&result, 2);
    result_free(&result);
}

/* ---- training ---- */

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
        assert_true(trainer_default_threads(model) <= within);
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
        cmocka_unit_test(the_smallest_limit_is_the_smallest),
        cmocka_unit_test(the_smallest_limit_of_every_graph_is_the_smallest),
        cmocka_unit_test(a_wide_limit_changes_nothing),
        cmocka_unit_test(cae_trains_in_9_mib),
        cmocka_unit_test(a_library_is_counted),
        cmocka_unit_test(every_optimizer_is_counted),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(training_goes_the_same_way),
        cmocka_unit_test(a_first_layer_has_its_gradient),
        cmocka_unit_test(verify_passes),
        cmocka_unit_test(microbatches_become_smaller),
        cmocka_unit_test(what_is_computed_again_is_the_same),
        cmocka_unit_test(threads_are_bounded),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
