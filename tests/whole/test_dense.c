/* Networks of dense layers, with grey pictures and flat latents: training, every command, verify
   against PyTorch, and what bench says of them. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PICTURES = 37, GAP = 2, COLUMNS = 16 }; /* more pictures than a group takes at once */

/* The fully connected network of graphs/, and the one made for these tests. */
static const struct Network {
    const char *name, *train, *infer;
    int height, width, latent;
} networks[] = {
    { "dense_ae", BUILD_BIN "/dense_ae-train", BUILD_BIN "/dense_ae-infer", 28, 28, 32 },
    { "grey", GREY_TRAIN, GREY_INFER, 20, 36, 9 },
};
enum { NETWORKS = 2 };

static char *folder;

static void ok(Result result)
{
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

/* <name>/p: pictures; <name>/run: a network trained on them for some steps. */
static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    for (int i = 0; i < NETWORKS; i++) {
        const struct Network *n = &networks[i];
        char *own = text_of("%s/%s", folder, n->name);
        assert_int_equal(mkdir(own, 0777), 0);
        free(own);
        ok(run(folder, "%s pictures --out %s/p --count %d --seed 2", n->train, n->name, PICTURES));
        ok(run(folder, "%s --train %s/p --val %s/p --out %s/run --epochs 40 --batch 37", n->train,
               n->name, n->name, n->name));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static char *text_in(const char *name, size_t *length)
{
    char *path = text_of("%s/%s", folder, name), *text = file_read(path, length);
    free(path);
    return text;
}

static Picture picture_in(const char *format, const char *name, int i)
{
    char *file = text_of(format, name, i), *path = text_of("%s/%s", folder, file);
    Picture picture = picture_read(path);
    free(file);
    free(path);
    return picture;
}

static Result infer(const struct Network *n, const char *words)
{
    char *in = text_of("%s/%s", folder, n->name);
    Result result = run(in, "%s --weights run/best.safetensors %s", n->infer, words);
    free(in);
    return result;
}

static void training_lowers_the_loss(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        char *name = text_of("%s/run/history.csv", networks[i].name),
             *history = text_in(name, NULL);
        assert_int_equal(count_lines(history), 41);
        const char *first = strchr(history, '\n') + 1, *last = strrchr(history, '\n');
        do
            last--;
        while (last[-1] != '\n');
        assert_true(field_of(last, 2) < 0.8 * field_of(first, 2));
        free(name);
        free(history);
    }
}

/* The weights after the header, which holds how long it took. */
static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        const struct Network *n = &networks[i];
        char *first = NULL;
        size_t first_length = 0;
        for (int threads = 1; threads <= 3; threads++) {
            ok(run(folder, "%s --out %s/t%d --steps 9 --batch 70 --threads %d", n->train, n->name,
                   threads, threads));
            char *name = text_of("%s/t%d/last.safetensors", n->name, threads);
            size_t length;
            char *bytes = text_in(name, &length);
            uint64_t header;
            memcpy(&header, bytes, sizeof header);
            size_t weights = length - 8 - header;
            if (!first) {
                first_length = weights;
                first = malloc(weights);
                assert_non_null(first);
                memcpy(first, bytes + 8 + header, weights);
            }
            assert_int_equal(weights, first_length);
            assert_memory_equal(bytes + 8 + header, first, weights);
            free(bytes);
            free(name);
        }
        free(first);
    }
}

static void latents_are_flat(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        const struct Network *n = &networks[i];
        ok(infer(n, "encode p -o z.npy"));
        size_t length;
        char *name = text_of("%s/z.npy", n->name), *bytes = text_in(name, &length),
             *shape = text_of("(%d, %d)", PICTURES, n->latent);
        size_t start = 10 + (unsigned char)bytes[8] + 256u * (unsigned char)bytes[9];
        assert_non_null(strstr(bytes + 10, shape));
        assert_int_equal(length - start, PICTURES * n->latent * 4);
        free(name);
        free(bytes);
        free(shape);
    }
}

/* Encoded and decoded in two programs, and in one: the same pictures below the same originals, a
   sheet of several rows. */
