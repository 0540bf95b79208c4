/* dense_tiles against dense_plain: the same bits, image by image and by microbatches, which are
   tiles of four images and what is left. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

/* Outputs of 14, 6, 10 and 4 vectors of eight numbers: tiles of 7, 6, 5 and 4 for one image. */
static const Net net = { .height = 8,
                         .width = 4,
                         .channels = 1,
                         .encoder = { { FLATTEN },
                                      { DENSE, .units = 112, .activation = "tanh" },
                                      { DENSE, .units = 48, .no_bias = true } },
                         .decoder = { { DENSE, .units = 80, .activation = "relu" },
                                      { DENSE, .units = 32, .activation = "sigmoid" },
                                      { RESHAPE, .shape = { 8, 4, 1 } } } };

typedef struct Running {
    Built built;
    Driven driven;
} Running;

static Running run_by(const char *kernel, const char *target, const double *parameters)
{
    char *graph = net_graph(&net), *force = net_force(&net, kernel),
         *options = text_of("--target %s %s", target, force);
    Running running = { .built = build_model_merged(graph, options) };
    running.driven = drive_new(running.built.model, parameters);
    free(graph);
    free(force);
    free(options);
    return running;
}

static void stop(Running *running)
{
    drive_free(&running->driven);
    built_free(&running->built);
}

static bool computes(const Model *model, const char *kernel)
{
    int steps = 0;
    for (int i = 0; i < model->infer_step_count; i++)
        steps += strcmp(model->infer_steps[i].kernel, kernel) == 0;
    return steps == 4;
}

static void check(const char *target)
{
    if (!machine_has(target))
        skip();
    int count;
    double *parameters = net_parameters(&net, 3, &count);
    Running plain = run_by("dense_plain", target, parameters),
            tiles = run_by("dense_tiles", target, parameters);
    assert_true(computes(plain.built.model, "dense_plain"));
    assert_true(computes(tiles.built.model, "dense_tiles"));
    for (unsigned seed = 0; seed < 3; seed++) {
        uint8_t *image = net_image(&net, seed);
        double *wanted = drive_reconstruct(&plain.driven, image),
               *got = drive_reconstruct(&tiles.driven, image);
        assert_memory_equal(got, wanted, 32 * sizeof *got);
        free(image);
        free(wanted);
        free(got);
    }
    check_microbatches(&net, &tiles.driven, sizeof(real) == 8 ? 1e-13 : 1e-5);
    stop(&plain);
    stop(&tiles);
    free(parameters);
}

static void with_avx2(void **state)
{
    (void)state;
    check("x86-64-v3");
}

static void with_sse(void **state)
{
    (void)state;
    check("x86-64-v2");
}

/* A library for a machine with vectors takes it; one for a machine without does not, nor a small
   one, nor where a layer's outputs are no whole tiles. */
static void where_it_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int units, layers;
    } cases[] = { { "--target x86-64-v3", 112, 4 },
                  { "--target c", 112, 0 },
                  { "--target x86-64-v3", 113, 3 },
                  { "--target x86-64-v3 --optimize size", 112, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Net other = net;
        other.encoder[1].units = cases[i].units;
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
             *graph = net_graph(&other);
        file_write(path, graph, strlen(graph));
        Result result = run_caec(folder,
                                 "net.lua --emit library --no-training %s "
                                 "--dump plan --stop-after plan",
                                 cases[i].words);
        want_exit(&result, 0);
        int layers = 0;
        for (const char *at = result.out; (at = strstr(at, " dense_tiles  forward ")); at++)
            layers++;
        assert_int_equal(layers, cases[i].layers);
        result_free(&result);
        free(graph);
        free(path);
        folder_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_avx2),
        cmocka_unit_test(with_sse),
        cmocka_unit_test(where_it_is_chosen),
    };
    return cmocka_run_group_tests_name("dense_tiles", tests, NULL, NULL);
}
