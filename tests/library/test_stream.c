/* --stream: the library by rows against the operators by their definition, whatever the layers. */
#include "library.h"

#include "drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sums are those of conv_direct in another order. */
static const double tolerance = 1e-5;

static void want_image(const char *what, const float *got, const Image *right)
{
    size_t count = (size_t)right->height * (size_t)right->width * (size_t)right->channels;
    double *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)got[i];
    double difference = relative_difference(values, right->data, count);
    free(values);
    if (!(difference <= tolerance))
        fail_msg("%s differs by %.3g of its largest value", what, difference);
}

static void check_values(const Net *net, const Library *library)
{
    const Library l = *library;
    int count;
    double *drawn = net_parameters(net, 3, &count);
    uint8_t *image = net_image(net, 4);
    float *parameters = block_new(l.parameters * sizeof *parameters),
          *latent = block_new(l.latent * sizeof *latent);
    float *output = block_new(l.output * sizeof *output);
    void *prepared = block_new(l.prepared_bytes), *workspace = block_new(l.workspace_bytes);
    assert_int_equal(count, l.parameters);
    for (int i = 0; i < count; i++)
        drawn[i] = parameters[i] = (float)drawn[i];
    NetValues right = net_forward(net, drawn, image);
    assert_int_equal(l.prepare(parameters, prepared, l.prepared_bytes), 0);
    assert_int_equal(l.encode(prepared, image, latent, workspace, l.workspace_bytes), 0);
    want_image("latent", latent, &right.latent);
    assert_int_equal(l.reconstruct(prepared, image, output, workspace, l.workspace_bytes), 0);
    want_image("output", output, &right.output);
    memset(output, 0xff, l.output * sizeof *output);
    assert_int_equal(l.decode(prepared, latent, output, workspace, l.workspace_bytes), 0);
    want_image("output of the latent", output, &right.output);
    net_values_free(&right);
    void *const blocks[] = { drawn, image, parameters, latent, output, prepared, workspace };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* The library in the folder in random order, with mistakes, under sanitizers; `counted`: see
   program_stream.c. */
static void run_program(const char *folder, const char *flags, const char *counted)
{
    char *path = text_of("%s/net/counted.h", folder);
    char *driver = text_of("%s/tests/library/program_stream.c -o program", project_folder());
    file_write(path, counted, strlen(counted));
    library_compile_merged(folder, flags, driver);
    Result result = run(folder, "./program");
    want_exit(&result, 0);
    result_free(&result);
    free(path);
    free(driver);
}

/* The same without sanitizers, by the library as it has been loaded. */
static void run_loaded(const char *folder)
{
    char *path = text_of("%s/net/counted.h", folder);
    file_write(path, "", 0);
    Result result = run(folder,
                        "%s -std=c11 -O0 -Wall -Wextra -Wpedantic -Werror -I. -Inet "
                        "%s/tests/library/program_stream.c ./net.so -lm -o program",
                        c_compiler(), project_folder());
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder, "./program");
    want_exit(&result, 0);
    result_free(&result);
    free(path);
}

static const char sanitizers[] = "-fsanitize=address,undefined -fno-sanitize-recover=all";

/* Sanitizers look at the vectors of a target; plain C has the same loops, and its rows' bits are
   compared without them. */
static void check(Net net, const char *target, const char *more)
{
    if (!machine_has(target) && strcmp(target, "native") != 0)
        skip();
    net_close(&net);
    char *graph = net_graph(&net), *options = text_of("--stream --target %s %s", target, more);
    print_message("%s, of %s\n", options, graph);
    Library library = library_load(graph, options);
    check_values(&net, &library);
    if (strcmp(target, "c") == 0)
        run_loaded(library.folder);
    else
        run_program(library.folder, sanitizers, "");
    library_free(&library);
    free(graph);
    free(options);
}

