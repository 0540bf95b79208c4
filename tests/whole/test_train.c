/* small-train over folders of pictures: what a run leaves behind, that it learns, and that its bits
   depend on the seed alone. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = 36, VAL = 10, BATCH = 8 };

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", TRAIN, 1);
    pictures_write(folder, "val", VAL, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static Result train(const char *out, const char *options)
{
    char *batch = strstr(options, "--resume") ? text_of(" ") : text_of(" --batch %d ", BATCH);
    Result result = run(folder, SMALL_TRAIN " --train train --val val --out %s%s%s", out, batch,
                        options);
    free(batch);
    return result;
}

static void train_ok(const char *out, const char *options)
{
    Result result = train(out, options);
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

static char *in(const char *path)
{
    return text_of("%s/%s", folder, path);
}

static char *read_in(const char *path, size_t *length)
{
    char *whole = in(path), *bytes = file_read(whole, length);
    free(whole);
    return bytes;
}

static bool same_file(const char *a, const char *b)
{
    size_t length_a, length_b;
    char *bytes_a = read_in(a, &length_a), *bytes_b = read_in(b, &length_b);
    bool same = length_a == length_b && memcmp(bytes_a, bytes_b, length_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

/* What follows the header, which tells of the run. */
static bool same_weights(const char *a, const char *b)
{
    size_t length_a, length_b;
    uint64_t header_a, header_b;
    char *bytes_a = read_in(a, &length_a), *bytes_b = read_in(b, &length_b);
    memcpy(&header_a, bytes_a, sizeof header_a);
    memcpy(&header_b, bytes_b, sizeof header_b);
    bool same = length_a - header_a == length_b - header_b
                && memcmp(bytes_a + 8 + header_a, bytes_b + 8 + header_b, length_a - 8 - header_a)
                       == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

/* The mean of `score` over a folder is another program's word for val_loss. */
static double score_mean(const char *infer, const char *weights, const char *pictures)
{
    Result result = run(folder, "%s --weights %s score %s", infer, weights, pictures);
    want_exit(&result, 0);
    char *mean = strstr(result.out, "mean of");
    assert_non_null(mean);
    while (mean > result.out && mean[-1] != '\n')
        mean--;
    double value = strtod(mean, NULL);
    result_free(&result);
    return value;
}

static void two_epochs(void **state)
{
    (void)state;
    train_ok("run", "--epochs 2");
    static const char *const files[] = { "best.safetensors",     "history.csv",
                                         "last.safetensors",     "loss.svg",
                                         "pictures.txt",         "samples/epoch_001.png",
                                         "samples/epoch_002.png" };
    char *out = in("run");
    FileList list = files_below(out);
    assert_int_equal(list.count, 7);
    for (int i = 0; i < list.count; i++)
        assert_string_equal(list.path[i], files[i]);
    file_list_free(&list);
    free(out);

    char *history = read_in("run/history.csv", NULL);
    const char *header = "epoch,loss,val_loss,seconds,images_per_second,lr\n";
    assert_int_equal(strncmp(history, header, strlen(header)), 0);
    assert_int_equal(count_lines(history), 3);
    const char *first = strchr(history, '\n') + 1, *second = strchr(first, '\n') + 1;
    assert_true(field_of(first, 0) == 1 && field_of(second, 0) == 2);
    assert_true(field_of(second, 1) < field_of(first, 1));
    assert_true(field_of(second, 2) < field_of(first, 2));
    assert_true(field_of(first, 3) > 0 && field_of(first, 4) > 0);
    assert_true(field_of(first, 5) == 0.001 && field_of(second, 5) == 0.001);
    assert_true(
        fabs(score_mean(SMALL_INFER, "run/last.safetensors", "val") / field_of(second, 2) - 1)
        < 1e-4);
    assert_true(fabs(score_mean(SMALL_INFER, "run/best.safetensors", "val")
                         / fmin(field_of(first, 2), field_of(second, 2))
                     - 1)
                < 1e-4);
    free(history);
}

static void a_finished_run_is_left_alone(void **state)
{
    (void)state;
    size_t length, length_now;
    char *before = read_in("run/last.safetensors", &length);
    Result result = train("run", "--resume");
    want_exit(&result, 0);
    assert_non_null(strstr(result.out, "finished"));
    assert_int_equal(count_lines(result.out), 1);
    result_free(&result);
    char *now = read_in("run/last.safetensors", &length_now);
    assert_int_equal(length, length_now);
    assert_memory_equal(before, now, length);
    free(before);
    free(now);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    train_ok("one", "--epochs 2 --threads 1");
    train_ok("two", "--epochs 2 --threads 2");
    train_ok("three", "--epochs 2 --threads 3");
    assert_true(same_file("one/last.safetensors", "two/last.safetensors"));
    assert_true(same_file("one/last.safetensors", "three/last.safetensors"));
    assert_true(same_file("one/best.safetensors", "two/best.safetensors"));
    train_ok("other", "--epochs 2 --threads 2 --seed 2");
    assert_false(same_file("other/last.safetensors", "two/last.safetensors"));
}

/* 36 pictures are 4 batches of 8 and one of 4: stopped after step 3 and after step 7, which lie
   inside the two epochs. */
static void a_run_in_three_pieces_is_one_run(void **state)
{
    (void)state;
    train_ok("whole", "--steps 10");
    train_ok("pieces", "--steps 3");
    train_ok("pieces", "--resume --steps 7");
    train_ok("pieces", "--resume --steps 10");
    Result whole = run(folder,
                       SMALL_INFER " --weights whole/last.safetensors encode val -o whole.npy");
    want_exit(&whole, 0);
    result_free(&whole);
    Result pieces = run(folder,
                        SMALL_INFER " --weights pieces/last.safetensors encode val -o pieces.npy");
    want_exit(&pieces, 0);
    result_free(&pieces);
    assert_true(same_file("whole.npy", "pieces.npy"));
}

/* Of 36 pictures in batches of 10 the statistics are of 5 images, of the last batch's 5 and 1; more
   threads than images of a group find nothing to do. */
static void statistics_of_images_do_not_change_a_bit(void **state)
{
    (void)state;
    static const struct {
        const char *out, *options;
    } runs[] = { { "whole", "--steps 8" },
                 { "n1", "--steps 10 --threads 1" },
                 { "n2", "--steps 10 --threads 2" },
                 { "n3", "--steps 10 --threads 3" },
                 { "n8", "--steps 10 --threads 8" },
                 { "pieces", "--steps 3 --threads 2" },
                 { "pieces", "--resume --steps 7 --threads 3" },
                 { "pieces", "--resume --steps 8 --threads 1" } };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        Result result = run(folder, NORMED_TRAIN " --train train --val val --out normed_%s %s",
                            runs[i].out, runs[i].options);
        want_exit(&result, 0);
        assert_string_equal(result.err, "");
        result_free(&result);
    }
    const char *const others[] = { "normed_n2/last.safetensors", "normed_n3/last.safetensors",
                                   "normed_n8/last.safetensors" };
    for (int i = 0; i < 3; i++)
        assert_true(same_weights("normed_n1/last.safetensors", others[i]));
    assert_true(same_weights("normed_whole/last.safetensors", "normed_pieces/last.safetensors"));
    assert_false(same_weights("normed_whole/last.safetensors", "normed_n1/last.safetensors"));
}

