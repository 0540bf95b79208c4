/* Training stage by stage: what rests keeps its bits, a run that stops in the middle of a stage
   goes on as if it had not, and what it leaves behind. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 36, 1);
    pictures_write(folder, "val", 10, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* What it printed, to be freed. */
static char *train_ok(const char *out, const char *options)
{
    Result result = run(folder, STACKED_TRAIN " --train train --val val --out %s %s", out, options);
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    char *printed = text_of("%s", result.out);
    result_free(&result);
    return printed;
}

static void train(const char *out, const char *options)
{
    free(train_ok(out, options));
}

/* ---- weights ---- */

typedef struct Weights {
    char *bytes;
    const char *data;
    json_t *header;
} Weights;

static Weights weights_read(const char *out, const char *name)
{
    Weights w;
    uint64_t size = 0;
    char *path = text_of("%s/%s/%s", folder, out, name);
    w.bytes = file_read(path, NULL);
    for (int i = 7; i >= 0; i--)
        size = size << 8 | (unsigned char)w.bytes[i];
    w.header = json_loadb(w.bytes + 8, (size_t)size, 0, NULL);
    assert_non_null(w.header);
    w.data = w.bytes + 8 + size;
    free(path);
    return w;
}

static void weights_free(Weights *w)
{
    free(w->bytes);
    json_decref(w->header);
}

/* The bytes of a tensor; NULL: there is none. */
static const char *tensor(const Weights *w, const char *name, size_t *bytes)
{
    json_t *offsets = json_object_get(json_object_get(w->header, name), "data_offsets");
    if (!offsets)
        return NULL;
    size_t from = (size_t)json_integer_value(json_array_get(offsets, 0)),
           to = (size_t)json_integer_value(json_array_get(offsets, 1));
    *bytes = to - from;
    return w->data + from;
}

static bool same_tensor(const Weights *a, const Weights *b, const char *name)
{
    size_t in_a, in_b;
    const char *at_a = tensor(a, name, &in_a), *at_b = tensor(b, name, &in_b);
    if (!at_a || !at_b)
        fail_msg("%s is missing", name);
    return in_a == in_b && memcmp(at_a, at_b, in_a) == 0;
}

/* All tensors of a, the optimizer's too, are those of b, and b has no others. */
static bool same_weights(const char *out_a, const char *out_b, const char *file)
{
    Weights a = weights_read(out_a, file), b = weights_read(out_b, file);
    bool same = json_object_size(a.header) == json_object_size(b.header);
    const char *name;
    json_t *value;
    json_object_foreach(a.header, name, value)
        same = same && (strcmp(name, "__metadata__") == 0 || same_tensor(&a, &b, name));
    weights_free(&a);
    weights_free(&b);
    return same;
}

/* ---- cases ---- */

static const struct {
    const char *layer;
    int stage;
} layers[] = {
    { "encoder.conv1", 1 }, { "decoder.conv3", 1 }, { "encoder.conv2", 2 },
    { "decoder.conv2", 2 }, { "encoder.conv3", 3 }, { "decoder.conv1", 3 },
};

/* Each stage changes its own layers and no other, and keeps the optimizer's state of those
   alone. */
static void what_rests_keeps_its_bits(void **state)
{
    (void)state;
    static const char *const names[] = { "kernel", "bias" };
    train("rest", "--batch 16 --epochs 2");
    Weights before = weights_read("rest", "last.safetensors");
    for (int stage = 2; stage <= 4; stage++) {
        char *options = text_of("--resume --epochs %d", 2 * stage);
        train("rest", options);
        Weights after = weights_read("rest", "last.safetensors");
        for (size_t i = 0; i < 12; i++) {
            bool trained = stage == 4 || layers[i / 2].stage == stage;
            char *name = text_of("%s.%s", layers[i / 2].layer, names[i % 2]),
                 *m = text_of("optimizer.m/%s", name);
            size_t bytes;
            if (same_tensor(&before, &after, name) == trained)
                fail_msg("stage %d: %s %s", stage, name, trained ? "is as it was" : "has changed");
            if (!tensor(&after, m, &bytes) == trained)
                fail_msg("stage %d: %s is %s", stage, m, trained ? "missing" : "there");
            free(name);
            free(m);
        }
        weights_free(&before);
        before = after;
        free(options);
    }
    weights_free(&before);
}