static const Net pooled = {
    .height = 22,
    .width = 18,
    .channels = 3,
    .encoder = { { CONV, .filters = 17, .kernel = 3, .activation = "relu" },
                 { POOL, .size = 2 },
                 { CONV, .filters = 36, .kernel = 3, .activation = "leaky_relu" },
                 { POOL, .size = 2 } },
    .decoder = { { CONV, .filters = 20, .kernel = 3, .activation = "relu" },
                 { UP, .size = 2 },
                 { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } }
};
static const Net averaged = { .height = 21,
                              .width = 21,
                              .channels = 1,
                              .encoder = {
                                  { CONV, .filters = 8, .kernel = 5, .activation = "sigmoid" },
                                  { AVG, .size = 3 },
                                  { CONV, .filters = 40, .kernel = 2, .activation = "elu" },
                                  { AVG, .size = 2 } } };
static const Net pools = { .height = 26,
                           .width = 26,
                           .channels = 2,
                           .encoder = { { NOISE, .rate = 0.1 },
                                        { ACT, .activation = "tanh" },
                                        { CONV, .filters = 3, .kernel = 1 },
                                        { POOL, .size = 2 },
                                        { POOL, .size = 3 },
                                        { CONV, .filters = 6, .kernel = 3, .no_bias = true },
                                        { AVG, .size = 2 } },
                           .decoder = { { ACT, .activation = "softplus" },
                                        { UP, .size = 3 },
                                        { ACT, .activation = "relu" } } };
/* Pixels that come from other places: rows outside the image, that nobody reads, from below. */
static const Net moved = { .height = 18,
                           .width = 14,
                           .channels = 2,
                           .encoder = { { PAD, .pad = { 2, 1, 4, 1 } },
                                        { S2D, .size = 2 },
                                        { RESCALE, .scale = 0.5, .offset = -0.25,
                                          .by_channel = true },
                                        { CONV, .filters = 8, .kernel = 3, .activation = "tanh" },
                                        { CROP, .pad = { 1, 0, 2, 1 } },
                                        { POOL, .size = 2 } },
                           .decoder = { { UP, .size = 3, .size_w = 2, .bilinear = true },
                                        { D2S, .size = 2 },
                                        { UP, .size = 1, .size_w = 3, .bilinear = true },
                                        { CROP, .pad = { 3, 0, 0, 0 } },
                                        { UP, .size = 2, .size_w = 1 },
                                        { CONV, .filters = 2, .kernel = 3 },
                                        { RESCALE, .scale = -2 },
                                        { UP, .size = 2, .size_w = 1, .bilinear = true },
                                        { PAD, .pad = { 0, 0, 3, 0 } },
                                        { CROP, .pad = { 20, 3, 49, 19 } } } };
/* That overlap, reach over the border, leave gaps, or are no squares. */
static const Net windows = { .height = 20,
                             .width = 20,
                             .channels = 2,
                             .encoder = { { CONV, .filters = 5, .kernel = 3, .activation = "relu" },
                                          { POOL, .size = 3, .stride = 2, .same = true },
                                          { AVG, .size = 3, .stride = 1, .pad = { 1, 2, 1, 0 } },
                                          { POOL, .size = 2, .size_w = 1 },
                                          { AVG, .size = 1, .size_w = 2 },
                                          { POOL, .size = 3, .stride = 1, .pad = { 2, 1, 0, 1 } } },
                             .decoder = { { UP, .size = 8 },
                                          { CONV, .filters = 3, .kernel = 1 },
                                          { AVG, .size = 2, .stride = 4, .same = true },
                                          { UP, .size = 2 } } };
/* Activations that no max-pool may come before, and others. */
static const Net curved = {
    .height = 22,
    .width = 18,
    .channels = 3,
    .encoder = { { CONV, .filters = 17, .kernel = 3, .activation = "gelu" },
                 { POOL, .size = 2 },
                 { CONV, .filters = 9, .kernel = 3, .activation = "silu" },
                 { AVG, .size = 2 },
                 { LAYER_NORM },
                 { ACT, .activation = "hard_swish" } },
    .decoder = { { CONV, .filters = 20, .kernel = 3, .activation = "relu6" },
                 { ACT, .activation = "mish" },
                 { UP, .size = 2 },
                 { CONV, .filters = 5, .kernel = 3, .activation = "softsign" },
                 { PRELU },
                 { LAYER_NORM, .rests = true },
                 { ACT, .activation = "softmax" },
                 { ACT, .activation = "gelu", .approximate = true },
                 { CONV, .filters = 4, .kernel = 3, .activation = "hard_sigmoid" } }
};