/* val_mse goes by those that the file holds, of the run above. */
static void moving_averages_are_kept(void **state)
{
    (void)state;
    char *history = read_in("normed_whole/history.csv", NULL);
    const char *second = strchr(strchr(history, '\n') + 1, '\n') + 1;
    assert_true(
        fabs(score_mean(NORMED_INFER, "normed_whole/last.safetensors", "val") / field_of(second, 8)
             - 1)
        < 1e-4);
    free(history);
}

/* A batch is so many whole groups, or less than one. */
static void batches_of_whole_groups(void **state)
{
    (void)state;
    Result refused = run(folder, NORMED_TRAIN " --train train --out normed_12 --steps 1 --batch "
                                              "12");
    want_exit(&refused, 2);
    assert_non_null(strstr(refused.err,
                           "--batch 12: layers of this network take statistics over 5 images at a "
                           "time, so a batch is a multiple of that, or smaller; give --batch 10 or "
                           "15\n"));
    result_free(&refused);
    Result smaller = run(folder, NORMED_TRAIN " --train train --out normed_4 --steps 1 --batch 4");
    want_exit(&smaller, 0);
    result_free(&smaller);
}

static void a_new_run_moves_the_old_one_aside(void **state)
{
    (void)state;
    train_ok("again", "--steps 1");
    Result result = train("again", "--steps 1 --seed 3");
    want_exit(&result, 0);
    assert_non_null(strstr(result.out, "again.1"));
    result_free(&result);
    assert_false(same_file("again/last.safetensors", "again.1/last.safetensors"));
}

