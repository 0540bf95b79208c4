/* Weights that are in the library: the same numbers that net_prepare makes of them, the same
   results, and files of another network refused. */
#include "drawn.h"
#include "library.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some of them too small to be more than a few bits of a half, some between two halves. */
static float *drawn_parameters(size_t count)
{
    float *parameters = block_new(count * sizeof *parameters);
    for (size_t i = 0; i < count; i++) {
        parameters[i] = (float)(0.4 * drawn(3, i) - 0.18);
        if (i % 37 == 0)
            parameters[i] *= 0x1p-14f;
        else if (i % 41 == 0)
            parameters[i] = (float)(0.125 + (double)(2 * (i % 3) + 1) * 0x1p-14);
    }
    return parameters;
}

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* tolerance 0: to the bit. */
static void want_near(const char *what, const float *got, const float *right, size_t count,
                      double tolerance)
{
    const double bound = tolerance * largest(right, count);
    assert_true(largest(right, count) > 1e-3);
    for (size_t i = 0; i < count; i++)
        if (tolerance == 0 ? memcmp(&got[i], &right[i], sizeof *got) != 0
                           : !(fabs((double)got[i] - (double)right[i]) <= bound))
            fail_msg("%s: number %zu is %.9g, not %.9g", what, i, (double)got[i], (double)right[i]);
}

typedef struct Results {
    float *latent, *output, *rows; /* rows: the output of a stream; NULL: there is none */
} Results;

static float *by_rows(const Library *l, const void *prepared, const uint8_t *image)
{
    int (*open)(const void *, int, void *, size_t), (*push)(void *, const uint8_t *),
        (*pull)(void *, float *);
    *(void **)&open = dlsym(l->handle, "net_stream_open");
    *(void **)&push = dlsym(l->handle, "net_stream_push");
    *(void **)&pull = dlsym(l->handle, "net_stream_pull");
    if (!open)
        return NULL;
    float *rows = block_new(l->output * sizeof *rows), *to = rows;
    void *stream = block_new(l->workspace_bytes);
    size_t pushed = 0, pulled = 0;
    /* net_cae is the one with streams here */
    const size_t height = 24, row = l->image / height, out = l->output / height;
    assert_int_equal(open(prepared, 2, stream, l->workspace_bytes), 0);
    while (pulled < height) {
        const int result = pull(stream, to);
        assert_in_range(result, 0, 1);
        if (result == 1) {
            to += out;
            pulled++;
        } else {
            assert_int_equal(push(stream, image + pushed++ * row), 0);
        }
    }
    free(stream);
    return rows;
}

static Results results_of(const Library *l, const void *prepared, const uint8_t *image)
{
    Results r = { .latent = block_new(l->latent * sizeof(float)),
                  .output = block_new(l->output * sizeof(float)),
                  .rows = by_rows(l, prepared, image) };
    void *workspace = block_new(l->workspace_bytes);
    assert_int_equal(l->encode(prepared, image, r.latent, workspace, l->workspace_bytes), 0);
    assert_int_equal(l->reconstruct(prepared, image, r.output, workspace, l->workspace_bytes), 0);
    free(workspace);
    return r;
}

static void results_free(Results *r)
{
    free(r->latent);
    free(r->output);
    free(r->rows);
}

static void want_results(const Library *l, const Results *got, const Results *right,
                         double tolerance)
{
    want_near("latent", got->latent, right->latent, l->latent, tolerance);
    want_near("output", got->output, right->output, l->output, tolerance);
    assert_int_equal(!got->rows, !right->rows);
    if (got->rows)
        want_near("rows", got->rows, right->rows, l->output, tolerance);
}

/* The packings: to the bit, or within Winograd's rounding, `tolerance` of the largest; the results
   within what these bring about. */