static const Net shaped = {
    .height = 12,
    .width = 10,
    .channels = 4,
    .encoder = { { CONV, .filters = 6, .kernel = 2, .kernel_w = 5, .stride = 2, .stride_w = 1,
                   .padded = true, .pad = { 1, 2, 0, 2 }, .activation = "tanh" },
                 { CONV, .filters = 8, .kernel = 3, .dilation = 2, .dilation_w = 3, .groups = 2,
                   .activation = "relu" },
                 { POOL, .size = 2 } },
    .decoder = { { UP, .size = 2 },
                 { CONV, .filters = 38, .kernel = 3, .dilation = 1, .dilation_w = 2, .groups = 2,
                   .activation = "relu" },
                 { DECONV, .filters = 6, .kernel = 3, .kernel_w = 2, .stride = 2, .stride_w = 1,
                   .groups = 2, .valid = true, .activation = "tanh" },
                 { CONV, .filters = 4, .kernel = 2, .valid = true } }
};
static const Net dilated = {
    .height = 12,
    .width = 10,
    .channels = 2,
    .encoder = { { CONV, .filters = 5, .kernel = 3, .dilation = 2, .stride = 2 } },
    .decoder = { { DECONV, .filters = 4, .kernel = 3, .dilation = 3, .activation = "tanh" },
                 { DECONV, .filters = 3, .kernel = 3, .kernel_w = 1, .stride = 1, .stride_w = 2,
                   .padded = true, .pad = { 1, 0, 1, 0 }, .dilation = 1, .enlarged = true,
                   .more = { 0, 1 } },
                 { CONV, .filters = 3, .kernel = 1, .stride = 1, .stride_w = 2 } }
};

/* Layers that read the image's own pixels. */
static const Net pixels[] = {
    { .height = 24,
      .width = 18,
      .channels = 3,
      .encoder = { { POOL, .size = 2 },
                   { CONV, .filters = 8, .kernel = 3, .activation = "relu" } } },
    { .height = 21,
      .width = 18,
      .channels = 1,
      .encoder = { { AVG, .size = 3 },
                   { CONV, .filters = 8, .kernel = 3, .activation = "relu" } } },
    { .height = 10,
      .width = 12,
      .channels = 3,
      .encoder = { { UP, .size = 2 },
                   { CONV, .filters = 8, .kernel = 3, .activation = "tanh" },
                   { POOL, .size = 2 } } },
    { .height = 10,
      .width = 12,
      .channels = 3,
      .encoder = { { ACT, .activation = "softplus" }, { CONV, .filters = 5, .kernel = 3 } } },
};
static const Net strided = { .height = 25,
                             .width = 25,
                             .channels = 3,
                             .encoder = { { CONV, .filters = 9, .kernel = 7, .stride = 2,
                                            .activation = "relu" },
                                          { CONV, .filters = 33, .kernel = 4, .stride = 3,
                                            .valid = true, .activation = "tanh" } },
                             .decoder = { { CONV, .filters = 4, .kernel = 1, .stride = 2 } } };
static const Net sparse = { .height = 20,
                            .width = 20,
                            .channels = 3,
                            .encoder = { { CONV, .filters = 70, .kernel = 1, .stride = 3 },
                                         { POOL, .size = 1 },
                                         { CONV, .filters = 3, .kernel = 6, .valid = true } },
                            .decoder = { { UP, .size = 2 },
                                         { CONV, .filters = 4, .kernel = 3, .stride = 2 },
                                         { ACT, .activation = "tanh" },
                                         { AVG, .size = 1 } } };
