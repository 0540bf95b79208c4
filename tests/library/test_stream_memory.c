/* --stream: the memory that a library by rows needs, the rows that it computes, what it refuses. */
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The network of this project, whose values would take megabytes: what the header says is what a
   stream may touch, see test_stream.c. */
static void of_the_whole_network(void **state)
{
    (void)state;
    char *folder = folder_new();
    static const char *const targets[] = { "native", "x86-64-v3", "c" };
    for (int i = 0; i < 3; i++) {
        Result result = run_caec(
            folder, "%s/graphs/cae.lua -o . --emit library --stream --no-training --target %s",
            project_folder(), targets[i]);
        want_exit(&result, 0);
        result_free(&result);
        char *path = text_of("%s/cae/cae.h", folder), *header = file_read(path, NULL);
        long bytes = library_number(header, "CAE_STREAM_BYTES");
        print_message("%s: CAE_STREAM_BYTES %ld\n", targets[i], bytes);
        assert_in_range(bytes, 100000, 262144);
        free(path);
        free(header);
    }
    folder_remove(folder);
}

/* Training has packings of its own, and the limit counts those. */
static void training_within_a_limit(void **state)
{
    (void)state;
    char *folder = folder_new();
    Result result = run_caec(
        folder,
        "%s/graphs/cae.lua -o . --emit library --stream --target x86-64-v3 --memory-limit 12M",
        project_folder());
    want_exit(&result, 0);
    char *path = text_of("%s/cae/cae.h", folder), *header = file_read(path, NULL),
         *line = strstr(result.out, "training takes ");
    assert_non_null(line);
    long bytes = library_number(header, "CAE_TRAIN_BYTES")
                 + 4 * library_number(header, "CAE_PARAMETER_FLOATS");
    assert_in_range(bytes, 8 << 20, 12 << 20);
    assert_int_equal(bytes, strtol(line + strlen("training takes "), NULL, 10));
    assert_in_range(library_number(header, "CAE_STREAM_BYTES"), 100000, 262144);
    result_free(&result);
    free(path);
    free(header);
    folder_remove(folder);
}

/* A pool of 3 leaves the tenth row over: the layer below computes nine. Its column holds rows; see
   the struct Layer of the emitted file. */
static void rows_that_nobody_reads(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" {\n  input = { 10, 10, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 8, kernel = 3 }, max_pool2d { size = 3 "
        "}, conv2d { filters = 8, kernel = 1 } },\n"
        "  decoder = sequential \"d\" { upsample2d { size = 4 }, conv2d { filters = 3, kernel = 3, "
        "padding = \"valid\" } },\n}\n";
    static const char *const layers[] = { "{ 1, -1, 1, 1, 9, 3 }, ", "{ 1, 0, 0, 1, 3, 1 }, ",
                                          "{ 1, 0, 2, 4, 10, 1 }, " };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *file = text_of("%s/net/net_stream.c", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --emit library --stream --no-training");
    want_exit(&result, 0);
    char *text = file_read(file, NULL);
    for (int i = 0; i < 3; i++)
        if (!strstr(text, layers[i]))
            fail_msg("no layer %s in:\n%s", layers[i], text);
    result_free(&result);
    free(text);
    free(file);
    free(path);
    folder_remove(folder);
}

static void refuse(const char *graph, const char *message)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --emit library --stream");
    want_exit(&result, 1);
    if (!strstr(result.err, message))
        fail_msg("'%s' is not in: %s", message, result.err);
    result_free(&result);
    folder_remove(folder);
    free(path);
}

static void what_needs_more_than_rows_is_refused(void **state)
{
    (void)state;
    refuse(net_dense,
           "encoder.flatten1, encoder.dense1, decoder.dense1 and decoder.reshape1 need the whole "
           "image at once; do without them or without ");
    refuse(net_branches, "net.lua:7:");
    refuse(net_branches, "concat: with --stream a layer reads the one before it and no other");
    refuse(
        net_norm,
        "group_norm: with --stream all is computed row by row, but encoder.norm1 and decoder.in1 "
        "need the whole image at once; do without them");
    refuse(NET(4, 4, 1, "conv2d { filters = 3, kernel = 3 }, global_avg_pool2d {},",
               "dense { units = 16 }, reshape { shape = { 4, 4, 1 } },", "loss = \"mse\""),
           "but encoder.gpool1, decoder.dense1 and decoder.reshape1 need the whole image at once");
    Result result = run_caec(NULL, "%s/graphs/cae.lua -o . --stream", project_folder());
    want_exit(&result, 2);
    assert_non_null(strstr(result.err, "--stream goes with --emit library"));
    result_free(&result);
}

/* Not the reshape after a dense layer, which is there for its sake, and not the last of several. */
static void the_layer_that_is_in_the_way_is_shown(void **state)
{
    (void)state;
    refuse(NET(8, 12, 1, "conv2d { filters = 3, kernel = 3 },",
               "flatten {},\n    dense { units = 96 }, reshape { shape = { 8, 12, 1 } },",
               "loss = \"mse\""),
           "net.lua:8:5: error: dense: with --stream");
    refuse(NET(8, 8, 3, "conv2d { filters = 3, kernel = 3 },\n    flatten {},",
               "reshape { shape = { 8, 8, 3 } }, conv2d { filters = 3, kernel = 3 },",
               "loss = \"mse\""),
           "net.lua:5:5: error: flatten: with --stream");
    Result result = run_caec(project_folder(), "graphs/dense_ae.lua -o . --emit library --stream");
    want_exit(&result, 1);
    assert_non_null(strstr(result.err, "dense_ae.lua:10:3: error: dense: "));
    assert_non_null(strstr(
        result.err, "\n   10 |   dense { units = 128, activation = \"relu\" },\n      |   ^"));
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_whole_network),
        cmocka_unit_test(training_within_a_limit),
        cmocka_unit_test(rows_that_nobody_reads),
        cmocka_unit_test(what_needs_more_than_rows_is_refused),
        cmocka_unit_test(the_layer_that_is_in_the_way_is_shown),
    };
    return cmocka_run_group_tests_name("library stream memory", tests, NULL, NULL);
}