/* 36 pictures by 8 are 5 updates an epoch; the second stage has those from 11 to 20. */
static void a_run_in_pieces_ends_as_one(void **state)
{
    (void)state;
    train("whole", "--batch 8 --threads 1 --schedule cosine,warmup=0.5");
    train("pieces", "--batch 8 --steps 13 --threads 3 --schedule cosine,warmup=0.5");
    char *printed = train_ok("pieces", "--resume --steps 20");
    assert_non_null(strstr(
        printed,
        "\nresuming pieces at step 13, in epoch 3\nstage 2 of 4: encoder.noise1 to encoder.pool2, "
        "decoder.conv2 to decoder.up2; "
        "36960 parameters, mse\n"));
    assert_non_null(
        strstr(printed, "in stage 2 of 4; the lowest val_loss counts in the last stage alone"));
    free(printed);
    /* to the end of an epoch, through a stage, into the last */
    train("pieces", "--resume --steps 41");
    printed = train_ok("pieces", "--resume --epochs 9");
    assert_non_null(strstr(printed, "Stage 4/4 - Epoch 9/9 - 5/5"));
    free(printed);
    assert_true(same_weights("whole", "pieces", "last.safetensors"));
    assert_true(same_weights("whole", "pieces", "best.safetensors"));
    printed = train_ok("whole", "--resume");
    assert_non_null(strstr(printed, "the run in whole is finished: 9 epochs, 45 updates"));
    free(printed);
    train("other", "--batch 8 --schedule cosine,warmup=0.5 --seed 2");
    assert_false(same_weights("whole", "other", "last.safetensors"));
}

static void the_history_tells_stages(void **state)
{
    (void)state;
    char *printed = train_ok("told", "--batch 16 --epochs 6"),
         *path = text_of("%s/told/best.safetensors", folder);
    for (int stage = 1; stage <= 3; stage++) {
        char *line = text_of("\nStage %d/4 - Epoch %d/6 - 3/3 - ", stage, 2 * stage);
        assert_non_null(strstr(printed, line));
        free(line);
    }
    free(printed);
    /* the lowest loss counts in the last stage */
    assert_false(file_exists(path));
    /* one more than the stages have: the last goes on */
    train("told", "--resume --epochs 10");
    assert_true(file_exists(path));
    free(path);
    path = text_of("%s/told/history.csv", folder);
    char *history = file_read(path, NULL), *line = history;
    static const int stages[] = { 1, 1, 2, 2, 3, 3, 4, 4, 4, 4 };
    assert_int_equal(
        strncmp(history, "epoch,loss,val_loss,seconds,images_per_second,lr,stage\n", 55), 0);
    assert_int_equal(count_lines(history), 11);
    for (int i = 0; i < 10; i++) {
        line = strchr(line, '\n') + 1;
        assert_int_equal((int)field_of(line, 0), i + 1);
        assert_int_equal((int)field_of(line, 6), stages[i]);
        assert_true(field_of(line, 2) > 0);
    }
    free(history);
    free(path);
    for (int epoch = 1; epoch <= 10; epoch++) {
        path = text_of("%s/told/samples/epoch_%03d.png", folder, epoch);
        assert_true(file_exists(path));
        free(path);
    }
    path = text_of("%s/told/loss.svg", folder);
    char *curve = file_read(path, NULL);
    assert_non_null(strstr(curve, "stacked: mse loss, stage 4 of 4"));
    free(curve);
    free(path);
}

/* A pair of epochs without a loss lower by 100 ends each stage but the first two epochs of it. */
static void early_stopping_ends_a_stage(void **state)
{
    (void)state;
    char *printed = train_ok("early", "--batch 16 --patience 1 --min-delta 100");
    assert_non_null(strstr(printed, "this stage stopped early: no val_loss lower than"));
    assert_non_null(strstr(printed, "Stage 4/4 - Epoch 8/9 - "));
    assert_null(strstr(printed, "Epoch 9/9"));
    assert_non_null(strstr(printed, "\nstopped early: no val_loss lower than"));
    free(printed);
}

static void bench_and_summary_name_stages(void **state)
{
    (void)state;
    Result result = run(folder, STACKED_TRAIN " bench --steps 1 --batch 4 --threads 1 --json");
    want_exit(&result, 0);
    json_t *json = json_loads(result.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "stage")), "all layers");
    json_decref(json);
    result_free(&result);
    result = run(folder, STACKED_TRAIN " summary");
    want_exit(&result, 0);
    assert_non_null(strstr(result.out,
                           "\n 2. encoder.noise1 to encoder.pool2, decoder.conv2 to decoder.up2\n"
                           "    2 epochs, 36,960 parameters, mse of encoder.pool1, 24x24x32\n"));
    result_free(&result);
    result = run(folder, STACKED_TRAIN " --train train --out warm --schedule cosine,warmup=2");
    want_refusal(&result, 2, "the schedule's warmup of 2 epochs leaves nothing of its 2");
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rests_keeps_its_bits),
        cmocka_unit_test(a_run_in_pieces_ends_as_one),
        cmocka_unit_test(the_history_tells_stages),
        cmocka_unit_test(early_stopping_ends_a_stage),
        cmocka_unit_test(bench_and_summary_name_stages),
    };
    return cmocka_run_group_tests_name("whole stages", tests, set_up, tear_down);
}