static const Net upsampled = {
    .height = 12,
    .width = 12,
    .channels = 3,
    .encoder = { { CONV, .filters = 5, .kernel = 3, .stride = 2, .activation = "relu" } },
    .decoder = { { UP, .size = 3 },
                 { CONV, .filters = 18, .kernel = 5, .stride = 2, .activation = "relu" },
                 { UP, .size = 2 },
                 { CONV, .filters = 3, .kernel = 2, .stride = 3 },
                 { UP, .size = 2 },
                 { CONV, .filters = 3, .kernel = 1 },
                 { UP, .size = 3 },
                 { CONV, .filters = 7, .kernel = 4, .stride = 4, .valid = true },
                 { UP, .size = 4 },
                 { CONV, .filters = 3, .kernel = 6, .activation = "relu" },
                 { AVG, .size = 2 } }
};
static const Net transposed = {
    .height = 10,
    .width = 20,
    .channels = 3,
    .encoder = { { CONV, .filters = 12, .kernel = 3, .activation = "relu" },
                 { AVG, .size = 2 },
                 { CONV, .filters = 7, .kernel = 1, .stride = 5, .activation = "tanh" } },
    .decoder = { { DECONV, .filters = 17, .kernel = 3, .stride = 5, .activation = "elu" },
                 { DECONV, .filters = 5, .kernel = 1, .stride = 2, .activation = "relu" },
                 { POOL, .size = 2 },
                 { DECONV, .filters = 4, .kernel = 5, .stride = 2 },
                 { DECONV, .filters = 6, .kernel = 4, .stride = 1 },
                 { POOL, .size = 2 },
                 { DECONV, .filters = 4, .kernel = 3, .stride = 1, .activation = "relu" } }
};
/* Wide rows, of several tiles and a rest, and blocks of channels. */
static const Net wide = { .height = 12,
                          .width = 132,
                          .channels = 3,
                          .encoder = { { CONV, .filters = 34, .kernel = 3, .activation = "relu" },
                                       { CONV, .filters = 66, .kernel = 3, .activation = "relu" },
                                       { POOL, .size = 2 },
                                       { CONV, .filters = 128, .kernel = 3, .activation = "relu" },
                                       { POOL, .size = 3 } } };

/* For F(4, 3): rows of several strips of tiles, the last one not full, and channels of several
   blocks. */
static const Net tiled = { .height = 42,
                           .width = 42,
                           .channels = 3,
                           .encoder = {
                               { CONV, .filters = 32, .kernel = 3, .activation = "relu" },
                               { CONV, .filters = 80, .kernel = 3, .activation = "tanh" },
                               { AVG, .size = 2 },
                               { CONV, .filters = 33, .kernel = 3, .activation = "elu" } } };
static const Net tiled_pool = {
    .height = 36,
    .width = 36,
    .channels = 3,
    .encoder = { { CONV, .filters = 18, .kernel = 3 },
                 { CONV, .filters = 144, .kernel = 3, .valid = true, .activation = "relu" },
                 { POOL, .size = 2 },
                 { CONV, .filters = 16, .kernel = 3, .no_bias = true },
                 { POOL, .size = 4 } },
    .decoder = { { CONV, .filters = 32, .kernel = 3 }, { CONV, .filters = 5, .kernel = 1 } }
};
/* Pools that the kernel takes in and that it does not, several filters a channel, long kernels. */
static const Net depthwise = {
    .height = 26,
    .width = 30,
    .channels = 3,
    .encoder = { { DEPTHWISE, .kernel = 3, .multiplier = 4, .activation = "tanh" },
                 { DEPTHWISE, .kernel = 5, .activation = "hard_swish" },
                 { POOL, .size = 2 },
                 { SEPARABLE, .filters = 18, .kernel = 3, .dilation = 2, .activation = "relu6" },
                 { DEPTHWISE, .kernel = 2, .kernel_w = 11, .padded = true, .pad = { 0, 6, 1, 4 } },
                 { AVG, .size = 2 } }
};

static const Net depthwise_strided = {
    .height = 24,
    .width = 24,
    .channels = 2,
    .encoder = { { SEPARABLE, .filters = 17, .kernel = 3, .stride = 2, .activation = "relu" },
                 { DEPTHWISE, .kernel = 5, .stride = 2, .no_bias = true, .activation = "elu" },
                 { DEPTHWISE, .kernel = 3, .stride = 3 } },
    .decoder = { { UP, .size = 2 }, { DEPTHWISE, .kernel = 3, .dilation = 3, .dilation_w = 1 } }
};

