/* history.csv: what is written, what a resumed run reads back, what is refused. */
#define _POSIX_C_SOURCE 200809L
#include "train/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[512], path[600];

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/caec-history-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history.csv", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static void rows_are_written_and_replaced(void **state)
{
    (void)state;
    char text[512] = "";
    History h = { 0 };
    Error error = { 0 };
    assert_int_equal(
        history_put(&h, &(HistoryRow){ 1, 0.5, 0.25, 2, 100, 1e-3, .stage = 0 }, &error), 0);
    assert_int_equal(history_put(&h, &(HistoryRow){ 2, 0.9, NAN, 1, 1, 1e-3, .stage = 0 }, &error),
                     0);
    assert_int_equal(
        history_put(&h, &(HistoryRow){ 2, 0.125, NAN, 1.5, 99.96, 1e-4, .stage = 0 }, &error), 0);
    assert_int_equal(history_write(&h, path, &error), 0);
    history_free(&h);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "epoch,loss,val_loss,seconds,images_per_second,lr\n"
                              "1,0.5,0.25,2.000,100.0,0.001\n"
                              "2,0.125,,1.500,100.0,0.0001\n");
}

static void later_epochs_are_left_out(void **state)
{
    (void)state;
    History h;
    Error error = { 0 };
    write_text(
        "epoch,loss,val_loss,seconds,images_per_second,lr\n1,0.5,0.25,2,100,0.001\n2,0.4,,2,100,"
        "0.001\n3,0.3,,2,100,0.001\n");
    assert_int_equal(history_read(&h, path, 2, &error), 0);
    assert_int_equal(h.count, 2);
    assert_true(h.rows[0].val_loss == 0.25 && isnan(h.rows[1].val_loss) && h.rows[1].loss == 0.4);
    history_free(&h);
}

static void stages_have_a_column(void **state)
{
    (void)state;
    char text[512] = "";
    History h = { .staged = 1 }, back;
    Error error = { 0 };
    assert_int_equal(
        history_put(&h, &(HistoryRow){ 1, 0.5, NAN, 2, 100, 1e-3, .stage = 1 }, &error), 0);
    assert_int_equal(
        history_put(&h, &(HistoryRow){ 2, 0.25, 0.5, 2, 100, 1e-3, .stage = 2 }, &error), 0);
    assert_int_equal(history_write(&h, path, &error), 0);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "epoch,loss,val_loss,seconds,images_per_second,lr,stage\n"
                              "1,0.5,,2.000,100.0,0.001,1\n"
                              "2,0.25,0.5,2.000,100.0,0.001,2\n");
    assert_int_equal(history_read(&back, path, UINT64_MAX, &error), 0);
    assert_int_equal(back.staged, 1);
    assert_int_equal(back.count, 2);
    assert_int_equal(back.rows[0].stage, 1);
    assert_int_equal(back.rows[1].stage, 2);
    history_free(&h);
    history_free(&back);
    write_text("epoch,loss,val_loss,seconds,images_per_second,lr,stage\n1,0.5,0.25,2,100,0.001\n");
    assert_int_equal(history_read(&back, path, 9, &error), -1);
    assert_non_null(strstr(error.text, ":2: not a row"));
}

static void terms_have_two_columns_each(void **state)
{
    (void)state;
    static const char *const names[] = { "mse", "ssim" };
    char text[512] = "";
    History h = { .staged = 1, .terms = names, .term_count = 2 }, back;
    Error error = { 0 };
    const HistoryRow first = { 1, 0.5, NAN, 2, 100, 1e-3, 1, { 0.5, NAN }, { NAN, NAN } },
                     second = { 2, 0.25, 0.5, 2, 100, 1e-3, 2, { 0.125, 1 }, { 0.375, 2 } };
    assert_int_equal(history_put(&h, &first, &error), 0);
    assert_int_equal(history_put(&h, &second, &error), 0);
    assert_int_equal(history_write(&h, path, &error), 0);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(
        text, "epoch,loss,val_loss,seconds,images_per_second,lr,stage,mse,ssim,val_mse,val_ssim\n"
              "1,0.5,,2.000,100.0,0.001,1,0.5,,,\n"
              "2,0.25,0.5,2.000,100.0,0.001,2,0.125,1,0.375,2\n");
    assert_int_equal(history_read(&back, path, UINT64_MAX, &error), 0);
    assert_int_equal(back.count, 2);
    assert_int_equal(back.term_count, 2);
    assert_true(back.rows[0].terms[0] == 0.5 && isnan(back.rows[0].terms[1]));
    assert_true(isnan(back.rows[0].val_terms[0]) && isnan(back.rows[0].val_terms[1]));
    assert_memory_equal(back.rows[1].terms, second.terms, 2 * sizeof(double));
    assert_memory_equal(back.rows[1].val_terms, second.val_terms, 2 * sizeof(double));
    history_free(&h);
    history_free(&back);
    write_text("epoch,loss,val_loss,seconds,images_per_second,lr,mse,val_mse\n1,2,3,4,5,6,7\n");
    assert_int_equal(history_read(&back, path, 9, &error), -1);
    assert_non_null(strstr(error.text, ":2: not a row"));
}

static void many_rows(void **state)
{
    (void)state;
    History h = { 0 }, back;
    Error error = { 0 };
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(
            history_put(&h, &(HistoryRow){ i, 1.0 / (double)i, NAN, 1, 1, 1, .stage = 0 }, &error),
            0);
    assert_int_equal(history_write(&h, path, &error), 0);
    assert_int_equal(history_read(&back, path, UINT64_MAX, &error), 0);
    assert_int_equal(back.count, 1000);
    assert_true(fabs(back.rows[999].loss - 0.001) < 1e-11);
    history_free(&h);
    history_free(&back);
}

static void a_missing_file_is_empty_and_a_wrong_one_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "1,0.5\n", "one,0.5,0.5,1,1,1\n", "0,0.5,0.5,1,1,1\n",
                                         "1,,0.5,1,1,1\n", "1,0.5,0.5,1,1,1,7\n" };
    History h;
    Error error = { 0 };
    unlink(path);
    assert_int_equal(history_read(&h, path, 9, &error), 0);
    assert_int_equal(h.count, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "epoch,loss,val_loss,seconds,images_per_second,lr\n%s",
                 wrong[i]);
        write_text(text);
        assert_int_equal(history_read(&h, path, 9, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        assert_non_null(strstr(error.text, "history.csv:2:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_and_replaced),
        cmocka_unit_test(later_epochs_are_left_out),
        cmocka_unit_test(stages_have_a_column),
        cmocka_unit_test(terms_have_two_columns_each),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(a_missing_file_is_empty_and_a_wrong_one_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
