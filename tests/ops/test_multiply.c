/* multiply: values of one shape, and every way in which one side is spread over the other. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

/* The image through a convolution to `filters` channels; beside it a branch to the shape of a flat
   value, or of an image; their product, either one first. */
static Net spread(const int shape[3], bool flat, bool branch_first, int filters)
{
    Net net = { .height = 5, .width = 4, .channels = 3 };
    const int units = shape[0] * shape[1] * shape[2];
    const NetLayer image = { CONV,
                             .filters = filters,
                             .kernel = 3,
                             .activation = "tanh",
                             .name = "image",
                             .plain = true },
                   branch[] = { { FROM, .with = "input" },
                                { .kind = FLATTEN },
                                { DENSE, .units = units, .activation = "sigmoid" },
                                { RESHAPE, .shape = { shape[0], shape[1], shape[2] } },
                                { ACT, .activation = "linear", .name = "branch" } };
    NetLayer *to = net.encoder;
    if (!branch_first)
        *to++ = image;
    for (int i = 0; i < 5; i++)
        if (!(flat && branch[i].kind == RESHAPE))
            *to++ = branch[i];
    if (branch_first) {
        *to++ = (NetLayer){ FROM, .with = "input" };
        *to++ = image;
    }
    *to = (NetLayer){ MULTIPLY, .with = branch_first ? "encoder.branch" : "encoder.image" };
    net.decoder[0] = (NetLayer){ CONV, .filters = 3, .kernel = 3, .plain = true };
    return net;
}

static void values_of_one_shape(void **state)
{
    (void)state;
    static const char *const activations[] = { "relu", "tanh", "gelu" };
    for (size_t i = 0; i < 3; i++) {
        Net net = { .height = 6,
                    .width = 5,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = activations[i] },
                                 { CONV, .filters = 3, .kernel = 3 },
                                 { MULTIPLY, .with = "encoder.conv1" },
                                 { ACT, .activation = "tanh" } },
                    .decoder = { { CONV, .filters = 3, .kernel = 3, .plain = true },
                                 { MULTIPLY, .with = "input" } } };
        check_net(&net, "x86-64-v3", "");
    }
}

