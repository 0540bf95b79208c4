/* Pictures that fail to be read, change or go while a dataset is open, or between two of a run. */
#define _XOPEN_SOURCE 700
#include "picture_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static _Atomic int countdown;     /* of reads; the one at 0 fails */
static int reason;                /* with that */
static _Thread_local int failing; /* in the place of the stream's own flag, until the next read */

size_t __real_fread(void *bytes, size_t size, size_t n, FILE *file);
int __real_ferror(FILE *file);
void __real_clearerr(FILE *file);

size_t __wrap_fread(void *bytes, size_t size, size_t n, FILE *file)
{
    failing = 0;
    if (reason && countdown-- == 0) {
        failing = 1;
        errno = reason;
        return __real_fread(bytes, size, n / 2, file);
    }
    return __real_fread(bytes, size, n, file);
}

int __wrap_ferror(FILE *file)
{
    if (failing)
        errno = reason;
    return failing || __real_ferror(file);
}

void __wrap_clearerr(FILE *file)
{
    failing = 0;
    __real_clearerr(file);
}

static void fail_read(int number, int why)
{
    reason = why;
    countdown = number;
}

enum { FILES = 6 };
static const uint32_t in_order[FILES] = { 0, 1, 2, 3, 4, 5 };
static const DatasetOptions uncached = { SIDE, SIDE, 3, 0, 1, 0, 0 },
                            lenient = { SIDE, SIDE, 3, 0, 1, 0, 1 };

/* All pictures once, or -1 and the error. */
static int read_once(Dataset *dataset, Error *error)
{
    const uint8_t *pixels[FILES];
    uint32_t which[FILES];
    assert_int_equal(dataset_start(dataset, in_order, FILES, FILES, error), 0);
    return dataset_next(dataset, FILES, pixels, which, error);
}

static void test_a_read_that_is_interrupted(void **state)
{
    (void)state;
    Error error;
    add_numbered(FILES);
    for (int number = 0; number < FILES; number++) {
        Dataset *dataset = open_folder(&uncached);
        fail_read(number, EINTR);
        assert_int_equal(read_once(dataset, &error), FILES);
        assert_true(countdown < 0);
        assert_int_equal(dataset_unreadable(dataset), 0);
        fail_read(0, 0);
        dataset_close(dataset);
    }
    fail_read(2, EINTR); /* and while the folder is looked through */
    Dataset *dataset = open_folder(&uncached);
    assert_true(countdown < 0);
    assert_int_equal(dataset_count(dataset), FILES);
    fail_read(0, 0);
    dataset_close(dataset);
}

/* In the first round, of a file that was good when the folder was opened, and in a later one. */
static void test_a_read_that_fails_once(void **state)
{
    (void)state;
    Error error;
    add_numbered(FILES);
    for (int round = 0; round < 2; round++) {
        Dataset *dataset = open_folder(&uncached);
        if (round)
            assert_int_equal(read_once(dataset, &error), FILES);
        fail_read(3, EIO);
        assert_int_equal(read_once(dataset, &error), -1);
        assert_int_equal(error.exit_code, EXIT_FILE);
        assert_non_null(strstr(error.text, "003.png: cannot be read: Input/output error"));
        assert_non_null(strstr(error.text, "--skip-unreadable"));
        assert_int_equal(read_once(dataset, &error), FILES); /* it goes on where that is wanted */
        dataset_close(dataset);
        dataset = open_folder(&lenient);
        fail_read(3, EIO);
        assert_int_equal(read_once(dataset, &error), FILES - 1);
        assert_int_equal(dataset_unreadable(dataset), 1);
        fail_read(0, 0);
        assert_int_equal(read_once(dataset, &error), FILES - 1); /* once passed over, always so */
        dataset_close(dataset);
    }
}

static void replace_picture(const char *name, uint8_t grey)
{
    assert_int_equal(unlink(below(name)), 0);
    add_picture(name, grey);
}

