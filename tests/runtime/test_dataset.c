/* Folders of pictures and built-in ones, read ahead by threads. */
#define _XOPEN_SOURCE 700
#include "picture_folder.h"

#include "images/image.h"
#include "images/pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Reads to the end of the order in batches of `batch`; every picture must be filled with its own
   index. Returns how many came. */
static int read_all(Dataset *dataset, int batch, uint32_t *seen)
{
    const uint8_t *pixels[64];
    uint32_t which[64];
    Error error;
    int total = 0, n;
    while ((n = dataset_next(dataset, batch, pixels, which, &error)) > 0)
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < BYTES; j++)
                assert_int_equal(pixels[i][j], which[i]);
            seen[total++] = which[i];
        }
    assert_int_equal(n, 0);
    return total;
}

static void test_names_in_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const expected[] = { "B.png",  "a.png",           "a/deep/y.png", "a/x.png",
                                            "a0.png", "caf\xC3\xA9.png", "no suffix" };
    assert_int_equal(mkdir(below("a"), 0777), 0);
    assert_int_equal(mkdir(below("a/deep"), 0777), 0);
    assert_int_equal(mkdir(below(".hidden"), 0777), 0);
    for (int i = 6; i >= 0; i--)
        add_picture(expected[i], i);
    add_picture(".hidden/z.png", 9);
    add_picture(".dot.png", 9);
    assert_int_equal(symlink("..", below("a/up")), 0); /* a loop */
    Dataset *dataset = open_folder(&plain);
    assert_int_equal(dataset_count(dataset), 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(dataset_name(dataset, i), expected[i]);
    assert_int_equal(warnings, 0);
    dataset_close(dataset);
}

static void test_what_is_no_picture_is_told(void **state)
{
    (void)state;
    add_picture("good.jpg", 0);
    add_bytes("notes.txt", "hello", 5);
    add_bytes("web.jpg", "RIFF\x10\0\0\0WEBPVP8 ", 16);
    add_bytes("cut.jpg", "\xFF\xD8\xFF\xE0\0\x10", 6);
    assert_int_equal(mkfifo(below("pipe.jpg"), 0666), 0);
    assert_int_equal(symlink("nowhere", below("zz\nlink.jpg")), 0);
    Dataset *dataset = open_folder(&plain);
    assert_int_equal(dataset_count(dataset), 1);
    assert_int_equal(warnings, 5);
    assert_int_equal(dataset_unreadable(dataset), 5);
    assert_non_null(strstr(last_warning, "zz?link.jpg"));
    dataset_close(dataset);

    DatasetOptions strict = plain;
    Error error;
    strict.strict = true;
    assert_int_equal(dataset_open_folder(&dataset, folder, &strict, warn, &error), -1);
    assert_null(dataset);
    assert_non_null(strstr(error.text, "cut.jpg"));
    assert_int_equal(error.exit_code, EXIT_INPUT);
}

static void assert_no_folder(const char *path, int exit_code, const char *word)
{
    Dataset *dataset;
    Error error;
    assert_int_equal(dataset_open_folder(&dataset, path, &plain, warn, &error), -1);
    assert_int_equal(error.exit_code, exit_code);
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, word));
}

static void test_folders_that_will_not_do(void **state)
{
    (void)state;
    char file[600];
    assert_no_folder(folder, EXIT_INPUT, "no files");
    add_bytes("a.txt", "hello", 5);
    add_bytes("b.txt", "hello", 5);
    assert_no_folder(folder, EXIT_INPUT, "none of its 2 files");
    snprintf(file, sizeof file, "%s", below("a.txt"));
    assert_no_folder(file, EXIT_FILE, "not a folder");
    snprintf(file, sizeof file, "%s", below("missing"));
    assert_no_folder(file, EXIT_FILE, "No such file");
}