/* Signals of one row, whose samples stream. */
static const Net signal = { .height = 1,
                            .width = 48,
                            .channels = 3,
                            .encoder = { { CONV, .filters = 17, .kernel = 1, .kernel_w = 5,
                                           .activation = "relu" },
                                         { CONV, .filters = 6, .kernel = 1, .kernel_w = 3,
                                           .stride = 1, .stride_w = 2, .activation = "tanh" } },
                            .decoder = { { DECONV, .filters = 9, .kernel = 1, .kernel_w = 4,
                                           .stride = 1, .stride_w = 2, .activation = "relu" },
                                         { CONV, .filters = 3, .kernel = 1, .kernel_w = 3 } } };
/* An output of zeros above the image, which no layer before it is asked for. */
static const Net outside = { .height = 16,
                             .width = 8,
                             .channels = 2,
                             .encoder = { { CONV, .filters = 5, .kernel = 3 } },
                             .decoder = { { CONV, .filters = 4, .kernel = 3 },
                                          { CONV, .filters = 2, .kernel = 3 },
                                          { PAD, .pad = { 20, 0, 0, 0 } },
                                          { CROP, .pad = { 0, 0, 20, 0 } } } };

/* A last block of channels that is not full, in a loop over blocks. */
static const Net ragged = { .height = 9,
                            .width = 14,
                            .channels = 3,
                            .encoder = { { CONV, .filters = 8, .kernel = 3, .activation = "relu" },
                                         { CONV, .filters = 30, .kernel = 3 } } };
#define F43 " --kernel encoder.conv2=conv_rows_f43 --kernel encoder.conv3=conv_rows_f43"

static void by_winograd(void **state)
{
    (void)state;
    check(tiled, "native", "--no-training" F43);
    check(tiled_pool, "native", "--no-training" F43 " --kernel decoder.conv1=conv_rows_f43");
    check(tiled, "c", "--no-training" F43);
    check(tiled_pool, "x86-64-v3", "--no-training" F43);
    check(ragged, "x86-64-v3", "--no-training --kernel encoder.conv2=conv_rows_f43");
    check(tiled_pool, "x86-64-v3", "--no-training --kernel encoder.conv2=conv_rows");
}

#define OF(name)                                \
    static void of_##name(void **state)         \
    {                                           \
        (void)state;                            \
        check(name, "native", "--no-training"); \
        check(name, "c", "--no-training");      \
    }
OF(pooled)
OF(averaged)
OF(pools)
OF(windows)
OF(curved)
OF(strided)
OF(sparse)
OF(upsampled)
OF(transposed)
OF(wide)
OF(signal)
OF(outside)
OF(shaped)
OF(dilated)
OF(depthwise)
OF(depthwise_strided)

static void of_pixels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++)
        check(pixels[i], "x86-64-v2", i == 0 ? "" : "--no-training");
}

static void of_moved(void **state)
{
    (void)state;
    check(moved, "x86-64-v3", "--no-training");
}

static void on_other_targets(void **state)
{
    (void)state;
    check(pooled, "x86-64-v3", "");
    check(averaged, "x86-64-v2", "--no-training");
    check(transposed, "x86-64-v3", "--no-training");
}

static void of_little_code(void **state)
{
    (void)state;
    check(pooled, "native", "--optimize size");
    check(averaged, "c", "--optimize size --no-training");
    check(depthwise, "native", "--optimize size");
}

/* Rows that a pool drops are not computed, and neither are those above them that only they would
   read. */
static void each_row_once(void **state)
{
    (void)state;
    static const char cae[] = NET(
        24, 24, 3,
        "conv2d { filters = 8, kernel = 3, activation = \"relu\" }, max_pool2d { size = 2 }, "
        "conv2d { filters = 6, kernel = 3, padding = \"valid\" },"
        "max_pool2d { size = 2 }, avg_pool2d { size = 2 },",
        "conv2d { filters = 5, kernel = 3 }, upsample2d { size = 12 }, conv2d { filters = 3, "
        "kernel = 3 },",
        "loss = \"mse\", optimizer = adam {}");
    /* 24 -> 12 -> 10 -> 5 -> 2 (so 4 of these 5, 8 of the 10, 10 of the 12, 20 of the 24 are
       wanted) -> 24 */
    char *folder = library_write(cae, "--stream --no-training");
    run_program(folder, "-DCOUNTED -finstrument-functions",
                "ROWS(net_encoder_conv1_forward_row, 20) ROWS(net_encoder_conv2_forward_row, 8) "
                "ROWS(net_encoder_pool3_forward_row, 4)\n"
                "ROWS(net_decoder_conv1_forward_row, 2) ROWS(net_decoder_conv2_forward_row, 24)\n");
    folder_remove(folder);
}

