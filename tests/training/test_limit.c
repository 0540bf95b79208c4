/* What caec plans for --memory-limit fits by count, and the smallest limit that a refusal names
   works. */
#define _POSIX_C_SOURCE 200809L
#include "limit_nets.h"

#include "build.h"
#include "cases.h"
#include "files.h"

#include "train/trainer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
                                          net_branches, net_tied };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        check_limits(graphs[i], "--target x86-64-v3");
        check_limits(graphs[i], "--target c");
    }
}

/* Where images share memory nothing is searched for: what the ordinary plan takes is the smallest
   limit. The refusal says what takes less, and it does. */
static void groups_are_counted(void **state)
{
    (void)state;
    static const char *const advice = "give it over = fewer images, or training a smaller batch";
    check_limits(net_groups, "--target c");
    check_limits(net_groups_of_two, "--target x86-64-v3");
    const size_t batch = smallest_limit(net_groups, ""),
                 two = smallest_limit(net_groups_of_two, "");
    assert_true(two < batch);
    Result result = plan(net_groups, "--memory-limit 1K");
    assert_non_null(strstr(result.err, "batch_norm keeps values of 5 images"));
    assert_non_null(strstr(result.err, advice));
    result_free(&result);
    char *single = text_of("%s", net_groups), *at = strstr(single, "batch = 5");
    at[8] = '1';
    assert_true(smallest_limit(single, "") < two);
    result = plan(single, "--memory-limit 1K");
    assert_null(strstr(result.err, advice));
    result_free(&result);
    free(single);
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

static void a_library_is_counted(void **state)
{
    (void)state;
    if (!IS_FLOAT)
        return;
    check_library(net_groups, smallest_limit(net_groups, "--target c --emit library"));
    check_library(net_groups_of_two,
                  smallest_limit(net_groups_of_two, "--target c --emit library"));
    check_library(net_adam, smallest_limit(net_adam, "--target c --emit library"));
    check_library(net_dense_groups, smallest_limit(net_dense_groups, "--target c --emit library"));
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
    Built built = build_model_merged(net_convolutions, "--memory-limit 1073741824");
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

/* By as many threads as fit: chunks are cut and their sums counted as the trainer does. */
static void check_batch(const char *graph, const Model *model, int batch)
{
    const char *at = strstr(graph, "batch = 5");
    char *other = text_of("%.*sbatch = %d%s", (int)(at - graph), graph, batch, at + 9),
         *options = text_of("--memory-limit %zu", model->memory_limit);
    Result result = plan(other, options);
    want_exit(&result, 0);
    const int threads = trainer_threads_within(model, &model->training, batch);
    assert_true(threads > 1 && threads < 999);
    assert_int_equal(number_behind(result.out, "threads that fit: "), threads);
    assert_int_equal(number_behind(result.out, "training takes "),
                     trainer_bytes(model, &model->training, batch, 1));
    result_free(&result);
    free(options);
    free(other);
}

/* Of the networks, one has chunks of 4 images, one has microbatches, and in the others images share
   memory. */
static void every_batch_is_counted(void **state)
{
    (void)state;
    static const int batches[] = { 1, 31, 32, 33, 64, 300 };
    const char *const graphs[] = { net_first_conv, net_microbatches, net_groups, net_groups_of_two,
                                   net_dense_groups };
    for (int k = 0; k < 5; k++) {
        Built built = build_model_merged(graphs[k], "");
        Model model = *built.model;
        assert_true(k == 0   ? trainer_chunk(&model, 64, 64) == 4
                    : k == 1 ? model.microbatch > 1
                             : model.groups && model.groups->over == (k == 3 ? 2 : 0));
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            model.memory_limit = k == 0   ? 4u << 20
                                 : k == 1 ? 1u << 30
                                          : trainer_bytes(&model, &model.training, batches[i], 7);
            check_batch(graphs[k], &model, batches[i]);
        }
        built_free(&built);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_limit_is_the_smallest),
        cmocka_unit_test(groups_are_counted),
        cmocka_unit_test(the_smallest_limit_of_every_graph_is_the_smallest),
        cmocka_unit_test(a_wide_limit_changes_nothing),
        cmocka_unit_test(cae_trains_in_9_mib),
        cmocka_unit_test(a_library_is_counted),
        cmocka_unit_test(every_optimizer_is_counted),
        cmocka_unit_test(every_batch_is_counted),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