/* Two words of text under the name of a picture among good ones. */
static void unreadable_pictures_are_passed_over(void **state)
{
    (void)state;
    pictures_write(folder, "mixed", 5, 1);
    char *bad = in("mixed/0002b.jpg");
    file_write(bad, "no picture", 10);
    Result result = run(folder, SMALL_TRAIN " --train mixed --out mixed_run --epochs 1");
    want_exit(&result, 0);
    assert_non_null(strstr(result.err, "mixed/0002b.jpg"));
    assert_int_equal(count_lines(result.err), 1);
    assert_non_null(strstr(result.out, "1 unreadable picture was"));
    result_free(&result);

    Result strict = run(folder, SMALL_TRAIN " --train mixed --out strict_run --epochs 1 --strict");
    want_exit(&strict, 1);
    assert_non_null(strstr(strict.err, "mixed/0002b.jpg"));
    result_free(&strict);
    free(bad);
}

static void want_no_run(const char *out)
{
    char *path = in(out);
    assert_false(file_exists(path));
    free(path);
}

static void folders_without_pictures(void **state)
{
    (void)state;
    Result result = run(folder, "mkdir empty");
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder, SMALL_TRAIN " --train empty --out nothing");
    want_refusal(&result, 1, "empty");
    result_free(&result);
    want_no_run("nothing");
    result = run(folder, SMALL_TRAIN " --train not_there --out nothing");
    want_refusal(&result, 3, "not_there");
    result_free(&result);
    want_no_run("nothing");
}

static void weights_of_another_network(void **state)
{
    (void)state;
    Result result = run(folder, OTHER_TRAIN " --train train --out foreign --steps 1");
    want_exit(&result, 0);
    result_free(&result);
    result = run(folder,
                 SMALL_TRAIN " --train train --out nothing --init foreign/last.safetensors");
    want_refusal(&result, 1, "foreign/last.safetensors");
    result_free(&result);
    want_no_run("nothing");
    result = run(folder, SMALL_TRAIN " --train train --out foreign --resume");
    want_refusal(&result, 1, "foreign/last.safetensors");
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_epochs),
        cmocka_unit_test(a_finished_run_is_left_alone),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(a_run_in_three_pieces_is_one_run),
        cmocka_unit_test(statistics_of_images_do_not_change_a_bit),
        cmocka_unit_test(moving_averages_are_kept),
        cmocka_unit_test(batches_of_whole_groups),
        cmocka_unit_test(a_new_run_moves_the_old_one_aside),
        cmocka_unit_test(unreadable_pictures_are_passed_over),
        cmocka_unit_test(folders_without_pictures),
        cmocka_unit_test(weights_of_another_network),
    };
    return cmocka_run_group_tests_name("whole train", tests, set_up, tear_down);
}