/* Damage of a picture that was read; other bytes, whose time says nothing. */
static void test_pictures_that_change_meanwhile(void **state)
{
    (void)state;
    Error error;
    add_numbered(FILES);
    Dataset *dataset = open_folder(&uncached);
    assert_int_equal(read_once(dataset, &error), FILES);
    assert_int_equal(unlink(below("001.png")), 0);
    add_truncated("001.png");
    assert_int_equal(read_once(dataset, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "001.png"));
    assert_non_null(strstr(error.text, "it was readable before"));
    replace_picture("001.png", 77);
    assert_int_equal(read_once(dataset, &error), -1);
    assert_non_null(strstr(error.text, "001.png: its content has changed since the run began"));
    replace_picture("001.png", 1);
    assert_int_equal(read_once(dataset, &error), FILES);
    dataset_close(dataset);

    dataset = open_folder(&lenient); /* not read yet, but its bytes are known */
    assert_int_equal(dataset_note_bytes(dataset, 1 << 20, &error), 0);
    replace_picture("004.png", 77);
    assert_int_equal(read_once(dataset, &error), -1);
    assert_non_null(strstr(error.text, "004.png: its content has changed since the run began"));
    dataset_close(dataset);
    dataset = open_folder(&lenient); /* too many bytes to know them all at once */
    assert_int_equal(dataset_note_bytes(dataset, 10, &error), 0);
    replace_picture("004.png", 4);
    assert_int_equal(read_once(dataset, &error), FILES);
    dataset_close(dataset);
}

/* What a dataset knows, as a run keeps it. */
static DatasetRecords copy_records(Dataset *dataset)
{
    int more;
    DatasetRecords known = dataset_records(dataset, &more),
                   copy = { calloc(known.count, sizeof *copy.rows), known.count };
    for (size_t i = 0; i < known.count; i++) {
        copy.rows[i] = known.rows[i];
        copy.rows[i].name = strdup(known.rows[i].name);
    }
    return copy;
}

static void free_records(DatasetRecords *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->rows[i].name);
    free(records->rows);
}

/* Opens the folder again with what was known; NULL and the error where it is refused. */
static Dataset *again(const DatasetRecords *known, const DatasetOptions *options, Error *error)
{
    Dataset *dataset;
    const char *path = folder;
    return dataset_open_folders(&dataset, &path, 1, known, options, warn, error) == 0 ? dataset
                                                                                      : NULL;
}

static void want_refused(const DatasetRecords *known, const DatasetOptions *options,
                         const char *word)
{
    Error error = { 0 };
    if (again(known, options, &error) || !strstr(error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
}

static void want_count(const DatasetRecords *known, const DatasetOptions *options, int readable)
{
    Error error = { 0 };
    Dataset *dataset = again(known, options, &error);
    if (!dataset)
        fail_msg("%s", error.text);
    assert_int_equal(dataset_count(dataset), FILES);
    assert_int_equal(read_once(dataset, &error), readable);
    assert_int_equal(dataset_unreadable(dataset), FILES - readable);
    dataset_close(dataset);
}

static void test_a_later_run_knows_its_pictures(void **state)
{
    (void)state;
    static const struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
    Error error;
    add_numbered(FILES);
    Dataset *dataset = open_folder(&uncached);
    uint64_t fingerprint = dataset_fingerprint(dataset);
    assert_int_equal(read_once(dataset, &error), FILES);
    DatasetRecords known = copy_records(dataset);
    dataset_close(dataset);
    want_count(&known, &uncached, FILES);
    assert_int_equal(utimensat(AT_FDCWD, below("002.png"), old, 0),
                     0); /* another time alone is no other picture */
    want_count(&known, &uncached, FILES);
    replace_picture("002.png", 99);
    want_refused(&known, &uncached, "002.png: its content has changed since the run began");
    want_refused(&known, &lenient, "002.png: its content has changed since the run began");
    assert_int_equal(unlink(below("002.png")), 0);
    want_refused(&known, &uncached, "002.png: was there when the run began");
    want_count(&known, &lenient, FILES - 1);
    add_truncated("002.png");
    want_refused(&known, &uncached, "002.png: its content has changed since the run began");
    want_count(&known, &lenient, FILES - 1);
    replace_picture("002.png", 2);
    add_picture("0020.png", 50);
    want_refused(&known, &uncached, "0020.png: was not among the pictures that the run began with");
    assert_int_equal(unlink(below("0020.png")), 0);
    known.rows[5].fate = DATASET_PASSED_OVER; /* stays so, whatever it is by now */
    replace_picture("005.png", 99);
    want_count(&known, &uncached, FILES - 1);
    dataset = again(&known, &uncached, &error);
    assert_true(dataset_fingerprint(dataset) == fingerprint);
    dataset_close(dataset);
    free_records(&known);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_a_read_that_is_interrupted),
        IN_FOLDER(test_a_read_that_fails_once),
        IN_FOLDER(test_pictures_that_change_meanwhile),
        IN_FOLDER(test_a_later_run_knows_its_pictures),
    };
    return cmocka_run_group_tests_name("dataset changes", tests, NULL, NULL);
}
