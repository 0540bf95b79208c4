#define _POSIX_C_SOURCE 200809L
#include "limit_nets.h"

#include "cases.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

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
const char net_convolutions[] = NET(ENCODER, DECODER, SGD);
const char net_adam[] = NET(ENCODER, DECODER, "");
const char net_microbatches[] = NET(
    ENCODER "flatten {}, dense { units = 40, activation = \"tanh\" }, ",
    "dense { units = 3456 }, reshape { shape = { 12, 12, 24 } }, " DECODER, SGD);
const char net_noise[] = NET("gaussian_noise { stddev = 0.1 }, " ENCODER,
                             "dropout { rate = 0.3 }, " DECODER, SGD);
/* Of channels that fill no whole number of blocks. */
const char net_channels[] = NET(
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
const char net_first_conv[] = FIRST(
    "conv2d { filters = 8, kernel = 3, use_bias = false, activation = \"relu\" }, max_pool2d {}, "
    "conv2d { filters = 4, kernel = 3 }",
    "upsample2d {}, conv2d { filters = 3, kernel = 3 }");
const char net_first_dense[] = FIRST(
    "flatten {}, dense { units = 30, use_bias = false, activation = \"relu\" }",
    "dense { units = 768 }, reshape { shape = { 16, 16, 3 } }");
const char net_branches[] = NET(
    ENCODER,
    "conv2d { filters = 24, kernel = 3 }, upsample2d {}, concat { with = \"encoder.pool1\" }, "
    "conv2d { filters = 3, kernel = 3 }, upsample2d {} ",
    SGD);

const char net_tied[] = NET(
    "conv2d { filters = 16, kernel = 3, activation = \"tanh\" }, max_pool2d {}, "
    "conv2d { filters = 24, kernel = 3, stride = 2, activation = \"tanh\" }, "
    "flatten {}, dense { units = 40, activation = \"tanh\" }, ",
    "dense { units = 3456, tied = \"encoder.dense1\" }, reshape { shape = { 12, 12, 24 } }, "
    "conv2d_transpose { filters = 16, kernel = 3, activation = \"tanh\", tied = \"encoder.conv2\" "
    "}, upsample2d {}, "
    "conv2d_transpose { filters = 3, kernel = 3, stride = 1, tied = \"encoder.conv1\" } ",
    SGD);

/* Statistics of a batch of 5, which its images share, and of groups of 2, the last of which has one
   image. */
#define GROUPS(batch_norm_)                                                                       \
    NET("conv2d { filters = 6, kernel = 3 }, " batch_norm_ ", relu {}, max_pool2d {}, conv2d { "  \
        "filters = 4, kernel = 3 }, " batch_norm_ ", max_pool2d {}, ",                            \
        "conv2d { filters = 6, kernel = 3, activation = \"relu\" }, " batch_norm_ ", upsample2d " \
        "{}, conv2d { filters = 3, kernel = 3 }, upsample2d {} ",                                 \
        SGD)
const char net_groups[] = GROUPS("batch_norm {}");
const char net_groups_of_two[] = GROUPS("batch_norm { over = 2 }");

/* Those of dense layers, which go through in microbatches, but in a library one by one. */
const char net_dense_groups[] = FIRST(
    "flatten {}, dense { units = 14 }, batch_norm {}, tanh {}, dense { units = 5 }, batch_norm {}",
    "dense { units = 9 }, batch_norm {}, dense { units = 768 }, reshape { shape = { 16, 16, 3 } }");

/* One row, in segments. Its activation is smooth, since a limit exchanges kernels here: near 0 a
   ReLU would tell how they round. */
const char net_signal[] =
    "return autoencoder \"net\" {\n  input = { 1, 256, 3 },\n  encoder = sequential \"encoder\" {\n"
    "  conv2d { filters = 16, kernel = { 1, 3 }, activation = \"tanh\" },\n"
    "  conv2d { filters = 24, kernel = { 1, 5 }, stride = { 1, 2 }, activation = \"tanh\" },\n"
    "  conv2d { filters = 16, kernel = { 1, 3 }, activation = \"tanh\" } },\n"
    "  decoder = sequential \"decoder\" { conv2d_transpose { filters = 3, kernel = { 1, 4 }, "
    "stride = { 1, 2 } } },\n" SGD "}\n";

char *graph_trained_by(const SettingsWord *word, bool all, ModelTraining *training)
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
    training->optimizer.ema = all ? 0.5 : 0;
    char *graph = text_of(NET("%s", "%s", "  training = { optimizer = %s { %s}, batch = 5%s },\n"),
                          ENCODER, DECODER, word->name, numbers, all ? ", ema = 0.5" : "");
    free(numbers);
    return graph;
}

Result plan(const char *graph, const char *options)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --real %s %s --memory", IS_FLOAT ? "float" : "double",
                             options);
    free(path);
    folder_remove(folder);
    return result;
}

size_t number_behind(const char *text, const char *before)
{
    const char *at = strstr(text, before);
    return at ? strtoull(at + strlen(before), NULL, 10) : 0;
}

size_t smallest_limit(const char *graph, const char *options)
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

size_t taken(const char *graph, const char *options, size_t limit)
{
    char *all = text_of("%s --memory-limit %zu", options, limit);
    Result result = plan(graph, all);
    size_t bytes = result.exit_code ? 0 : number_behind(result.out, "training takes ");
    result_free(&result);
    free(all);
    return bytes;
}