/* x x, of one layer; x x x, and others beside it. */
static void powers(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 4,
                .channels = 3,
                .encoder = { { MULTIPLY, .with = "input" },
                             { CONV, .filters = 5, .kernel = 3 },
                             { MULTIPLY, .with = "encoder.conv1", .name = "square" },
                             { CONV, .filters = 5, .kernel = 1, .activation = "tanh" },
                             { MULTIPLY, .with = "encoder.square encoder.conv2 encoder.conv1" } },
                .decoder = { { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
    check_net_by(&net, "c", "conv_plain");
}

static void one_side_is_spread(void **state)
{
    (void)state;
    static const int shapes[][3] = { { 1, 1, 6 }, { 5, 4, 1 }, { 1, 1, 1 }, { 5, 1, 6 },
                                     { 1, 4, 6 }, { 5, 1, 1 }, { 1, 4, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int first = 0; first < 2; first++) {
            Net net = spread(shapes[i], false, first, 6);
            if (i < 2 || first == (int)i % 2)
                check_net(&net, first ? "c" : "x86-64-v3", "");
        }
}

static void a_flat_side_is_spread(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        Net net = spread((int[]){ 1, 1, first ? 1 : 6 }, true, first, 6);
        check_net(&net, "x86-64-v3", "");
    }
}

/* Each has what the other lacks. */
static void both_sides_are_spread(void **state)
{
    (void)state;
    static const int shapes[][2][3] = { { { 1, 1, 6 }, { 5, 4, 1 } },
                                        { { 5, 1, 6 }, { 1, 4, 6 } },
                                        { { 1, 4, 1 }, { 5, 1, 3 } } };
    for (size_t i = 0; i < 3; i++) {
        Net net = spread(shapes[i][0], false, false, 3);
        const int *other = shapes[i][1];
        NetLayer *to = &net.encoder[6];
        *to++ = (NetLayer){ FROM, .with = "encoder.image" };
        *to++ = (NetLayer){ .kind = FLATTEN };
        *to++ = (NetLayer){ DENSE, .units = other[0] * other[1] * other[2] };
        *to++ = (NetLayer){ RESHAPE, .shape = { other[0], other[1], other[2] } };
        *to++ = (NetLayer){ MULTIPLY, .with = "encoder.branch" };
        check_net(&net, "x86-64-v3", "");
    }
}

static void flat_values(void **state)
{
    (void)state;
    for (int units = 1; units < 9; units += 7) {
        Net net = { .height = 3,
                    .width = 4,
                    .channels = 3,
                    .encoder = { { .kind = FLATTEN },
                                 { DENSE, .units = 8, .activation = "tanh" },
                                 { FROM, .with = "encoder.flatten1" },
                                 { DENSE, .units = units },
                                 { MULTIPLY, .with = "encoder.dense1" } },
                    .decoder = { { DENSE, .units = 36 }, { RESHAPE, .shape = { 3, 4, 3 } } } };
        check_net(&net, "x86-64-v3", "");
    }
}

/* Squeeze-and-excitation (Hu, Shen and Sun 2018), its gates by dense layers, in the encoder and in
   the decoder. */
static Net squeeze_and_excitation(void)
{
    return (Net){ .height = 8,
                  .width = 8,
                  .channels = 3,
                  .encoder = { { CONV, .filters = 6, .kernel = 3, .activation = "relu" },
                               { AVG, .size = 8 },
                               { .kind = FLATTEN },
                               { DENSE, .units = 3, .activation = "relu" },
                               { DENSE, .units = 6, .activation = "sigmoid" },
                               { RESHAPE, .shape = { 1, 1, 6 } },
                               { MULTIPLY, .with = "encoder.conv1" },
                               { POOL, .size = 2 } },
                  .decoder = { { UP, .size = 2 },
                               { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                               { AVG, .size = 8 },
                               { .kind = FLATTEN },
                               { DENSE, .units = 4, .activation = "sigmoid", .name = "gate" },
                               { FROM, .with = "decoder.conv1" },
                               { MULTIPLY, .with = "decoder.gate" },
                               { CONV, .filters = 3, .kernel = 3 } } };
}

static void gates(void **state)
{
    (void)state;
    Net net = squeeze_and_excitation();
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "x86-64-v2", "");
    check_net(&net, "c", "--memory-limit 60K");
}

static void gates_of_microbatches(void **state)
{
    (void)state;
    Net net = squeeze_and_excitation();
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target x86-64-v3");
    int count;
    double *parameters = net_parameters(&net, 1, &count);
    Driven driven = drive_new(built.model, parameters);
    assert_true(check_microbatches(&net, &driven, sizeof(real) == 8 ? 1e-13 : 1e-5) > 0.01);
    drive_free(&driven);
    built_free(&built);
    free(parameters);
    free(graph);
}

static void shapes_that_do_not_meet(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "conv2d { filters = 4, kernel = 3 }, multiply { @with = \"encoder.conv1\" },",
                CONV3),
          "multiply: encoder.conv1 gives 8x8x5, but what comes in is 8x8x4; height, width and "
          "channels must be equal, or 1 in one of the two" },
        { GRAPH(CONV5 "max_pool2d {}, multiply { @with = \"encoder.conv1\" },", CONV3),
          "multiply: encoder.conv1 gives 8x8x5, but what comes in is 4x4x5" },
        { GRAPH("flatten {}, dense { units = 4 }, from { layer = \"input\" }," CONV5
                "multiply { @with = \"encoder.dense1\" },",
                CONV3),
          "multiply: encoder.dense1 gives 4, but what comes in is 8x8x5" },
        { GRAPH("flatten {}, dense { units = 4 }, from { layer = \"encoder.flatten1\" }, dense { "
                "units = 3 }, multiply { @with = \"encoder.dense1\" },",
                CONV3),
          "multiply: encoder.dense1 gives 4, but what comes in is 3" },
        { GRAPH("conv2d { filters = 1, kernel = 3 }, reshape { shape = { 8, 4, 2 } }, multiply { "
                "@with = \"encoder.conv1\" },",
                CONV3),
          "multiply: encoder.conv1 gives 8x8x1, but what comes in is 8x4x2" },
        { GRAPH(CONV5 "@multiply {},", CONV3), "multiply: with is missing" },
        { GRAPH(CONV5 "multiply { @with = \"encoder.mul1\" },", CONV3),
          "multiply: encoder.mul1 is this layer itself; name one that comes before" },
    };
    REFUSE(refusals);
}

static void not_by_rows(void **state)
{
    (void)state;
    static const char graph[] = GRAPH(CONV5 "multiply { with = \"encoder.conv1\" },", CONV3);
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, sizeof graph - 1);
    Result r = run(folder, "%s net.lua -o out --emit library --stream", caec_binary());
    assert_int_equal(r.exit_code, 1);
    assert_non_null(strstr(r.err, "multiply: with --stream a layer reads the one before it and no "
                                  "other"));
    result_free(&r);
    free(path);
    folder_remove(folder);
}

static void on_avx512(void **state)
{
    (void)state;
    Net net = squeeze_and_excitation();
    check_net(&net, "x86-64-v4", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_one_shape),
        cmocka_unit_test(powers),
        cmocka_unit_test(one_side_is_spread),
        cmocka_unit_test(a_flat_side_is_spread),
        cmocka_unit_test(both_sides_are_spread),
        cmocka_unit_test(flat_values),
        cmocka_unit_test(gates),
        cmocka_unit_test(gates_of_microbatches),
        cmocka_unit_test(shapes_that_do_not_meet),
        cmocka_unit_test(not_by_rows),
        cmocka_unit_test(on_avx512),
    };
    return cmocka_run_group_tests_name("multiply", tests, NULL, NULL);
}
