/* What each pass does to a small graph, read from `--dump PASS`. */
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char graph[] =
    "return autoencoder \"net\" {\n"
    "  input = { 12, 16, 3 },\n"
    "  encoder = sequential \"encoder\" {\n"
    "    conv2d { filters = 5, kernel = 3, activation = \"relu\" },\n"
    "    max_pool2d {},\n"
    "  },\n"
    "  decoder = sequential \"decoder\" {\n"
    "    conv2d { filters = 4, kernel = 3, stride = 2, activation = \"tanh\" },\n"
    "    upsample2d {},\n"
    "    conv2d { filters = 3, kernel = 3, use_bias = false },\n"
    "    upsample2d {},\n"
    "  },\n"
    "}\n";

static char *dump_of(const char *text, const char *pass)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, text, strlen(text));
    Result result = run_caec(folder, "net.lua --dump %s --target c", pass);
    want_exit(&result, 0);
    free(result.err);
    free(path);
    folder_remove(folder);
    return result.out;
}

/* The line that starts with `start`, followed by blanks and a comment or its end; NULL where there
   is none. */
static const char *find_line(const char *dump, const char *start)
{
    size_t n = strlen(start);
    for (const char *line = dump; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, start, n) != 0)
            continue;
        const char *rest = line + n + strspn(line + n, " ");
        if (*rest == ';' || *rest == '\n')
            return line;
    }
    return NULL;
}

static void want_line(const char *dump, const char *start)
{
    if (!find_line(dump, start))
        fail_msg("no line\n%s\nin\n%s", start, dump);
}

static void want_no(const char *dump, const char *text)
{
    if (strstr(dump, text))
        fail_msg("%s in\n%s", text, dump);
}

static void load_makes_a_node_for_each_value(void **state)
{
    (void)state;
    char *dump = dump_of(graph, "load");
    want_line(dump, "input = input : 12x16x3 pixels");
    want_line(dump, "encoder.conv1.kernel = parameter : 3x3x3x5");
    want_line(dump, "encoder.conv1.bias = parameter : 5");
    want_line(
        dump,
        "encoder.conv1 = conv2d(input, encoder.conv1.kernel) { kernel=3, stride=1, same=1, up=1 } "
        ": 12x16x5");
    want_line(dump,
              "encoder.conv1.bias_add = bias_add(encoder.conv1, encoder.conv1.bias) : 12x16x5");
    want_line(dump, "encoder.conv1.relu = relu(encoder.conv1.bias_add) : 12x16x5");
    want_line(dump, "encoder.pool1 = max_pool2d(encoder.conv1.relu) { size=2 } : 6x8x5");
    want_line(
        dump,
        "decoder.conv1 = conv2d(encoder.pool1, decoder.conv1.kernel) { kernel=3, stride=2, same=1, "
        "up=1 } : 3x4x4");
    want_line(dump, "decoder.up1 = upsample2d(decoder.conv1.tanh) { size=2 } : 6x8x4");
    want_line(
        dump,
        "decoder.conv2 = conv2d(decoder.up1, decoder.conv2.kernel) { kernel=3, stride=1, same=1, "
        "up=1 } : 6x8x3");
    want_line(dump, "loss = mse(decoder.up2, input) { up=1 } : 1");
    want_line(dump, "latent encoder.pool1; output decoder.up2; loss loss");
    assert_non_null(
        strstr(find_line(dump, "decoder.up1 = upsample2d(decoder.conv1.tanh) { size=2 } : 6x8x4"),
               "; net.lua:9\n"));
    want_no(dump, "decoder.conv2.bias");
    want_no(dump, "_dx");
    free(dump);
}

#define SIGNAL(height, kernel)                                                                   \
    "return autoencoder \"net\" { input = { " #height ", 8, 3 },\n"                              \
    "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = " #kernel " }, flatten {},\n" \
    "    reshape { shape = { " #height ", 4, 10 } } },\n"                                        \
    "  decoder = sequential \"d\" { reshape { shape = { " #height ", 8, 5 } },\n"                \
    "    conv2d { filters = 3, kernel = 1 } } }\n"