static void decoded_latents_are_the_reconstructions(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        const struct Network *n = &networks[k];
        int across = n->width + GAP, down = n->height + GAP;
        ok(infer(n, "encode p -o again.npy"));
        ok(infer(n, "decode again.npy -o decoded"));
        ok(infer(n, "reconstruct p -o sheet.png"));
        Picture sheet = picture_in("%s/sheet.png", n->name, 0);
        assert_int_equal(sheet.width, COLUMNS * across - GAP);
        assert_int_equal(sheet.height, 6 * down - GAP);
        for (int i = 0; i < PICTURES; i++) {
            Picture below = picture_in("%s/decoded/%04d.png", n->name, i),
                    above = picture_in("%s/p/%04d.png", n->name, i);
            assert_int_equal(below.width, n->width);
            assert_int_equal(below.height, n->height);
            int x = i % COLUMNS * across, y = i / COLUMNS * 2 * down;
            assert_true(picture_holds(&sheet, x, y, &above));
            assert_true(picture_holds(&sheet, x, y + down, &below));
            free(below.pixels);
            free(above.pixels);
        }
        free(sheet.pixels);
    }
}

/* Files that cannot be read leave the others where they are, in whatever batches they come. */
static void gaps_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        const struct Network *n = &networks[k];
        ok(run(folder, "%s pictures --out %s/gaps --count 90 --seed 5", n->train, n->name));
        for (int i = 1; i < 32; i++) {
            char *path = text_of("%s/%s/gaps/%04d.png", folder, n->name, i);
            char *picture = file_read(path, NULL);
            file_write(path, picture, 200); /* still a PNG by its first bytes */
            free(picture);
            free(path);
        }
        for (int threads = 1; threads <= 3; threads++) {
            char *words = text_of("encode gaps -o gaps%d.npy --threads %d", threads, threads),
                 *name = text_of("%s/gaps%d.npy", n->name, threads),
                 *first = text_of("%s/gaps1.npy", n->name);
            Result result = infer(n, words);
            want_exit(&result, 0);
            result_free(&result);
            size_t length, first_length;
            char *latents = text_in(name, &length), *right = text_in(first, &first_length);
            assert_int_equal(length, first_length);
            assert_memory_equal(latents, right, length);
            void *const blocks[] = { words, name, first, latents, right };
            for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
                free(blocks[i]);
        }
    }
}

static void the_other_commands(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        const struct Network *n = &networks[k];
        Result result = infer(n, "interpolate p --seed 3 --steps 4 -o row.png");
        want_exit(&result, 0);
        result_free(&result);
        Picture row = picture_in("%s/row.png", n->name, 0);
        assert_int_equal(row.width, 6 * (n->width + GAP) - GAP);
        assert_int_equal(row.height, n->height);
        result = infer(n, "score p --csv scores.csv");
        want_exit(&result, 0);
        result_free(&result);
        char *name = text_of("%s/scores.csv", n->name), *scores = text_in(name, NULL);
        assert_int_equal(count_lines(scores), PICTURES + 1);
        result = infer(n, "nearest p/0036.png p -o near.png");
        want_exit(&result, 0);
        assert_int_equal(strncmp(result.out, "0\tp/0036.png\n", 13), 0);
        assert_int_equal(count_lines(result.out), 8);
        result_free(&result);
        Picture samples = picture_in("%s/run/samples/epoch_040.png", n->name, 0);
        assert_int_equal(samples.height, 2 * n->height + GAP);
        free(samples.pixels);
        free(row.pixels);
        free(scores);
        free(name);
    }
}

static void latents_of_the_other_network(void **state)
{
    (void)state;
    ok(infer(&networks[0], "encode p/0000.png -o one.npy"));
    Result result = infer(&networks[1], "decode ../dense_ae/one.npy -o no.png");
    want_refusal(&result, 1, "has shape [1, 32]; latents of grey have shape [N, 9]");
    result_free(&result);
}

/* ---- bench ---- */

static json_t *bench(const char *words)
{
    Result result = run(NULL, "%s", words);
    want_exit(&result, 0);
    json_t *all = json_loads(result.out, 0, NULL);
    assert_non_null(all);
    result_free(&result);
    return all;
}

/* How many rows of the table have the layer and the pass; each must name the kernel. */
static int rows(const json_t *all, const char *layer, const char *pass, const char *kernel)
{
    const json_t *layers = json_object_get(all, "layers");
    int found = 0;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *row = json_array_get(layers, i);
        if (strcmp(json_string_value(json_object_get(row, "layer")), layer) != 0
            || strcmp(json_string_value(json_object_get(row, "pass")), pass) != 0
            || strcmp(json_string_value(json_object_get(row, "kernel")), "pointwise") == 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(row, "kernel")), kernel);
        assert_true(json_number_value(json_object_get(row, "effective_gflops")) > 0);
        found++;
    }
    return found;
}

/* The large network too; its first layer, of 19 million weights, needs no gradient by the
   pixels. */