static void compare(const char *graph, const char *options, const char *as, double tolerance)
{
    char *plain_options = text_of("--no-training %s", options);
    Library plain = library_load(graph, plain_options);
    float *parameters = drawn_parameters(plain.parameters),
          *prepared = block_new(plain.prepared_bytes);
    memset(prepared, 0, plain.prepared_bytes);
    assert_int_equal(plain.prepare(parameters, prepared, plain.prepared_bytes), 0);
    char *weights = library_weights(plain.folder, parameters),
         *baked_options = text_of("%s --weights %s %s", plain_options, weights, as);
    Library baked = library_load(graph, baked_options);
    assert_null(plain.baked);
    assert_non_null(baked.baked);
    assert_null(baked.prepare);
    assert_int_equal((uintptr_t)baked.baked % baked.align, 0);
    /* what prepare() makes a scaled kernel in is not among them */
    if (strstr(graph, "batch_norm"))
        assert_true(baked.prepared_bytes < plain.prepared_bytes);
    else
        assert_int_equal(baked.prepared_bytes, plain.prepared_bytes);
    want_near("weights", baked.baked, prepared, baked.prepared_bytes / sizeof(float), tolerance);
    uint8_t *image = block_new(plain.image);
    fill_image(image, plain.image, 1);
    Results right = results_of(&plain, prepared, image),
            got = results_of(&baked, baked.baked, image);
    want_results(&plain, &got, &right, tolerance == 0 ? 0 : 1e-5);
    results_free(&right);
    results_free(&got);
    library_free(&baked);
    library_free(&plain);
    void *const blocks[] = { plain_options, parameters, prepared, weights, baked_options, image };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* The nearest number of 11 bits, or multiple of 2^-24. */
static float rounded_to_half(double x)
{
    int exponent;
    frexp(x, &exponent);
    const double unit = ldexp(1, exponent - 11 > -24 ? exponent - 11 : -24);
    return (float)(nearbyint(x / unit) * unit);
}

static float half_value(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return (float)(half >> 15 ? -size : size);
}

/* Halves: half the bytes, each the nearest to what is baked in float; and the results of the float
   kernels on such weights. */
static void compare_halves(const char *graph, const char *options, const char *as)
{
    char *plain_options = text_of("--no-training %s", options),
         *folder = library_write(graph, plain_options);
    char *path = text_of("%s/net/net.h", folder), *header = file_read(path, NULL);
    float *parameters = drawn_parameters((size_t)library_number(header, "NET_PARAMETER_FLOATS"));
    char *weights = library_weights(folder, parameters),
         *full_options = text_of("%s --weights %s", plain_options, weights);
    char *half_options = text_of("%s --weights-type f16 %s", full_options, as);
    Library full = library_load(graph, full_options), half = library_load(graph, half_options);
    const size_t count = full.prepared_bytes / sizeof(float);
    float *rounded = block_new(full.prepared_bytes);
    assert_int_equal(half.prepared_bytes, count * sizeof(uint16_t));
    size_t tiny = 0;
    for (size_t i = 0; i < count; i++) {
        const float value = half_value(((const uint16_t *)half.baked)[i]);
        rounded[i] = rounded_to_half((double)((const float *)full.baked)[i]);
        tiny += value != 0 && fabsf(value) < 0x1p-14f;
        if (value != rounded[i])
            fail_msg("weight %zu is %.9g, not %.9g", i, (double)value, (double)rounded[i]);
    }
    assert_true(tiny > 0);
    uint8_t *image = block_new(full.image);
    fill_image(image, full.image, 2);
    Results right = results_of(&full, rounded, image), got = results_of(&half, half.baked, image);
    want_results(&full, &got, &right, 2e-6);
    results_free(&right);
    results_free(&got);
    library_free(&half);
    library_free(&full);
    folder_remove(folder);
    void *const blocks[] = { plain_options, parameters,   rounded,      weights, path,
                             header,        full_options, half_options, image };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

#define INCBIN "--weights-as incbin"
#define ROUNDING 0x1p-21

static void of_direct_kernels(void **state)
{
    (void)state;
    compare(net_cae, "--optimize size --target c", INCBIN, 0);
    compare(net_cae, "--optimize size --target native", "", 0);
    compare(net_noise, "--optimize size --target native", INCBIN, 0);
    compare(net_norm, "--optimize size --target native", "--weights-as c", 0);
    compare(net_bce, "--target c", "--weights-as c", 0);
}

static void of_dense_layers(void **state)
{
    (void)state;
    compare(net_dense, "--target c --optimize size", INCBIN, 0);
    compare(net_tied, "--target c --optimize size", INCBIN, 0);
    compare(net_dense, "--target native --optimize size", "--weights-as c", 0);
}

static void of_winograd(void **state)
{
    (void)state;
    compare(net_cae, "--target c", INCBIN, ROUNDING);
    compare(net_cae, "--target native", "--weights-as c", ROUNDING);
    compare(net_branches, "--target native", INCBIN, ROUNDING);
    compare(net_tied, "--target native", "--weights-as c", ROUNDING);
}

static void of_streams(void **state)
{
    (void)state;
    compare(net_cae, "--stream --target native", INCBIN, ROUNDING);
    compare(net_cae, "--stream --target c --optimize size", "--weights-as c", ROUNDING);
}

/* Kernels and biases into which batch_norm went. */
static void with_batch_norm(void **state)
{
    (void)state;
    /* eps keeps what is drawn for a variance positive */
    static const char net[] =
        "return autoencoder \"net\" { input = { 8, 10, 3 }, encoder = sequential \"encoder\" { "
        "conv2d { filters = 5, kernel = 3, use_bias = false }, batch_norm { eps = 1 }, relu {}, "
        "max_pool2d { size = 2 } }, decoder = sequential \"decoder\" { upsample2d { size = 2 }, "
        "conv2d { filters = 3, kernel = 3 }, batch_norm { eps = 1 } } }";
    compare(net, "--target c", "--weights-as c", ROUNDING);
    compare(net, "--target native", INCBIN, ROUNDING);
}

/* How halves become floats is a target's own; which kernels do so, the network's. */
static void in_halves(void **state)
{
    (void)state;
    static const char *const targets[] = { "c", "native", "x86-64-v3", "x86-64-v2" };
    for (int i = 0; i < 4; i++) {
        if (!machine_has(targets[i]) && strcmp(targets[i], "native") != 0)
            continue;
        char *target = text_of("--target %s", targets[i]),
             *small = text_of("--optimize size %s", target), *rows = text_of("--stream %s", target);
        compare_halves(net_cae, rows, "--weights-as c");
        compare_halves(net_norm, small, INCBIN);
        if (i < 2) {
            compare_halves(net_cae, target, INCBIN);
            compare_halves(net_dense, small, "--weights-as c");
            compare_halves(net_tied, small, "--weights-as c");
            compare_halves(net_noise, small, INCBIN);
        }
        free(target);
        free(small);
        free(rows);
    }
}

/* Training is the same with weights baked beside it, to the bit; and other parameters can still be
   prepared. */
static void beside_training(void **state)
{
    (void)state;
    Library plain = library_load(net_cae, "--target native");
    const size_t bytes = plain.parameters * sizeof(float);
    float *start = drawn_parameters(plain.parameters), *trained[2], loss[2];
    char *weights = library_weights(plain.folder, start),
         *options = text_of("--target native --weights %s", weights);
    Library baked = library_load(net_cae, options);
    /* packings for training lie in their own memory */
    assert_true(baked.prepared_bytes < plain.prepared_bytes);
    uint8_t *image = block_new(plain.image);
    for (int i = 0; i < 2; i++) {
        const Library *l = i ? &baked : &plain;
        void *training = block_new(l->train_bytes);
        trained[i] = block_new(bytes);
        memcpy(trained[i], start, bytes);
        assert_int_equal(l->train_open(trained[i], training, l->train_bytes), 0);
        for (unsigned step = 0; step < 3; step++) {
            fill_image(image, l->image, step);
            assert_int_equal(l->train_image(training, image, &loss[i]), 0);
            assert_int_equal(l->update(training, l->rate), 0);
        }
        free(training);
    }
    assert_memory_equal(loss, loss + 1, sizeof *loss);
    assert_memory_equal(trained[0], trained[1], bytes);
    assert_memory_not_equal(trained[0], start, bytes);
    float *prepared = block_new(baked.prepared_bytes);
    memset(prepared, 0, baked.prepared_bytes);
    assert_int_equal(baked.prepare(start, prepared, baked.prepared_bytes), 0);
    want_near("prepared anew", prepared, baked.baked, baked.prepared_bytes / sizeof(float),
              ROUNDING);
    library_free(&baked);
    library_free(&plain);
    void *const blocks[] = { start, trained[0], trained[1], weights, options, image, prepared };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* What was written with weights goes where they are wanted no more. */
static void want_none_left(const char *folder)
{
    Result written = run_caec(folder, "net.lua -o . --emit library");
    want_exit(&written, 0);
    result_free(&written);
    FileList files = files_below(folder);
    for (int i = 0; i < files.count; i++)
        assert_null(strstr(files.path[i], "net_weights"));
    file_list_free(&files);
}

/* The folder is written the same each time, may be moved, and is built from anywhere; its example
   needs no parameters. */
static void by_cmake(void **state)
{
    (void)state;
    Library plain = library_load(net_cae, "--no-training --optimize size");
    float *parameters = drawn_parameters(plain.parameters);
    /* around a grey */
    for (size_t i = 0; i < plain.parameters; i++)
        parameters[i] = i + 3 < plain.parameters ? parameters[i] / 4 : 0.5f;
    char *weights = library_weights(plain.folder, parameters),
         *options = text_of("--no-training --optimize size --weights %s", weights);
    char *one = library_write(net_cae, options), *two = library_write(net_cae, options);
    want_same_files(one, two);
    want_none_left(one);
    char *from = text_of("%s/net", two), *to = text_of("%s/moved", two),
         *picture = text_of("%s/i.rgb", two), *example = text_of("%s/b/net-example", two);
    assert_int_equal(rename(from, to), 0);
    uint8_t *image = block_new(plain.image);
    fill_image(image, plain.image, 4);
    file_write(picture, (const char *)image, plain.image);
    Result made = run(two, "cmake -S moved -B b -DCMAKE_C_COMPILER=%s -DCMAKE_C_FLAGS=-Werror",
                      c_compiler()),
           built = run(two, "cmake --build b");
    want_exit(&made, 0);
    want_exit(&built, 0);
    Result shown = run(two, "%s i.rgb", example), refused = run(two, "%s none.rgb", example);
    want_exit(&shown, 0);
    want_exit(&refused, 1);
    void *prepared = block_new(plain.prepared_bytes);
    assert_int_equal(plain.prepare(parameters, prepared, plain.prepared_bytes), 0);
    Results right = results_of(&plain, prepared, image);
    assert_int_equal(shown.out_length, plain.output);
    int between = 0;
    for (size_t i = 0; i < plain.output; i++) {
        const double value = (double)right.output[i] * 255, byte = (unsigned char)shown.out[i];
        assert_true(value >= 255 ? byte == 255
                    : value <= 0 ? byte == 0
                                 : fabs(byte - value) <= 0.51);
        between += byte > 0 && byte < 255;
    }
    assert_true(between > 100);
    results_free(&right);
    Result *const results[] = { &made, &built, &shown, &refused };
    for (int i = 0; i < 4; i++)
        result_free(results[i]);
    void *const blocks[] = { parameters, weights, options, from,    to,
                             picture,    example, image,   prepared };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    folder_remove(one);
    folder_remove(two);
    library_free(&plain);
}

/* The flags that the folder's README.md gives to those without CMake; of `source` those that it
   names besides. To be freed. */
static char *flags_without_cmake(const char *folder, const char *source)
{
    char *path = text_of("%s/net/README.md", folder), *text = file_read(path, NULL),
         *besides = text_of(", `%s` with `", source);
    const char *flags = strstr(text, "\nWithout CMake: "), *more;
    assert_non_null(flags);
    flags = strstr(flags, "`-I. ");
    assert_non_null(flags);
    more = strstr(flags, besides);
    more = more ? more + strlen(besides) : "`";
    char *found = text_of("%.*s %.*s", (int)strcspn(flags + 5, "`"), flags + 5,
                          (int)strcspn(more, "`"), more);
    free(path);
    free(text);
    free(besides);
    return found;
}

/* Optimized at link time, by hand and by CMake: all objects but that of the weights, which the
   assembler defines, are the linker's to compile. */
static void at_link_time(void **state)
{
    (void)state;
    Library plain = library_load(net_cae, "--no-training --optimize size");
    float *parameters = drawn_parameters(plain.parameters);
    char *weights = library_weights(plain.folder, parameters),
         *options = text_of("--no-training --optimize size --weights %s", weights);
    char *folder = library_write(net_cae, options),
         *source = text_of("%s/net/net_weights.c", folder),
         *aside = text_of("%s/weights.c", plain.folder);
    char *all = flags_without_cmake(folder, ""),
         *own = flags_without_cmake(folder, "net_weights.c");
    Result weighed = run(folder, "%s -flto %s -Inet -c net/net_weights.c -o own.o", c_compiler(),
                         own);
    want_exit(&weighed, 0);
    assert_int_equal(rename(source, aside), 0);
    char *sources = emitted_sources(folder);
    Result linked = run(folder, "%s -std=c11 -flto %s -Inet%s own.o -o program", c_compiler(), all,
                        sources);
    want_exit(&linked, 0);
    assert_int_equal(rename(aside, source), 0);
    Result made = run(folder, "cmake -S net -B b -DCMAKE_C_COMPILER=%s -DCMAKE_C_FLAGS=-flto",
                      c_compiler()),
           built = run(folder, "cmake --build b");
    want_exit(&made, 0);
    want_exit(&built, 0);
    Result *const results[] = { &weighed, &linked, &made, &built };
    for (int i = 0; i < 4; i++)
        result_free(results[i]);
    void *const blocks[] = { parameters, weights, options, source, aside, all, own, sources };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    folder_remove(folder);
    library_free(&plain);
}

static void what_is_refused(void **state)
{
    (void)state;
    Library dense = library_load(net_dense, "--target c --optimize size --no-training");
    float *parameters = drawn_parameters(dense.parameters);
    char *weights = library_weights(dense.folder, parameters);
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *other = text_of("%s/other.safetensors", folder);
    char *none = text_of("%s/none.safetensors", folder);
    assert_int_equal(rename(weights, other), 0);
    file_write(path, net_cae, strlen(net_cae));
    file_write(none, "none", 4);
    const struct {
        const char *words, *message;
        int exit_code;
    } cases[] = {
        { "--emit library --weights other.safetensors",
          "other.safetensors: tensor encoder.conv1.kernel has shape [3, 3, 1, 3]; this network "
          "needs [3, 3, 3, 16]",
          1 },
        { "--emit library --weights none.safetensors", "none.safetensors: is no safetensors file",
          1 },
        { "--emit library --weights nowhere.safetensors", "nowhere.safetensors", 3 },
        { "--weights other.safetensors", "--weights goes with --emit library", 2 },
        { "--emit library --weights-as c", "--weights-as goes with --weights FILE", 2 },
        { "--emit library --weights-type f16", "--weights-type goes with --weights FILE", 2 },
        { "--emit library --weights other.safetensors --weights-as bytes",
          "--weights-as wants incbin or c, not 'bytes'", 2 },
        { "--emit library --weights other.safetensors --weights-type f8",
          "--weights-type wants f32 or f16, not 'f8'", 2 },
        { "--emit library --weights other.safetensors --weights-type f16",
          "--weights-type f16 goes with --no-training", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Result result = run_caec(folder, "net.lua -o . %s", cases[i].words);
        want_exit(&result, cases[i].exit_code);
        if (!strstr(result.err, cases[i].message))
            fail_msg("%s, not %s", result.err, cases[i].message);
        result_free(&result);
    }
    file_write(path, net_dense, strlen(net_dense));
    static const struct {
        float value;
        const char *message;
    } wrong[] = {
        { INFINITY, "tensor encoder.conv1.kernel holds a value that is not a finite number" },
        { -65520, "--weights-type f16: encoder.conv1.kernel holds -65520" },
        { 65519, NULL },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        parameters[5] = wrong[i].value;
        free(weights);
        weights = library_weights(dense.folder, parameters);
        Result result = run_caec(
            folder,
            "net.lua %s --emit library --weights %s --no-training --optimize size --weights-type "
            "f16 --target c",
            wrong[i].message ? "-o ." : "-o elsewhere", weights);
        want_exit(&result, wrong[i].message ? 1 : 0);
        if (wrong[i].message && !strstr(result.err, wrong[i].message))
            fail_msg("%s, not %s", result.err, wrong[i].message);
        result_free(&result);
    }
    Result removed = run(folder, "rm -r elsewhere");
    want_exit(&removed, 0);
    result_free(&removed);
    FileList files = files_below(folder);
    assert_int_equal(files.count, 3);
    file_list_free(&files);
    void *const blocks[] = { parameters, weights, path, other, none };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    folder_remove(folder);
    library_free(&dense);
}

/* Weights are finite, but Winograd's packing adds them up. */
static void a_form_too_large(void **state)
{
    (void)state;
    Library plain = library_load(net_cae, "--no-training --optimize size");
    float *parameters = drawn_parameters(plain.parameters);
    for (size_t i = 0; i < plain.parameters; i++)
        parameters[i] = 3e38f;
    char *weights = library_weights(plain.folder, parameters),
         *path = text_of("%s/net.lua", plain.folder);
    file_write(path, net_cae, strlen(net_cae));
    Result result = run_caec(
        plain.folder, "net.lua -o elsewhere --target c --emit library --no-training --weights %s",
        weights);
    want_exit(&result, 1);
    assert_non_null(strstr(result.err, "holds numbers too large for float32 in the packing"));
    result_free(&result);
    char *elsewhere = text_of("%s/elsewhere", plain.folder);
    assert_false(file_exists(elsewhere));
    void *const blocks[] = { parameters, weights, path, elsewhere };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    library_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_direct_kernels), cmocka_unit_test(of_dense_layers),
        cmocka_unit_test(of_winograd),       cmocka_unit_test(of_streams),
        cmocka_unit_test(with_batch_norm),   cmocka_unit_test(in_halves),
        cmocka_unit_test(beside_training),   cmocka_unit_test(by_cmake),
        cmocka_unit_test(at_link_time),      cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_form_too_large),
    };
    return cmocka_run_group_tests_name("library baked", tests, NULL, NULL);
}
