/* unpool-train and unpool-infer, whose decoder reads more of the encoder than the latent: what
   works, and what is refused with the reason. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define INFER UNPOOL_INFER " --weights run/best.safetensors "

static char *folder;

static void ok(Result result)
{
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "p", 3, 2);
    ok(run(folder, UNPOOL_TRAIN " --train train --out run --epochs 8 --batch 4"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static char *read_file(const char *name, size_t *length)
{
    char *path = text_of("%s/%s", folder, name), *bytes = file_read(path, length);
    free(path);
    return bytes;
}

static void want_same(const char *name, const char *other)
{
    size_t length, other_length;
    char *bytes = read_file(name, &length), *other_bytes = read_file(other, &other_length);
    assert_int_equal(length, other_length);
    assert_memory_equal(bytes, other_bytes, length);
    free(bytes);
    free(other_bytes);
}

static void it_learns(void **state)
{
    (void)state;
    char *history = read_file("run/history.csv", NULL);
    const char *first = strchr(history, '\n') + 1, *last = first;
    for (const char *line = first; *line; line = strchr(line, '\n') + 1)
        last = line;
    assert_int_equal((int)field_of(last, 0), 8);
    assert_true(field_of(last, 1) < 0.5 * field_of(first, 1));
    free(history);
}

static void pictures_are_encoded_and_reconstructed(void **state)
{
    (void)state;
    ok(run(folder, INFER "encode p -o z.npy"));
    ok(run(folder, INFER "reconstruct p -o sheet.png"));
    ok(run(folder, INFER "score p --csv scores.csv"));
    char *scores = read_file("scores.csv", NULL);
    assert_int_equal(count_lines(scores), 1 + 3);
    free(scores);
}

/* One picture goes in bands of rows to all threads, the places of its maxima with it. */
static void threads_change_nothing(void **state)
{
    (void)state;
    ok(run(folder, INFER "reconstruct p/0000.png -o one.png --threads 1"));
    ok(run(folder, INFER "reconstruct p/0000.png -o three.png --threads 3"));
    want_same("one.png", "three.png");
    ok(run(folder, INFER "encode p/0000.png -o one.npy --threads 1"));
    ok(run(folder, INFER "encode p/0000.png -o three.npy --threads 3"));
    want_same("one.npy", "three.npy");
}

static void nothing_decodes_a_latent_alone(void **state)
{
    (void)state;
    static const char *const commands[] = { "decode z.npy -o no.png", "decode z.npy -o no",
                                            "interpolate p/0000.png p/0001.png -o no.png",
                                            "interpolate p --seed 1 -o no.png" };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        Result result = run(folder, INFER "%s", commands[i]);
        want_refusal(
            &result, 2,
            "the network unpool cannot decode a latent alone: its decoder reads more of the "
            "encoder than the latent");
        result_free(&result);
    }
    char *path = text_of("%s/no.png", folder), *out = text_of("%s/no", folder);
    assert_false(file_exists(path));
    assert_false(file_exists(out));
    free(path);
    free(out);
}

/* A row for each layer of the whole way, each once. */
static void bench_has_every_layer(void **state)
{
    (void)state;
    Result result = run(folder, UNPOOL_INFER " bench --json --threads 1");
    want_exit(&result, 0);
    json_t *all = json_loads(result.out, 0, NULL);
    assert_non_null(all);
    const json_t *layers = json_object_get(all, "layers");
    static const char *const names[] = { "encoder.conv1",   "encoder.conv3",   "decoder.conv1",
                                         "decoder.unpool1", "decoder.unpool3", "decoder.conv4" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int found = 0;
        for (size_t k = 0; k < json_array_size(layers); k++)
            found += strcmp(json_string_value(json_object_get(json_array_get(layers, k), "layer")),
                            names[i])
                     == 0;
        assert_int_equal(found, 1);
    }
    json_decref(all);
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns),
        cmocka_unit_test(pictures_are_encoded_and_reconstructed),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(nothing_decodes_a_latent_alone),
        cmocka_unit_test(bench_has_every_layer),
    };
    return cmocka_run_group_tests_name("whole branches", tests, set_up, tear_down);
}
