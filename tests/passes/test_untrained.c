/* A parameter that is not trained: it has no gradient, no step makes one, and what is emitted
   leaves it alone. */
#include "base/arena.h"
#include "budget/make.h"
#include "emit/library.h"
#include "emit/model.h"
#include "emit/summary.h"
#include "front/load.h"
#include "passes/passes.h"

#include "cases.h"
#include "files.h"
#include "process.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL1, BIAS1, KERNEL2, BIAS2, PARAMETERS };

static const char text[] =
    "return autoencoder \"net\" { input = { 6, 6, 1 },\n"
    "encoder = sequential \"e\" { conv2d { filters = 2, kernel = 3, activation = \"tanh\" } },\n"
    "decoder = sequential \"d\" { conv2d { filters = 1, kernel = 3 } },\n"
    "training = { optimizer = adamw { weight_decay = 0.1 } } }\n";

static void transform(Graph *graph)
{
    static void (*const passes[])(
        Graph * graph) = { pass_split_inference, pass_stages, pass_fold, pass_differentiate,
                           pass_commute,         pass_drop,   pass_fuse };
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        passes[i](graph);
}

/* The graph after all passes, with these parameters not trained. */
static Graph *graph_without(const char *folder, int a, int b)
{
    char *path = text_of("%s/net.lua", folder);
    file_write(path, text, strlen(text));
    Graph *graph = load_graph(path);
    assert_int_equal(graph->parameter_count, PARAMETERS);
    graph->parameters[a].non_trainable = graph->parameters[b].non_trainable = true;
    transform(graph);
    free(path);
    return graph;
}

static Plan *plan_of(const Graph *graph, bool library)
{
    const Settings settings = { .target = target_find("c"), .library = library };
    return plan_make(graph, settings, NULL, 0, NULL);
}

static void emit(const Plan *plan, const char *folder)
{
    const EmitOptions options = {
        .directory = folder, .version = "0", .fingerprint = "0", .options = ""
    };
    plan->settings.library ? emit_library(plan, &options) : emit_model(plan, &options);
}

static void it_has_no_gradient(void **state)
{
    (void)state;
    char *folder = folder_new();
    const Graph *graph = graph_without(folder, BIAS1, KERNEL2);
    for (int i = 0; i < PARAMETERS; i++)
        assert_int_equal(graph_gradient(graph, 0, i) == NULL, i == BIAS1 || i == KERNEL2);
    const Plan *plan = plan_of(graph, false);
    assert_true(plan->train.count > 3);
    for (int i = 0; i < plan->train.count; i++) {
        const Step *step = plan->train.steps[i];
        assert_false(step->core->op->direction == DIRECTION_DW
                     && step->fusion->core->input[1] == graph->parameters[KERNEL2].node);
    }
    emit(plan, folder);
    char *path = text_of("%s/net/net.c", folder), *source = file_read(path, NULL);
    assert_non_null(strstr(source, "static const unsigned char trained[] = { 1, 0, 0, 1 };"));
    assert_non_null(strstr(source, "    .trains = trained,\n"));
    free(source);
    free(path);
    folder_remove(folder);
    arena_free_all();
}

/* The encoder of `text` rests as a part: no step of the backward half is left that serves it, not
   even the gradient of the latent, and the summary says so. */
static void a_part_that_rests_costs_nothing(void **state)
{
    (void)state;
    char *folder = folder_new(), *path = text_of("%s/rests.lua", folder);
    static const char part[] = "sequential \"e\" { ";
    const char *at = strstr(text, part) + strlen(part);
    char *rests = text_of("%.*strainable = false, %s", (int)(at - text), text, at);
    file_write(path, rests, strlen(rests));
    Graph *graph = load_graph(path);
    transform(graph);
    const Plan *plan = plan_of(graph, false);
    assert_true(plan->train.count > 3);
    for (int i = 0; i < plan->train.count; i++) {
        const Node *core = plan->train.steps[i]->core;
        assert_false(core->op->direction != DIRECTION_FORWARD && core->layer[0] == 'e');
        assert_false(core->op->direction == DIRECTION_DX && core->layer[0] == 'd');
    }
    Text summary = { 0 };
    emit_summary(&summary, graph);
    assert_non_null(strstr(summary.data, " 20, not trained\n"));
    assert_non_null(strstr(summary.data, "Trainable params: 0\nNon-trainable params: 20\n"));
    assert_non_null(strstr(summary.data, "39 parameters, 20 of them not trained\n"));
    free(rests);
    free(path);
    folder_remove(folder);
    arena_free_all();
}

/* The sources in <folder>/net as a shared library. */
static void *load_library(const char *folder)
{
    char *net = text_of("%s/net", folder), *path = text_of("%s/net.so", folder),
         *words = text_of("%s -std=c11 -Wall -Wextra -Werror -ffreestanding -fPIC -shared -Inet "
                          "-o net.so",
                          c_compiler());
    FileList list = files_below(net);
    for (int i = 0; i < list.count; i++) {
        const char *end = strrchr(list.path[i], '.');
        if (!end || strcmp(end, ".c") != 0 || strstr(list.path[i], "example"))
            continue;
        char *more = text_of("%s net/%s", words, list.path[i]);
        free(words);
        words = more;
    }
    Result made = run(folder, "%s", words);
    want_exit(&made, 0);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    result_free(&made);
    file_list_free(&list);
    free(words);
    free(net);
    free(path);
    return library;
}

enum { WEIGHTS = 18 + 2 + 18 + 1, PIXELS = 6 * 6 };

/* One update by one image. */
static void learn(void *library, float *weights)
{
    int (*open)(float *, void *, size_t), (*image)(void *, const uint8_t *, float *),
        (*update)(void *, float);
    static _Alignas(64) char training[1 << 16];
    uint8_t pixels[PIXELS];
    float loss;
    *(void **)&open = dlsym(library, "net_train_open");
    *(void **)&image = dlsym(library, "net_train_image");
    *(void **)&update = dlsym(library, "net_update");
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (uint8_t)(i * 7);
    assert_int_equal(open(weights, training, sizeof training), 0);
    assert_int_equal(image(training, pixels, &loss), 0);
    assert_int_equal(update(training, 0.01F), 0);
}

static void the_library_leaves_it_alone(void **state)
{
    (void)state;
    char *folder = folder_new(), *path = text_of("%s/net/net.h", folder);
    float weights[WEIGHTS], before[WEIGHTS];
    emit(plan_of(graph_without(folder, BIAS1, BIAS2), true), folder);
    void *library = load_library(folder);
    for (int i = 0; i < WEIGHTS; i++)
        before[i] = weights[i] = 0.1F * (float)(i % 7 - 3) + 0.05F;
    learn(library, weights);
    for (int i = 0; i < WEIGHTS; i++)
        assert_int_equal(weights[i] == before[i], i == 18 || i == 19 || i == 38);
    char *header = file_read(path, NULL);
    assert_non_null(strstr(header, " 18  2, not trained\n"));
    dlclose(library);
    free(header);
    free(path);
    folder_remove(folder);
    arena_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_has_no_gradient),
                                        cmocka_unit_test(a_part_that_rests_costs_nothing),
                                        cmocka_unit_test(the_library_leaves_it_alone) };
    return cmocka_run_group_tests_name("what is not trained", tests, NULL, NULL);
}