/* What the library makes of an image, by parameters of which none is below 0, as no variance is; to
   be freed. */
static double *reconstructed(const char *graph, const char *options, size_t *count)
{
    Library l = library_load(graph, options);
    float *parameters = block_new(l.parameters * sizeof *parameters),
          *output = block_new(l.output * sizeof *output);
    uint8_t *image = block_new(l.image);
    void *prepared = block_new(l.prepared_bytes), *workspace = block_new(l.workspace_bytes);
    double *values = malloc(l.output * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < l.parameters; i++)
        parameters[i] = (float)(i * 37 % 101) / 101;
    fill_image(image, l.image, 5);
    assert_int_equal(l.prepare(parameters, prepared, l.prepared_bytes), 0);
    assert_int_equal(l.reconstruct(prepared, image, output, workspace, l.workspace_bytes), 0);
    *count = l.output;
    for (size_t i = 0; i < l.output; i++)
        values[i] = (double)output[i];
    void *const blocks[] = { parameters, output, image, prepared, workspace };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    library_free(&l);
    return values;
}

/* By its moving statistics: what whole images give. The program draws parameters from -0.4 on, for
   variances of which eps is large enough. */
static void of_batch_norm(void **state)
{
    (void)state;
    static const char normed[] = NET(
        13, 10, 3, "conv2d { filters = 5, kernel = 3 }, batch_norm {}, relu {}, max_pool2d {},",
        "batch_norm { eps = 1 }, conv2d { filters = 6, kernel = 3 }, gaussian_sample {}, "
        "batch_norm { eps = 1 }, upsample2d {}, zero_pad2d { padding = { 1, 0, 0, 0 } },",
        "loss = \"mse\", optimizer = adam {}");
    static const char drawn[] = NET(
        12, 10, 3,
        "batch_norm { eps = 1 }, conv2d { filters = 17, kernel = 3, activation = \"relu\" }, "
        "batch_norm { eps = 1 }, max_pool2d {},",
        "conv2d { filters = 3, kernel = 3 }, batch_norm { eps = 1 }, upsample2d {},",
        "loss = \"mse\", optimizer = adam {}");
    static const char *const options[] = { "--target c", "--no-training --target native" };
    for (int i = 0; i < 2; i++) {
        char *rows = text_of("--stream %s", options[i]);
        size_t count, again;
        double *right = reconstructed(normed, options[i], &count),
               *got = reconstructed(normed, rows, &again);
        assert_int_equal(again, count);
        const double difference = relative_difference(got, right, count);
        print_message("%s: %.3g\n", rows, difference);
        assert_true(difference <= tolerance);
        Library library = library_load(drawn, rows);
        run_program(library.folder, i ? sanitizers : "", "");
        library_free(&library);
        free(right);
        free(got);
        free(rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_pooled),      cmocka_unit_test(of_averaged),
        cmocka_unit_test(of_pools),       cmocka_unit_test(of_windows),
        cmocka_unit_test(of_curved),      cmocka_unit_test(of_batch_norm),
        cmocka_unit_test(of_moved),       cmocka_unit_test(of_strided),
        cmocka_unit_test(of_sparse),      cmocka_unit_test(of_upsampled),
        cmocka_unit_test(of_transposed),  cmocka_unit_test(of_wide),
        cmocka_unit_test(of_signal),      cmocka_unit_test(of_outside),
        cmocka_unit_test(of_shaped),      cmocka_unit_test(of_dilated),
        cmocka_unit_test(of_depthwise),   cmocka_unit_test(of_depthwise_strided),
        cmocka_unit_test(of_pixels),      cmocka_unit_test(on_other_targets),
        cmocka_unit_test(of_little_code), cmocka_unit_test(by_winograd),
        cmocka_unit_test(each_row_once),
    };
    return cmocka_run_group_tests_name("library stream", tests, NULL, NULL);
}