/* What --stream makes of a graph file; to be freed. */
static char *dump_of_stream(const char *text, const char *pass)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, text, strlen(text));
    Result result = run_caec(
        folder, "net.lua -o . --emit library --stream --dump %s --stop-after %s", pass, pass);
    want_exit(&result, 0);
    char *dump = text_of("%s", result.out);
    result_free(&result);
    folder_remove(folder);
    free(path);
    return dump;
}

/* Where a signal streams its samples become rows. Not where it does not stream, nor where an image
   or a kernel has several rows. */
static void turn_makes_rows_of_samples(void **state)
{
    (void)state;
    char *dump = dump_of_stream(SIGNAL(1, 1), "turn");
    want_line(dump, "input = input : 8x1x3 pixels");
    want_line(dump, "e.conv1.kernel = parameter : 1x1x3x5");
    want_line(dump,
              "e.reshape1 = reshape(e.flatten1) { rank=3, first=4, second=1, third=10 } : 4x1x10");
    want_line(dump, "d.conv1.bias_add = bias_add(d.conv1, d.conv1.bias) : 8x1x3");
    free(dump);
    char *before = dump_of(SIGNAL(1, 1), "load"), *after = dump_of(SIGNAL(1, 1), "turn");
    assert_string_equal(before, after);
    free(before);
    free(after);
    static const char *const others[] = { SIGNAL(2, 1), SIGNAL(1, 3) };
    for (int i = 0; i < 2; i++) {
        before = dump_of_stream(others[i], "load"), after = dump_of_stream(others[i], "turn");
        assert_string_equal(before, after);
        free(before);
        free(after);
    }
}

/* Past noise and dropout inference has nodes of its own, except where nothing of that kind stands
   above. */