/* Two epochs in shuffled order, for any number of readers and any size of the cache. */
static void test_order_and_cache(void **state)
{
    (void)state;
    enum { COUNT = 41 };
    uint32_t order[COUNT], seen[COUNT];
    add_numbered(COUNT);
    for (int readers = 1; readers <= 4; readers += 3)
        for (size_t kept = 0; kept <= COUNT; kept += 20) {
            DatasetOptions options = { SIDE, SIDE, 3, kept * BYTES + 7, readers, 0, 0 };
            Dataset *dataset = open_folder(&options);
            Error error;
            for (uint64_t epoch = 0; epoch < 3; epoch++) {
                dataset_shuffle(order, COUNT, 1, epoch);
                assert_int_equal(dataset_start(dataset, order, COUNT, 8, &error), 0);
                assert_int_equal(read_all(dataset, 8, seen), COUNT);
                assert_memory_equal(seen, order, sizeof order);
            }
            assert_int_equal(warnings, 0);
            dataset_close(dataset);
        }
}

/* What is in the cache needs no file any more; what is not, does. */
static void test_cache_spares_decoding(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    uint32_t order[COUNT], seen[COUNT];
    char name[32];
    add_numbered(COUNT);
    DatasetOptions options = { SIDE, SIDE, 3, 6 * BYTES, 1, 0, 1 };
    Dataset *dataset = open_folder(&options);
    Error error;
    for (uint32_t i = 0; i < COUNT; i++)
        order[i] = i;
    assert_int_equal(dataset_start(dataset, order, COUNT, 4, &error), 0);
    assert_int_equal(read_all(dataset, 4, seen), COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%03d.png", i);
        assert_int_equal(unlink(below(name)), 0);
    }
    assert_int_equal(dataset_start(dataset, order, COUNT, 4, &error), 0);
    assert_int_equal(read_all(dataset, 4, seen), 6);
    assert_memory_equal(seen, order, 6 * sizeof *seen);
    assert_int_equal(warnings, 4);
    dataset_close(dataset);
}

/* Pictures that cannot be decoded: batches are filled from those after, each is told once, and a
   long row of them blocks nothing. */