static void dense_products_are_measured(void **state)
{
    (void)state;
    static const char *const programs[] = { BUILD_BIN "/dense_ae", BUILD_BIN "/dense_ae_224" };
    for (int i = 0; i < 2; i++) {
        char *words = text_of("%s-train bench --batch 4 --steps 1 --threads 1 --json", programs[i]);
        json_t *all = bench(words);
        assert_int_equal(rows(all, "encoder.dense1", "forward", "dense_blas"), 1);
        assert_int_equal(rows(all, "encoder.dense1", "dW", "dense_blas"), 1);
        assert_int_equal(rows(all, "encoder.dense1", "dX", "dense_blas"), 0);
        assert_int_equal(rows(all, "decoder.dense2", "dX", "dense_blas"), 1);
        assert_int_equal(rows(all, "decoder.dense2", "dW", "dense_blas"), 1);
        json_decref(all);
        free(words);
    }
    json_t *all = bench(BUILD_BIN "/dense_ae-infer bench --threads 2 --json");
    assert_int_equal(rows(all, "decoder.dense2", "forward", "dense_blas"), 1);
    assert_true(json_number_value(json_object_get(all, "images_per_second")) > 0);
    json_decref(all);
}

/* ---- verify ---- */

#define DENSE_SPEC                                                                                \
    "{\"name\":\"dense_ae\",\"input\":[28,28,1],"                                                 \
    "\"encoder\":[{\"op\":\"flatten\"},{\"op\":\"dense\",\"units\":128,\"activation\":\"relu\"}," \
    "{\"op\":\"dense\",\"units\":32}],"                                                           \
    "\"decoder\":[{\"op\":\"dense\",\"units\":128,\"activation\":\"relu\"},{\"op\":\"dense\","    \
    "\"units\":784,\"activation\":\"sigmoid\"},"                                                  \
    "{\"op\":\"reshape\",\"shape\":[28,28,1]}]}"
#define GREY_SPEC                                                                              \
    "{\"name\":\"grey\",\"input\":[20,36,1],"                                                  \
    "\"encoder\":[{\"op\":\"conv2d\",\"filters\":4,\"kernel\":3,\"activation\":\"relu\"},"     \
    "{\"op\":\"max_pool2d\",\"size\":2},{\"op\":\"flatten\"},"                                 \
    "{\"op\":\"dense\",\"units\":40,\"activation\":\"tanh\"},{\"op\":\"dense\",\"units\":9}]," \
    "\"decoder\":[{\"op\":\"dense\",\"units\":64,\"activation\":\"elu\"},{\"op\":\"dense\","   \
    "\"units\":360,\"activation\":\"leaky_relu\"},"                                            \
    "{\"op\":\"reshape\",\"shape\":[10,18,2]},{\"op\":\"upsample2d\",\"size\":2},"             \
    "{\"op\":\"conv2d\",\"filters\":1,\"kernel\":3,\"activation\":\"sigmoid\"}]}"

/* Batches that fill no group, and more than one. */
static void agree_with_pytorch(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *batch, *programs[2];
    } cases[] = {
        { DENSE_SPEC, "3", { BUILD_BIN "/dense_ae-train" } },
        { GREY_SPEC, "35", { GREY_TRAIN, PRECISE_TRAIN } },
    };
    const char *shared = getenv("CAEC_SHARED");
    char *script = text_of("%s/oracle/oracle.py", shared ? shared : "");
    bool has = shared && file_exists(script) && file_exists("/usr/bin/python3");
    for (int i = 0; i < 2 && has; i++) {
        const char *words[] = { "/usr/bin/python3", script,         "net",
                                "net.safetensors",  "net.lua",      cases[i].spec,
                                "--batch",          cases[i].batch, NULL };
        Result made = run_words(folder, words);
        has = made.exit_code == 0 || !strstr(made.err, "ModuleNotFoundError");
        if (has)
            want_exit(&made, 0);
        result_free(&made);
        for (int k = 0; has && k < 2 && cases[i].programs[k]; k++) {
            Result verified = run(folder, "%s verify net.safetensors", cases[i].programs[k]);
            want_exit(&verified, 0);
            assert_non_null(strstr(verified.out, "ok: all"));
            result_free(&verified);
        }
    }
    free(script);
    if (!has) {
        print_message("no oracle: CAEC_SHARED is not set or has none, or python3 has no torch\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(latents_are_flat),
        cmocka_unit_test(decoded_latents_are_the_reconstructions),
        cmocka_unit_test(gaps_do_not_change_a_bit),
        cmocka_unit_test(the_other_commands),
        cmocka_unit_test(latents_of_the_other_network),
        cmocka_unit_test(dense_products_are_measured),
        cmocka_unit_test(agree_with_pytorch),
    };
    return cmocka_run_group_tests_name("whole dense", tests, set_up, tear_down);
}
