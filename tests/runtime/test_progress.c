/* What the user sees, with a clock that the test turns and a stream that it reads back. */
#define _POSIX_C_SOURCE 200809L
#include "train/progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double clock_seconds;

static double now(void)
{
    return clock_seconds;
}

/* Everything written to the stream so far. */
static const char *text_of(FILE *file)
{
    static char text[8192];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return text;
}

static ProgressLoss loss(double value)
{
    return (ProgressLoss){ value, NULL };
}

static void lines_where_there_is_no_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    Progress p;
    progress_open(&p, file, 0, now);
    progress_epoch(&p, 3, 40, 19);
    for (size_t step = 1; step <= 19; step++) {
        clock_seconds += 1.25;
        progress_step(&p, step, 212.4, 75, loss(0.012345678));
    }
    progress_validation(&p);
    progress_end(&p, 19, 214, 3725, loss(0.01198), loss(0.01203));
    progress_epoch(&p, 4, 0, 19);
    progress_end(&p, 2, 214, 31, loss(0.5), loss(NAN));
    assert_string_equal(
        text_of(file),
        "Epoch 3/40 - 8/19 - 212 images/s - 01:15 left - loss: 0.01235\n"
        "Epoch 3/40 - 16/19 - 212 images/s - 01:15 left - loss: 0.01235\n"
        "Epoch 3/40 - 19/19 - 214 images/s - 1:02:05 - loss: 0.01198 - val_loss: 0.01203\n"
        "Epoch 4 - 2/19 - 214 images/s - 00:31 - loss: 0.5\n");
    fclose(file);
}

/* Of a loss of several terms each stands behind the loss; a stage need not have them all. */
static void terms_of_the_loss(void **state)
{
    (void)state;
    static const char *const names[] = { "mse", "ssim" };
    FILE *file = tmpfile();
    Progress p;
    progress_open(&p, file, 0, now);
    p.terms = names;
    p.term_count = 2;
    progress_epoch(&p, 1, 2, 19);
    clock_seconds += 10;
    progress_step(&p, 3, 212, 75, (ProgressLoss){ 0.5, (double[]){ 0.25, 1.25 } });
    progress_end(&p, 19, 214, 31, (ProgressLoss){ 0.5, (double[]){ 0.25, 1.25 } },
                 (ProgressLoss){ 0.75, (double[]){ 0.75, NAN } });
    assert_string_equal(
        text_of(file),
        "Epoch 1/2 - 3/19 - 212 images/s - 01:15 left - loss: 0.5 - mse: 0.25 - ssim: 1.25\n"
        "Epoch 1/2 - 19/19 - 214 images/s - 00:31 - loss: 0.5 - mse: 0.25 - ssim: 1.25 - val_loss: "
        "0.75 - val_mse: 0.75\n");
    fclose(file);
}

/* The stream is no terminal with a width, so it counts as 80 columns. */
static void a_bar_on_a_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    Progress p;
    progress_open(&p, file, 1, now);
    progress_epoch(&p, 3, 40, 20);
    progress_step(&p, 1, 212, 12, loss(0.5)); /* too soon to draw */
    clock_seconds += 1;
    progress_step(&p, 10, 212, 12, loss(0.5));
    progress_say(&p, file, "a warning");
    progress_end(&p, 20, 214, 31, loss(0.25), loss(NAN));
    assert_string_equal(
        text_of(file),
        "Epoch 3/40\n"
        "10/20 [===============>..............] 212 images/s - 00:12 left - loss: 0.5"
        "\r\033[Ka warning\n"
        "20/20 [==============================] 214 images/s - 00:31 - loss: 0.25\n");
    fclose(file);
}

static void lines_say_the_stage(void **state)
{
    (void)state;
    for (int terminal = 0; terminal < 2; terminal++) {
        FILE *file = tmpfile();
        Progress p;
        progress_open(&p, file, terminal, now);
        progress_stage(&p, 2, 4);
        progress_epoch(&p, 7, terminal ? 40 : 0, 2);
        progress_end(&p, 2, 214, 31, loss(0.25), loss(NAN));
        assert_string_equal(
            text_of(file),
            terminal
                ? "Stage 2/4 - Epoch 7/40\n2/2 [==============================] 214 images/s - "
                  "00:31 - loss: 0.25\n"
                : "Stage 2/4 - Epoch 7 - 2/2 - 214 images/s - 00:31 - loss: 0.25\n");
        fclose(file);
    }
}

static void a_long_line_does_not_wrap(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    Progress p;
    progress_open(&p, file, 1, now);
    progress_epoch(&p, 1, 1, 100000);
    progress_end(&p, 100000, 123456789, 360000, loss(1.234e-30), loss(1.234e-30));
    const char *line = strchr(text_of(file), '\n') + 1;
    assert_true(strlen(line) <= 80); /* 79 and the newline */
    assert_memory_equal(line, "100000/100000 [========] ", 25);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_where_there_is_no_terminal),
        cmocka_unit_test(terms_of_the_loss),
        cmocka_unit_test(a_bar_on_a_terminal),
        cmocka_unit_test(lines_say_the_stage),
        cmocka_unit_test(a_long_line_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