static void test_unreadable_pictures_are_passed_over(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    uint32_t order[COUNT], seen[COUNT];
    char name[32];
    const uint8_t *pixels[4];
    uint32_t which[4];
    Error error;
    add_numbered(COUNT);
    for (int i = 1; i < COUNT - 5; i++) {
        snprintf(name, sizeof name, "%03d.png", i);
        add_truncated(name);
    }
    Dataset *dataset = open_folder(&plain);
    assert_int_equal(dataset_count(dataset), COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        order[i] = i;
    assert_int_equal(dataset_start(dataset, order, COUNT, 4, &error), 0);
    assert_int_equal(dataset_next(dataset, 4, pixels, which, &error), 4);
    assert_true(which[0] == 0 && which[1] == 55 && which[2] == 56 && which[3] == 57);
    assert_int_equal(pixels[0][0], 0);
    assert_int_equal(pixels[3][0], 57);
    assert_int_equal(warnings, 54);
    assert_int_equal(dataset_unreadable(dataset), 54);
    assert_non_null(strstr(last_warning, "054.png"));
    assert_int_equal(read_all(dataset, 4, seen), 2);
    assert_int_equal(dataset_start(dataset, order, COUNT, 4, &error), 0);
    assert_int_equal(read_all(dataset, 4, seen), 6);
    assert_int_equal(warnings, 54);
    assert_int_equal(dataset_start(dataset, order + 1, 20, 4, &error), 0);
    assert_int_equal(read_all(dataset, 4, seen), 0);
    dataset_close(dataset);
}

static void test_strict_stops_at_an_unreadable_picture(void **state)
{
    (void)state;
    static const uint32_t order[3] = { 0, 2, 1 };
    const uint8_t *pixels[3];
    uint32_t which[3];
    Error error;
    DatasetOptions strict = plain;
    strict.strict = true;
    add_numbered(3);
    add_truncated("002.png");
    Dataset *dataset = open_folder(&strict);
    assert_int_equal(dataset_start(dataset, order, 3, 3, &error), 0);
    assert_int_equal(dataset_next(dataset, 1, pixels, which, &error), 1);
    assert_int_equal(dataset_next(dataset, 2, pixels, which, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "002.png"));
    assert_int_equal(warnings, 0);
    dataset_close(dataset);
}

/* Starting anew in the middle of an order, with more or less room, forgets the rest of it; pixels
   of a batch stay until the next call. */
static void test_start_in_mid_order(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    uint32_t order[COUNT], seen[COUNT], which[16];
    const uint8_t *pixels[16];
    Error error;
    const struct timespec moment = { 0, 200000 };
    add_numbered(COUNT);
    DatasetOptions options = { SIDE, SIDE, 3, 0, 3, 0, 0 };
    Dataset *dataset = open_folder(&options);
    for (uint64_t round = 0; round < 30; round++) {
        size_t room = 1 + round % 16;
        dataset_shuffle(order, COUNT, 2, round);
        assert_int_equal(dataset_start(dataset, order, COUNT - round, room, &error), 0);
        for (uint64_t i = 0; i < round % 4; i++) {
            int n = dataset_next(dataset, (int)room, pixels, which, &error);
            nanosleep(&moment, NULL); /* readers go on meanwhile, but not into these */
            for (int j = 0; j < n; j++)
                assert_true(pixels[j][0] == which[j] && pixels[j][BYTES - 1] == which[j]);
        }
    }
    assert_int_equal(dataset_start(dataset, order, 0, 5, &error), 0);
    assert_int_equal(read_all(dataset, 5, seen), 0);
    assert_int_equal(dataset_start(dataset, order, 3, 5, &error), 0);
    assert_int_equal(read_all(dataset, 5, seen), 3);
    assert_int_equal(dataset_start(dataset, order, COUNT, 5, &error), 0);
    dataset_close(dataset); /* with readers at work */
}

static void test_built_in_pictures(void **state)
{
    (void)state;
    static const uint32_t order[5] = { 4, 0, 3, 1, 4 };
    DatasetOptions options = { 20, 30, 1, 1 << 20, 2, 0, 0 };
    const uint8_t *pixels[5];
    uint8_t expected[20 * 30];
    uint32_t which[5];
    Dataset *dataset;
    Error error;
    assert_int_equal(dataset_open_pictures(&dataset, 11, 100, 5, &options, &error), 0);
    assert_int_equal(dataset_count(dataset), 5);
    assert_string_equal(dataset_name(dataset, 4), "built-in picture 104");
    for (int epoch = 0; epoch < 2; epoch++) {
        assert_int_equal(dataset_start(dataset, order, 5, 5, &error), 0);
        assert_int_equal(dataset_next(dataset, 5, pixels, which, &error), 5);
        for (int i = 0; i < 5; i++) {
            picture_draw(11, 100 + order[i], 20, 30, 1, expected);
            assert_int_equal(which[i], order[i]);
            assert_memory_equal(pixels[i], expected, sizeof expected);
        }
    }
    dataset_close(dataset);
    dataset_close(NULL);
}

/* Each of 6 numbers comes to each of 6 places about equally often: of 6000 shuffles 1000 times,
   give or take 5 standard deviations. */
static void test_shuffle(void **state)
{
    (void)state;
    int counts[6][6] = { { 0 } };
    uint32_t order[6], again[6], large[1000];
    for (uint64_t i = 0; i < 6000; i++) {
        dataset_shuffle(order, 6, i % 60, i / 60);
        for (int j = 0; j < 6; j++)
            counts[j][order[j]]++;
    }
    for (int i = 0; i < 36; i++)
        assert_in_range(counts[i / 6][i % 6], 1000 - 145, 1000 + 145);
    dataset_shuffle(order, 6, 1, 2);
    dataset_shuffle(again, 6, 1, 2);
    assert_memory_equal(order, again, sizeof order);
    dataset_shuffle(large, 1000, 1, 0);
    char seen[1000] = { 0 };
    for (int i = 0; i < 1000; i++) {
        assert_true(large[i] < 1000 && !seen[large[i]]);
        seen[large[i]] = 1;
    }
    dataset_shuffle(large, 0, 1, 0);
    dataset_shuffle(large, 1, 1, 0);
    assert_int_equal(large[0], 0);
}

/* Python: h = 0xcbf29ce484222325 for b in struct.pack("<4Q", 6, 6, 3, 0) + b"000.png\0" +
   b"001.png\0": h = (h ^ b) * 0x100000001b3 % 2**64 */
static void test_fingerprint(void **state)
{
    (void)state;
    DatasetOptions other = plain;
    Dataset *dataset;
    Error error;
    add_numbered(2);
    dataset = open_folder(&plain);
    assert_int_equal(dataset_fingerprint(dataset), UINT64_C(0x60BCE8CBDE64F6DF));
    dataset_close(dataset);
    other.width = 7;
    dataset = open_folder(&other);
    assert_int_not_equal(dataset_fingerprint(dataset), UINT64_C(0x60BCE8CBDE64F6DF));
    dataset_close(dataset);
    uint64_t prints[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dataset_open_pictures(&dataset, (uint64_t)i, 0, 3, &plain, &error), 0);
        prints[i] = dataset_fingerprint(dataset);
        dataset_close(dataset);
    }
    assert_int_not_equal(prints[0], prints[1]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

/* Each folder's pictures after the other's, also where they have the same names. */
static void test_several_folders(void **state)
{
    (void)state;
    char a[300], b[300];
    uint32_t order[5] = { 0, 1, 2, 3, 4 }, which[5];
    const uint8_t *pixels[5];
    const char *both[2] = { b, a };
    Error error;
    Dataset *dataset;
    snprintf(a, sizeof a, "%s/a", folder);
    snprintf(b, sizeof b, "%s/b", folder);
    assert_int_equal(mkdir(a, 0777) | mkdir(b, 0777), 0);
    add_picture("a/1.png", 10);
    add_picture("a/2.png", 20);
    add_picture("b/1.png", 30);
    add_picture("b/0.png", 40);
    add_picture("b/5.png", 50);
    assert_int_equal(dataset_open_folders(&dataset, both, 2, NULL, &plain, warn, &error), 0);
    assert_int_equal(warnings, 0);
    assert_int_equal(dataset_start(dataset, order, 5, 5, &error), 0);
    assert_int_equal(dataset_next(dataset, 5, pixels, which, &error), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(pixels[i][0], ((const int[]){ 40, 30, 50, 10, 20 })[i]);
    assert_string_equal(dataset_name(dataset, 3), "1.png");
    uint64_t fingerprint = dataset_fingerprint(dataset);
    dataset_close(dataset);
    const char *twice[3] = { a, b, folder };
    assert_int_equal(dataset_open_folders(&dataset, twice, 3, NULL, &plain, warn, &error), 0);
    assert_int_equal(dataset_count(dataset), 10);
    assert_int_equal(warnings, 2);
    assert_true(dataset_fingerprint(dataset) != fingerprint);
    dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_names_in_order_of_their_bytes),
        IN_FOLDER(test_what_is_no_picture_is_told),
        IN_FOLDER(test_folders_that_will_not_do),
        IN_FOLDER(test_order_and_cache),
        IN_FOLDER(test_cache_spares_decoding),
        IN_FOLDER(test_unreadable_pictures_are_passed_over),
        IN_FOLDER(test_strict_stops_at_an_unreadable_picture),
        IN_FOLDER(test_start_in_mid_order),
        cmocka_unit_test(test_built_in_pictures),
        cmocka_unit_test(test_shuffle),
        IN_FOLDER(test_fingerprint),
        IN_FOLDER(test_several_folders),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