static void separate_leads_inference_past_noise(void **state)
{
    (void)state;
    static const char noisy[] =
        "return autoencoder \"net\" { input = { 8, 8, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3, activation = \"relu\" }, "
        "dropout { rate = 0.5 } },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3, use_bias = false } } }\n";
    char *dump = dump_of(noisy, "split_inference");
    want_line(dump, "e.dropout1 = dropout(e.conv1.relu) { rate=0.5, stream=1 } : 8x8x5");
    want_line(dump,
              "d.conv1 = conv2d(e.dropout1, d.conv1.kernel) { kernel=3, stride=1, same=1, up=1 } : "
              "8x8x3");
    want_line(
        dump,
        "d.conv1.infer = conv2d(e.conv1.relu, d.conv1.kernel) { kernel=3, stride=1, same=1, up=1 } "
        ": 8x8x3");
    want_line(dump, "loss = mse(d.conv1, input) { up=1 } : 1");
    want_line(dump, "latent e.conv1.relu; output d.conv1.infer; loss loss");
    want_no(dump, "e.conv1.infer");
    free(dump);
    static const char first[] =
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { "
        "gaussian_noise { stddev = 0.1 }, relu {}, conv2d { filters = 5, "
        "kernel = 3 } },\n  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3 }, "
        "gaussian_noise { stddev = 0.1 } } }\n";
    dump = dump_of(first, "split_inference");
    want_line(dump, "d.noise1 = gaussian_noise(d.conv1.bias_add) { stddev=0.1, stream=2 } : 8x8x3");
    want_line(dump, "e.noise1.reals = from_pixels(input) : 8x8x3");
    want_line(dump, "e.relu1.infer = relu(e.noise1.reals) : 8x8x3");
    want_line(dump, "latent e.conv1.bias_add.infer; output d.conv1.bias_add.infer; loss loss");
    free(dump);
    char *before = dump_of(graph, "load"), *after = dump_of(graph, "split_inference");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void fold_takes_upsampling_into_convolution_and_loss(void **state)
{
    (void)state;
    char *dump = dump_of(graph, "fold");
    want_line(
        dump,
        "decoder.conv2 = conv2d(decoder.conv1.tanh, decoder.conv2.kernel) { kernel=3, stride=1, "
        "same=1, up=2 } : 6x8x3");
    want_line(dump, "loss = mse(decoder.conv2, input) { up=2 } : 1");
    /* the output is still made from it */
    want_line(dump, "decoder.up2 = upsample2d(decoder.conv2) { size=2 } : 12x16x3");
    free(dump);
    static const char twice[] =
        "return autoencoder \"net\" { input = { 12, 12, 3 }, encoder = sequential \"e\" { conv2d { "
        "filters = 5, kernel = 3, stride = 6 } },\n"
        "  decoder = sequential \"d\" { linear {}, upsample2d { size = 3 }, conv2d { filters = 3, "
        "kernel = 1 }, relu {}, upsample2d {} } }\n";
    dump = dump_of(twice, "fold");
    want_line(
        dump,
        "d.conv1 = conv2d(e.conv1.bias_add, d.conv1.kernel) { kernel=1, stride=1, same=1, up=3 } : "
        "6x6x3");
    want_line(dump, "loss = mse(d.relu1, input) { up=2 } : 1");
    free(dump);
}

/* Two in a row multiply; nothing is folded across the latent, since decoding starts there. */
static void fold_multiplies_and_stops_at_the_latent(void **state)
{
    (void)state;
    static const char row[] =
        "return autoencoder \"net\" { input = { 12, 12, 3 }, encoder = sequential \"e\" { conv2d { "
        "filters = 5, kernel = 3, stride = 6 } },\n"
        "  decoder = sequential \"d\" { upsample2d { size = 3 }, upsample2d {}, conv2d { filters = "
        "3, kernel = 1 } } }\n";
    char *dump = dump_of(row, "fold");
    want_line(
        dump,
        "d.conv1 = conv2d(e.conv1.bias_add, d.conv1.kernel) { kernel=1, stride=1, same=1, up=6 } : "
        "12x12x3");
    free(dump);
    static const char far[] = /* 64 times and no further */
        "return autoencoder \"net\" { input = { 128, 128, 3 }, encoder = sequential \"e\" { conv2d "
        "{ filters = 5, kernel = 3, stride = 128 } },\n"
        "  decoder = sequential \"d\" { linear {}, upsample2d { size = 8 }, upsample2d { size = 8 "
        "}, conv2d { filters = 3, kernel = 1 }, upsample2d {} } }\n";
    dump = dump_of(far, "fold");
    want_line(
        dump,
        "d.conv1 = conv2d(e.conv1.bias_add, d.conv1.kernel) { kernel=1, stride=1, same=1, up=64 } "
        ": 64x64x3");
    free(dump);
    static const char latent[] =
        "return autoencoder \"net\" { input = { 12, 12, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3, stride = 2 }, upsample2d "
        "{} },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 1 } } }\n";
    dump = dump_of(latent, "fold");
    want_line(
        dump,
        "d.conv1 = conv2d(e.up1, d.conv1.kernel) { kernel=1, stride=1, same=1, up=1 } : 12x12x3");
    free(dump);
}

static void differentiate_gives_every_parameter_its_gradient(void **state)
{
    (void)state;
    char *dump = dump_of(graph, "differentiate");
    want_line(dump, "loss.dx = mse_dx(decoder.conv2, input) { up=2 } : 6x8x3");
    want_line(
        dump,
        "decoder.conv2.dx = conv2d_dx(loss.dx, decoder.conv2.kernel) { kernel=3, stride=1, same=1, "
        "up=2, height=3, width=4 } : 3x4x4");
    want_line(dump,
              "decoder.conv1.tanh_dx = tanh_dx(decoder.conv1.tanh, decoder.conv2.dx) : 3x4x4");
    want_line(dump,
              "encoder.pool1.dx = max_pool2d_dx(encoder.pool1.argmax, decoder.conv1.dx) { size=2, "
              "height=12, width=16 } : 12x16x5");
    want_line(dump,
              "encoder.conv1.relu_dx = relu_dx(encoder.conv1.relu, encoder.pool1.dx) : 12x16x5");
    static const char *const parameters[] = { "encoder.conv1.kernel: encoder.conv1.dw",
                                              "encoder.conv1.bias: encoder.conv1.db",
                                              "decoder.conv1.kernel: decoder.conv1.dw",
                                              "decoder.conv1.bias: decoder.conv1.db",
                                              "decoder.conv2.kernel: decoder.conv2.dw" };
    for (int i = 0; i < 5; i++) {
        char *line = text_of("gradient of %s", parameters[i]);
        want_line(dump, line);
        free(line);
    }
    want_no(dump, "encoder.conv1.dx"); /* nobody asks for the gradient by the image */
    free(dump);
}

static void commute_exchanges_activation_and_pool(void **state)
{
    (void)state;
    char *dump = dump_of(graph, "commute");
    want_line(dump, "encoder.conv1.relu_dx = relu_dx(encoder.pool1, decoder.conv1.dx) : 6x8x5");
    want_line(
        dump,
        "encoder.pool1.dx = max_pool2d_dx(encoder.pool1.argmax, encoder.conv1.relu_dx) { size=2, "
        "height=12, width=16 } : 12x16x5");
    want_line(
        dump,
        "encoder.conv1.dw = conv2d_dw(input, encoder.pool1.dx) { kernel=3, stride=1, same=1, up=1 "
        "} : 3x3x3x5");
    /* no pool after it: as it was */
    want_line(dump,
              "decoder.conv1.tanh_dx = tanh_dx(decoder.conv1.tanh, decoder.conv2.dx) : 3x4x4");
    free(dump);
}

static void drop_removes_what_folding_left(void **state)
{
    (void)state;
    char *before = dump_of(graph, "commute"), *after = dump_of(graph, "drop");
    assert_non_null(strstr(before, "decoder.up1 = "));
    want_no(after, "decoder.up1 = ");
    want_line(after, "decoder.up2 = upsample2d(decoder.conv2) { size=2 } : 12x16x3");
    free(before);
    free(after);
}

static void fuse_finds_the_fusions(void **state)
{
    (void)state;
    char *dump = dump_of(graph, "fuse");
    want_line(dump,
              "fusion encoder.conv1: core=encoder.conv1 bias=encoder.conv1.bias_add "
              "act=encoder.conv1.relu pool=encoder.pool1 "
              "codes=encoder.pool1.argmax d_act=encoder.conv1.relu_dx d_pool=encoder.pool1.dx "
              "dw=encoder.conv1.dw db=encoder.conv1.db");
    want_line(dump, "fusion decoder.conv1: core=decoder.conv1 bias=decoder.conv1.bias_add "
                    "act=decoder.conv1.tanh d_act=decoder.conv1.tanh_dx "
                    "dx=decoder.conv1.dx dw=decoder.conv1.dw db=decoder.conv1.db");
    want_line(dump,
              "fusion decoder.conv2: core=decoder.conv2 dx=decoder.conv2.dx dw=decoder.conv2.dw");
    want_line(dump, "fusion decoder.up2: core=decoder.up2");
    want_line(dump, "fusion loss: core=loss");
    free(dump);
}

/* An activation or a pool that the latent reads belongs to the encoder's stage; what stands after
   the latent does not. */
static void fuse_ends_a_fusion_at_the_latent(void **state)
{
    (void)state;
    static const char split[] =
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { conv2d { "
        "filters = 5, kernel = 3 } },\n"
        "  decoder = sequential \"d\" { relu {}, max_pool2d {}, upsample2d {}, conv2d { filters = "
        "3, kernel = 3 } } }\n";
    char *dump = dump_of(split, "fuse");
    want_line(dump,
              "fusion e.conv1: core=e.conv1 bias=e.conv1.bias_add dw=e.conv1.dw db=e.conv1.db");
    want_line(dump, "fusion d.relu1: core=d.relu1");
    want_line(dump, "fusion d.pool1: core=d.pool1");
    free(dump);
}

static void stop_after_writes_nothing(void **state)
{
    (void)state;
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *out = text_of("%s/out", folder);
    file_write(path, graph, strlen(graph));
    static const char *const passes[] = { "load", "turn",          "split_inference",
                                          "fold", "differentiate", "commute",
                                          "drop", "fuse",          "plan" };
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        Result result = run_caec(folder, "net.lua -o out --stop-after %s", passes[i]);
        want_exit(&result, 0);
        assert_string_equal(result.out, "");
        assert_false(file_exists(out));
        result_free(&result);
        if (strcmp(passes[i], "plan") == 0)
            continue;
        result = run_caec(folder, "--expand conv_direct --stop-after %s", passes[i]);
        want_exit(&result, 0);
        assert_string_equal(result.out, "");
        result_free(&result);
    }
    free(path);
    free(out);
    folder_remove(folder);
}

/* A signal's one row is cut for threads to share, where it is long; also where its width is no
   multiple of what a segment has at least. */
static void signals_are_cut_into_segments(void **state)
{
    (void)state;
    static const struct {
        int width;
        const char *numbers;
    } cases[] = { { 1024, " WIDTH=64 SEGMENTS=16 " },
                  { 1000, " WIDTH=100 SEGMENTS=10 " },
                  { 127, " WIDTH=127 SEGMENTS=1 " },
                  { 63, " HEIGHT=1 WIDTH=63 " } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = text_of("return autoencoder \"net\" { input = { 1, %d, 3 }, encoder = "
                             "sequential \"e\" { conv2d { filters = 8, kernel = { 1, 5 } } },\n"
                             "decoder = sequential \"d\" { conv2d { filters = 3, kernel = 1 } } }",
                             cases[i].width);
        char *dump = dump_of(text, "plan");
        if (!strstr(dump, cases[i].numbers))
            fail_msg("no %s in\n%s", cases[i].numbers, dump);
        free(dump);
        free(text);
    }
}

static const char dense_graph[] =
    "return autoencoder \"net\" {\n"
    "  input = { 12, 16, 3 },\n"
    "  encoder = sequential \"encoder\" { flatten {}, dense { units = 24, activation = \"relu\" } "
    "},\n"
    "  decoder = sequential \"decoder\" { dense { units = 96 }, reshape { shape = { 6, 8, 2 } }, "
    "upsample2d {}, conv2d { filters = 3, kernel = 3 } },\n"
    "}\n";

/* A view has no step, nor has the gradient by the pixels; the products say for how many images they
   are. */
static void dense_layers_take_microbatches(void **state)
{
    (void)state;
    char *load = dump_of(dense_graph, "load"), *grouped = dump_of(dense_graph, "fuse"),
         *plan = dump_of(dense_graph, "plan");
    want_line(load, "encoder.flatten1.reals = from_pixels(input) : 12x16x3");
    want_line(
        load,
        "encoder.flatten1 = reshape(encoder.flatten1.reals) { rank=1, first=576, second=0, third=0 "
        "} : 576");
    want_line(load, "encoder.dense1 = dense(encoder.flatten1, encoder.dense1.kernel) : 24");
    want_line(
        load,
        "decoder.reshape1 = reshape(decoder.dense1.bias_add) { rank=3, first=6, second=8, third=2 "
        "} : 6x8x2");
    want_line(
        grouped,
        "decoder.reshape1.dx = reshape(decoder.conv1.dx) { rank=1, first=96, second=0, third=0 } : "
        "96");
    want_no(grouped, "encoder.dense1.dx");
    assert_non_null(
        strstr(grouped, "fusion decoder.dense1: core=decoder.dense1 bias=decoder.dense1.bias_add "
                        "dx=decoder.dense1.dx dw=decoder.dense1.dw"));
    assert_non_null(strstr(plan, "microbatch: 32 images at once"));
    assert_non_null(strstr(plan, "encoder_flatten1_reals           pointwise"));
    assert_non_null(strstr(plan, "decoder_dense1_dx                dense_plain  dX"));
    want_no(plan, "decoder_reshape1");
    want_no(plan, "dense_blas");
    free(load);
    free(grouped);
    free(plan);
    plan = dump_of(graph, "plan");
    want_no(plan, "microbatch:");
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_makes_a_node_for_each_value),
        cmocka_unit_test(turn_makes_rows_of_samples),
        cmocka_unit_test(separate_leads_inference_past_noise),
        cmocka_unit_test(fold_takes_upsampling_into_convolution_and_loss),
        cmocka_unit_test(fold_multiplies_and_stops_at_the_latent),
        cmocka_unit_test(differentiate_gives_every_parameter_its_gradient),
        cmocka_unit_test(commute_exchanges_activation_and_pool),
        cmocka_unit_test(drop_removes_what_folding_left),
        cmocka_unit_test(fuse_finds_the_fusions),
        cmocka_unit_test(fuse_ends_a_fusion_at_the_latent),
        cmocka_unit_test(stop_after_writes_nothing),
        cmocka_unit_test(signals_are_cut_into_segments),
        cmocka_unit_test(dense_layers_take_microbatches),
    };
    return cmocka_run_group_tests_name("dump", tests, NULL, NULL);
}
